#include "base/json/tree_builder.h"

#include <algorithm>
#include <numeric>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "base/json/position.h"

namespace margay::json::detail {
namespace {

// Above this, duplicate names are found by sorting, so that an object of a million members costs no million squared.
constexpr std::size_t kLinearMembersMax = 16;
// Places are a service to error messages: a document of a long name above a million values does not get one for each.
constexpr std::size_t kPlacesBytesMax = 64 * 1024 * 1024;

}  // namespace

Position PlaceCursor::at(std::size_t offset) {
  offset = std::min(offset, text_.size());
  if (offset < offset_) {
    const Place place = place_of(text_, offset);
    return {place.line, place.column};
  }
  for (; offset_ < offset; ++offset_) {
    const auto byte = static_cast<unsigned char>(text_[offset_]);
    if (byte == '\n') {
      position_ = {position_.line + 1, 1};
    } else if ((byte & 0xc0) != 0x80) {
      ++position_.column;
    }
  }
  return position_;
}

// The path of the value that comes next, which begins at `offset`.
void TreeBuilder::enter(std::size_t offset) {
  if (!options_.keeps_places) return;
  if (!frames_.empty()) {
    const Frame& frame = frames_.back();
    path_.resize(frame.path_size);
    if (const Array* array = frame.value.as_array()) {
      append_element_path(path_, array->size());
    } else {
      append_member_path(path_, frame.name);
    }
  }
  places_bytes_ += path_.size() + sizeof(Places::value_type);
  if (places_bytes_ <= kPlacesBytesMax) places_.emplace(path_, cursor_.at(offset));
}

void TreeBuilder::add(Value value) {
  if (frames_.empty()) {
    root_ = std::move(value);
    last_ = &root_;
    return;
  }
  Frame& frame = frames_.back();
  if (Object* object = frame.value.as_object()) {
    last_ = &object->append_new(std::move(frame.name), std::move(value));
    frame.has_name = false;
  } else {
    last_ = &frame.value.make_array().emplace_back(std::move(value));
  }
}

bool TreeBuilder::scalar(Value value, std::size_t offset) {
  enter(offset);
  add(std::move(value));
  return true;
}

bool TreeBuilder::open(Value container, std::size_t offset) {
  if (frames_.size() >= options_.depth_max) {
    return fail(offset, ErrorCode::kLimitExceeded, concat("nested deeper than ", options_.depth_max, " levels"));
  }
  enter(offset);
  Frame frame;
  frame.value = std::move(container);
  frame.path_size = path_.size();
  frames_.push_back(std::move(frame));
  return true;
}

bool TreeBuilder::name(std::string name, std::size_t offset) {
  Frame& frame = frames_.back();
  frame.name = std::move(name);
  frame.has_name = true;
  frame.places.push_back(offset);
  return true;
}

bool TreeBuilder::close() {
  if (!names_are_unique()) return false;
  Value done = std::move(frames_.back().value);
  frames_.pop_back();
  add(std::move(done));
  return true;
}

bool TreeBuilder::awaits_name() const {
  return !frames_.empty() && frames_.back().value.as_object() != nullptr && !frames_.back().has_name;
}

bool TreeBuilder::fail(std::size_t offset, ErrorCode code, std::string_view message) {
  error_ = Error{code, at_place(place_of(options_.text, offset), message)};
  return false;
}

Value TreeBuilder::take() {
  frames_.clear();
  path_.clear();
  last_ = nullptr;
  return std::exchange(root_, Value());
}

Places TreeBuilder::take_places() {
  places_bytes_ = 0;
  return std::exchange(places_, Places());
}

bool TreeBuilder::names_are_unique() {
  const Frame& frame = frames_.back();
  const Object* object = frame.value.as_object();
  if (object == nullptr) return true;
  const auto name = [&](std::size_t i) -> const std::string& {
    return object->begin()[static_cast<std::ptrdiff_t>(i)].name;
  };
  if (object->size() <= kLinearMembersMax) {
    for (std::size_t later = 1; later < object->size(); ++later) {
      for (std::size_t i = 0; i < later; ++i) {
        if (name(i) == name(later)) return fail_duplicate(frame, i, later);
      }
    }
    return true;
  }
  std::vector<std::size_t> order(object->size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = name(a).compare(name(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  const auto twin =
      std::adjacent_find(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return name(a) == name(b); });
  return twin == order.end() || fail_duplicate(frame, *twin, *(twin + 1));
}

namespace {

// Two Kubernetes objects written one after the other without a line between them.
std::string_view hint_for(std::string_view name) {
  const bool begins_an_object = name == "kind" || name == "apiVersion";
  return begins_an_object ? "; a line \"---\" between two objects may be missing" : "";
}

}  // namespace

bool TreeBuilder::fail_duplicate(const Frame& frame, std::size_t first, std::size_t second) {
  const auto member = frame.value.as_object()->begin() + static_cast<std::ptrdiff_t>(first);
  const std::string message =
      concat("member ", margay::quoted(member->name.substr(0, 100)), " is there twice, first in line ",
             place_of(options_.text, frame.places[first]).line, hint_for(member->name));
  return fail(frame.places[second], ErrorCode::kInvalid, message);
}

}  // namespace margay::json::detail
