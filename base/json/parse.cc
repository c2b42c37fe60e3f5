// parse() over nlohmann's SAX interface: it gives the tokens, TreeBuilder builds the Value, so that limits, duplicate
// names and places in the text are ours.
#include <iterator>
#include <limits>

#include "base/core/text.h"
#include "base/json/position.h"
#include "base/json/tree_builder.h"
#include "base/json/value.h"
#include "nlohmann/json.hpp"

namespace margay::json {
namespace {

constexpr std::string_view kJsonBlank = " \t\r\n";
constexpr std::size_t kDocumentsMax = 100'000;  // each takes far more memory than its "{}"

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

class SaxHandler {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  SaxHandler(std::string_view text, detail::TreeBuilder& builder)
      : text_(text), builder_(builder), reached_(text.data()) {}

  // Reads the value at `start`, and with `is_alone` that nothing comes behind it.
  bool read(std::size_t start, bool is_alone) {
    start_ = start;
    reached_ = text_.data() + start;
    const TrackedIterator begin(reached_, &reached_);
    const TrackedIterator end(text_.data() + text_.size(), &reached_);
    return nlohmann::json::sax_parse(begin, end, this, nlohmann::json::input_format_t::json, is_alone);
  }
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(reached_ - text_.data()); }

  bool null() { return word({}); }
  bool boolean(bool value) { return word(value); }
  bool number_integer(number_integer_t value) { return word(std::int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return word(static_cast<double>(value));
    }
    return word(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) { return word(value); }
  bool string(string_t& value) {
    return builder_.scalar(std::move(value), builder_.keeps_places() ? start_of_string() : 0);
  }
  bool binary(binary_t&) { return builder_.fail(offset(), ErrorCode::kInternal, "binary value"); }

  bool start_object(std::size_t) { return builder_.open(Object{}, offset() - 1); }
  bool key(string_t& name) { return builder_.name(std::move(name), start_of_string()); }
  bool end_object() { return builder_.close(); }
  bool start_array(std::size_t) { return builder_.open(Array{}, offset() - 1); }
  bool end_array() { return builder_.close(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& failure) {
    const std::size_t at = start_ + (position == 0 ? 0 : position - 1);
    std::string reason = reason_of(failure.what());
    const std::string excerpt = detail::excerpt_before(text_, at);
    if (!excerpt.empty()) reason.append(", after ").append(excerpt);
    return builder_.fail(at, ErrorCode::kInvalid, reason);
  }

 private:
  // A number or literal. The parser may have read one byte more to see its end.
  bool word(Value value) {
    if (!builder_.keeps_places()) return builder_.scalar(std::move(value), 0);
    constexpr std::string_view kWordBytes = "+-.0123456789eEtrufalsn";
    std::size_t end = offset();
    while (end > 0 && kWordBytes.find(text_[end - 1]) == std::string_view::npos) --end;
    const std::size_t before = end == 0 ? std::string_view::npos : text_.find_last_not_of(kWordBytes, end - 1);
    return builder_.scalar(std::move(value), before + 1);
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

  std::string_view text_;
  detail::TreeBuilder& builder_;
  std::size_t start_ = 0;  // of the value at hand
  const char* reached_;
};

Status check_text(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return Error{ErrorCode::kLimitExceeded, concat("document of ", text.size(), " bytes, allowed are ", bytes_max)};
  }
  // nlohmann takes a NUL byte for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return invalid(detail::at_place(detail::place_of(text, nul), "NUL byte"));
  }
  return ok_status();
}

Error error_in(const detail::TreeBuilder& builder) {
  return builder.error().value_or(Error{ErrorCode::kInternal, "the JSON parser stopped without a reason"});
}

}  // namespace

Result<Value> parse(std::string_view text, const ParseLimits& limits) {
  MARGAY_RETURN_IF_ERROR(check_text(text, limits.bytes_max));
  detail::TreeBuilder builder({.text = text, .depth_max = limits.depth_max});
  if (!SaxHandler(text, builder).read(0, true)) return error_in(builder);
  return builder.take();
}

Result<std::vector<YamlDocument>> detail::parse_with_places(std::string_view text, const YamlLimits& limits) {
  MARGAY_RETURN_IF_ERROR(check_text(text, limits.bytes_max));
  TreeBuilder builder({.text = text, .depth_max = limits.depth_max, .keeps_places = true});
  SaxHandler handler(text, builder);
  std::vector<YamlDocument> documents;
  std::size_t start = text.find_first_not_of(kJsonBlank);
  do {
    const bool is_object = start != std::string_view::npos && text[start] == '{';
    if (!is_object && !documents.empty()) {
      builder.fail(start, ErrorCode::kInvalid, "behind an object another object or the end of the input is expected");
      return error_in(builder);
    }
    if (documents.size() == kDocumentsMax) {
      builder.fail(start, ErrorCode::kLimitExceeded, concat("more than ", kDocumentsMax, " objects"));
      return error_in(builder);
    }
    if (!handler.read(is_object ? start : 0, !is_object)) return error_in(builder);
    documents.push_back({builder.take(), builder.take_places()});
    start = text.find_first_not_of(kJsonBlank, handler.offset());
  } while (start != std::string_view::npos);
  return documents;
}

}  // namespace margay::json
