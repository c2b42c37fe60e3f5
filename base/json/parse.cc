// parse() over nlohmann's SAX interface: it gives the tokens, we build the Value, so that limits, duplicate names and
// places in the text are ours.
#include <algorithm>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>

#include "base/core/text.h"
#include "base/json/position.h"
#include "base/json/value.h"
#include "nlohmann/json.hpp"

namespace margay::json {
namespace {

// Above this, duplicate names are found by sorting, so that an object of a million members costs no million squared.
constexpr std::size_t kLinearMembersMax = 16;

// Tells how far the parser has read: nlohmann's events carry no position.
class TrackedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  TrackedIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}

  reference operator*() const { return *at_; }
  TrackedIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  TrackedIterator operator++(int) {
    TrackedIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const TrackedIterator& other) const { return at_ == other.at_; }
  bool operator!=(const TrackedIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// nlohmann: "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing value -
// invalid literal; last read: 'x'; expected …". Ours keeps the reason: "invalid literal; expected … (while parsing
// value)"; place and excerpt are computed from the text.
std::string reason_of(std::string_view what) {
  constexpr std::string_view kLead = ": syntax error ";
  constexpr std::string_view kLastRead = "; last read: '";
  std::string_view context;
  if (const std::size_t at = what.find(kLead); at != std::string_view::npos) {
    what.remove_prefix(at + kLead.size());
    if (const auto parts = what.find(" - "); parts != std::string_view::npos) {
      context = what.substr(0, parts);
      what.remove_prefix(parts + 3);
    }
  } else if (const std::size_t bracket = what.find("] "); bracket != std::string_view::npos) {
    what.remove_prefix(bracket + 2);
  }
  const std::size_t last_read = what.find(kLastRead);
  std::string reason(what.substr(0, last_read));
  if (last_read != std::string_view::npos) {
    const std::size_t expected = what.rfind("'; expected ");
    if (expected != std::string_view::npos && expected > last_read) reason.append(what.substr(expected + 1));
  }
  if (reason.starts_with("number overflow")) reason = "number out of range";  // nlohmann's repeats the whole number
  if (!context.empty()) reason.append(" (").append(context).append(")");
  return reason;
}

struct Frame {
  Value value;                      // the array or object being filled
  std::string name;                 // of the member whose value comes next
  std::vector<std::size_t> places;  // of each member's name
};

class Builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Builder(std::string_view text, const ParseLimits& limits) : text_(text), limits_(limits), reached_(text.data()) {}

  const char** reached() { return &reached_; }
  Value take() { return std::move(root_); }
  Error take_error() { return error_.value_or(Error{ErrorCode::kInternal, "JSON parser stopped without a reason"}); }

  bool null() { return add({}); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(number_integer_t value) { return add(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return add(static_cast<double>(value));
    }
    return add(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) { return add(value); }
  bool string(string_t& value) { return add(std::move(value)); }
  bool binary(binary_t&) { return fail(offset(), ErrorCode::kInternal, "binary value"); }

  bool start_object(std::size_t) { return open(Object{}); }
  bool key(string_t& name) {
    frames_.back().name = std::move(name);
    frames_.back().places.push_back(start_of_string());
    return true;
  }
  bool end_object() { return names_are_unique(frames_.back()) && close(); }
  bool start_array(std::size_t) { return open(Array{}); }
  bool end_array() { return close(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& failure) {
    const std::size_t at = position == 0 ? 0 : position - 1;
    std::string reason = reason_of(failure.what());
    const std::string excerpt = detail::excerpt_before(text_, at);
    if (!excerpt.empty()) reason.append(", after ").append(excerpt);
    return fail(at, ErrorCode::kInvalid, reason);
  }

 private:
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(reached_ - text_.data()); }

  bool fail(std::size_t at, ErrorCode code, std::string_view message) {
    error_ = Error{code, detail::at_place(detail::place_of(text_, at), message)};
    return false;
  }

  bool add(Value value) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Frame& frame = frames_.back();
    if (Object* object = frame.value.as_object()) {
      object->append_new(std::move(frame.name), std::move(value));
    } else {
      frame.value.make_array().push_back(std::move(value));
    }
    return true;
  }

  bool open(Value container) {
    if (frames_.size() >= limits_.depth_max) {
      return fail(offset() - 1, ErrorCode::kLimitExceeded, concat("nested deeper than ", limits_.depth_max, " levels"));
    }
    frames_.push_back({std::move(container), {}, {}});
    return true;
  }

  bool close() {
    Value done = std::move(frames_.back().value);
    frames_.pop_back();
    return add(std::move(done));
  }

  // The opening quote of the string that ends where the parser stands. Every quote inside is escaped, that is, has an
  // odd number of backslashes before it.
  [[nodiscard]] std::size_t start_of_string() const {
    std::size_t at = offset() - 1;
    while (at > 0) {
      at = text_.rfind('"', at - 1);
      std::size_t backslashes = 0;
      while (backslashes < at && text_[at - 1 - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 0) break;
    }
    return at;
  }

  bool names_are_unique(const Frame& frame) {
    const Object& object = *frame.value.as_object();
    const auto members = object.begin();
    const auto name = [&](std::size_t i) -> const std::string& { return members[static_cast<std::ptrdiff_t>(i)].name; };
    if (object.size() <= kLinearMembersMax) {
      for (std::size_t later = 1; later < object.size(); ++later) {
        for (std::size_t i = 0; i < later; ++i) {
          if (name(i) == name(later)) return fail_duplicate(frame, name(later), later);
        }
      }
      return true;
    }
    std::vector<std::size_t> order(object.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const int compared = name(a).compare(name(b));
      return compared != 0 ? compared < 0 : a < b;
    });
    const auto twin = std::adjacent_find(order.begin(), order.end(),
                                         [&](std::size_t a, std::size_t b) { return name(a) == name(b); });
    return twin == order.end() || fail_duplicate(frame, name(*twin), *(twin + 1));
  }

  bool fail_duplicate(const Frame& frame, std::string_view name, std::size_t index) {
    return fail(frame.places[index], ErrorCode::kInvalid, concat("member ", quoted(name), " is there twice"));
  }

  std::string_view text_;
  const ParseLimits& limits_;
  const char* reached_;
  Value root_;
  std::vector<Frame> frames_;
  std::optional<Error> error_;
};

}  // namespace

Result<Value> parse(std::string_view text, const ParseLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Error{ErrorCode::kLimitExceeded,
                 concat("document of ", text.size(), " bytes, allowed are ", limits.bytes_max)};
  }
  // nlohmann takes a NUL byte for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return invalid(detail::at_place(detail::place_of(text, nul), "NUL byte"));
  }
  Builder builder(text, limits);
  const TrackedIterator begin(text.data(), builder.reached());
  const TrackedIterator end(text.data() + text.size(), builder.reached());
  if (!nlohmann::json::sax_parse(begin, end, &builder)) return builder.take_error();
  return builder.take();
}

}  // namespace margay::json
