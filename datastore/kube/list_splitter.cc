#include "datastore/kube/list_splitter.h"

#include <utility>

#include "base/core/text.h"

namespace margay::kube {
namespace {

// A larger item than usual must not keep its memory for the rest of the list.
constexpr std::size_t kListCapacityKept = 256 * 1024;

bool is_space(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

std::string_view name_of_value(char first) {
  switch (first) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    default: return (first >= '0' && first <= '9') || first == '-' ? "a number" : "";
  }
}

}  // namespace

ListSplitter::Step ListSplitter::next() {
  if (std::exchange(partial_is_handed_over_, false)) {
    partial_.clear();
    if (partial_.capacity() > kListCapacityKept) partial_.shrink_to_fit();
  }
  while (!piece_.empty()) {
    switch (state_) {
      case State::kFailed: return Step::kError;
      case State::kInItem:
        if (take_item()) return Step::kItem;
        break;
      case State::kBeforeFirstItem:
      case State::kBeforeItem:
      case State::kAfterItem: take_between_items(); break;
      case State::kInNested: take_nested(); break;
      case State::kInName:
      case State::kInString: take_string_byte(piece_.front()); break;
      case State::kInScalar: take_scalar_byte(piece_.front()); break;
      case State::kBeforeObject:
      case State::kBeforeName:
      case State::kBeforeColon:
      case State::kBeforeValue:
      case State::kAfterObject: take_structure_byte(piece_.front()); break;
    }
  }
  return state_ == State::kFailed ? Step::kError : Step::kNeedBytes;
}

void ListSplitter::take_structure_byte(char byte) {
  if (is_space(byte)) return consume(1);
  if (state_ == State::kBeforeValue) return begin_value(byte);
  if (state_ == State::kBeforeName) return begin_name(byte);
  if (state_ == State::kBeforeObject && byte == '{') {
    state_ = State::kBeforeName;
  } else if (state_ == State::kBeforeColon && byte == ':') {
    state_ = State::kBeforeValue;
  } else {
    return fail_expected(state_ == State::kBeforeObject  ? "a list object"
                         : state_ == State::kBeforeColon ? "':'"
                                                         : "the end of the answer",
                         byte);
  }
  keep(byte);
}

void ListSplitter::begin_name(char byte) {
  if (byte == '"') {
    state_ = State::kInName;
    name_begin_ = envelope_.size() + 1;
  } else if (byte == '}') {
    state_ = State::kAfterObject;
  } else if (byte != ',') {
    return fail_expected("a member name", byte);
  }
  keep(byte);
}

void ListSplitter::take_scalar_byte(char byte) {
  if (byte == ',' || byte == '}' || is_space(byte)) {
    state_ = State::kBeforeName;
  } else {
    keep(byte);
  }
}

void ListSplitter::take_string_byte(char byte) {
  keep(byte);
  if (state_ == State::kFailed) return;
  if (is_escaped_) {
    is_escaped_ = false;
  } else if (byte == '\\') {
    is_escaped_ = true;
  } else if (byte == '"') {
    if (state_ == State::kInName) {
      // Servers write the name plainly; one spelt with escapes is another member to us, and then there are no items.
      name_is_items_ = std::string_view(envelope_).substr(name_begin_) == "items\"";
      state_ = State::kBeforeColon;
    } else {
      state_ = State::kBeforeName;
    }
  }
}

void ListSplitter::begin_value(char byte) {
  if (name_is_items_) {
    if (byte != '[' && byte != 'n') return fail_expected("an array of items", byte);
    has_items_ = true;
    state_ = byte == '[' ? State::kBeforeFirstItem : State::kInScalar;
    return keep(byte);
  }
  if (byte == '{' || byte == '[') {
    scanner_.reset();
    state_ = State::kInNested;
    return;
  }
  if (name_of_value(byte).empty()) return fail_expected("a value", byte);
  state_ = byte == '"' ? State::kInString : State::kInScalar;
  keep(byte);
}

void ListSplitter::take_nested() {
  const std::size_t end = scanner_.scan(piece_);
  const std::string_view taken = piece_.substr(0, end);
  if (envelope_.size() + taken.size() > limits_.envelope_bytes_max) {
    return fail(ErrorCode::kLimitExceeded, concat("more than ", limits_.envelope_bytes_max, " bytes beside the items"));
  }
  envelope_.append(taken);
  if (end != NestingScanner::kNotYet) state_ = State::kBeforeName;
  consume(taken.size());
}

void ListSplitter::take_between_items() {
  const char byte = piece_.front();
  if (is_space(byte)) return consume(1);
  if (byte == '{' && state_ != State::kAfterItem) {
    scanner_.reset();
    state_ = State::kInItem;
  } else if (byte == ',' && state_ == State::kAfterItem) {
    state_ = State::kBeforeItem;
    consume(1);
  } else if (byte == ']' && state_ != State::kBeforeItem) {
    state_ = State::kBeforeName;
    keep(byte);
  } else {
    fail_expected(state_ == State::kAfterItem ? "',' or ']'" : "an object", byte);
  }
}

// True when the item is complete.
bool ListSplitter::take_item() {
  const std::size_t end = scanner_.scan(piece_);
  const std::string_view taken = piece_.substr(0, end);
  if (partial_.size() + taken.size() > limits_.item_bytes_max) {
    fail(ErrorCode::kLimitExceeded, concat("an item of more than ", limits_.item_bytes_max, " bytes"));
    return false;
  }
  if (end == NestingScanner::kNotYet) {
    partial_.append(taken);
    consume(taken.size());
    return false;
  }
  item_ = taken;
  if (!partial_.empty()) {
    partial_.append(taken);
    partial_is_handed_over_ = true;
    item_ = partial_;
  }
  ++item_count_;
  state_ = State::kAfterItem;
  consume(taken.size());
  return true;
}

void ListSplitter::keep(char byte) {
  if (envelope_.size() == limits_.envelope_bytes_max) {
    return fail(ErrorCode::kLimitExceeded, concat("more than ", limits_.envelope_bytes_max, " bytes beside the items"));
  }
  envelope_.push_back(byte);
  consume(1);
}

void ListSplitter::consume(std::size_t count) {
  piece_.remove_prefix(count);
  consumed_ += count;
}

std::string ListSplitter::place() const {
  std::string out = concat("list answer, byte ", consumed_);
  const bool is_among_items = state_ == State::kBeforeFirstItem || state_ == State::kBeforeItem ||
                              state_ == State::kInItem || state_ == State::kAfterItem;
  if (is_among_items) out += concat(", items[", item_count_, "]");
  return out;
}

void ListSplitter::fail(ErrorCode code, std::string_view what) {
  error_ = Error{code, concat(place(), ": ", what)};
  state_ = State::kFailed;
}

void ListSplitter::fail_expected(std::string_view expected, char found) {
  const std::string_view name = name_of_value(found);
  fail(ErrorCode::kInvalid, concat("expected ", expected, ", found ",
                                   name.empty() ? quoted(std::string_view(&found, 1)) : std::string(name)));
}

Result<json::Value> ListSplitter::finish() {
  if (state_ == State::kFailed) return error_;
  if (state_ != State::kAfterObject) {
    return Error{ErrorCode::kUnavailable, concat(place(), ": the answer ends here, before its end")};
  }
  if (!has_items_) return invalid("list answer: has no \"items\"");
  auto envelope = json::parse(envelope_, json::ParseLimits{.bytes_max = limits_.envelope_bytes_max});
  if (!envelope.ok()) return std::move(envelope).error().within("list answer, without its items");
  return envelope;
}

}  // namespace margay::kube
