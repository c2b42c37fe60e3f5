#include "datastore/kube/watch_splitter.h"

#include <utility>

#include "base/core/text.h"

namespace margay::kube {
namespace {

constexpr std::size_t kEventCapacityKept = 256 * 1024;
constexpr std::string_view kSpaces = " \n\t\r";

// Cuts the next JSON value off `text` (which begins with it); empty when there is none. Scalars are not checked.
std::string_view take_value(std::string_view& text) {
  std::size_t end = 0;
  if (text.starts_with('{') || text.starts_with('[')) {
    end = end_of_nested(text);
  } else if (text.starts_with('"')) {
    end = 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? std::size_t{2} : 1;
    ++end;
  } else {
    end = std::min(text.find_first_of(",}] \n\t\r"), text.size());
  }
  if (end > text.size()) return {};
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
}

void skip_spaces(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size())); }

bool skip(std::string_view& text, char wanted) {
  skip_spaces(text);
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

struct RawMember {
  std::string_view name;  // with its quotes
  std::string_view value;
};

// The next member of an object whose opening bracket is taken; false: not well formed.
bool take_member(std::string_view& text, RawMember& member) {
  skip_spaces(text);
  if (!text.starts_with('"')) return false;
  member.name = take_value(text);
  if (member.name.empty() || !skip(text, ':')) return false;
  skip_spaces(text);
  member.value = take_value(text);
  return !member.value.empty();
}

Status note_member(const RawMember& member, WatchFrame& frame) {
  if (member.name == "\"type\"") {
    if (!frame.type.empty()) return invalid("has two members \"type\"");
    if (member.value.size() < 3 || member.value.front() != '"') return invalid("\"type\" is not a name");
    frame.type = member.value.substr(1, member.value.size() - 2);
  } else if (member.name == "\"object\"") {
    if (!frame.object.empty()) return invalid("has two members \"object\"");
    if (member.value.front() != '{') return invalid("\"object\" is not an object");
    frame.object = member.value;
  }
  return ok_status();
}

}  // namespace

Result<WatchFrame> split_event(std::string_view event) {
  WatchFrame frame;
  std::string_view rest = event;
  if (!skip(rest, '{')) return invalid("is not an object");
  do {
    RawMember member;
    if (!take_member(rest, member)) return invalid("is not well formed");
    MARGAY_RETURN_IF_ERROR(note_member(member, frame));
  } while (skip(rest, ','));
  if (!skip(rest, '}') || !rest.empty()) return invalid("is not well formed");
  if (frame.type.empty()) return invalid("has no \"type\"");
  if (frame.object.empty()) return invalid("has no \"object\"");
  return frame;
}

WatchSplitter::Step WatchSplitter::next() {
  if (is_failed_) return Step::kError;
  if (std::exchange(partial_is_handed_over_, false)) {
    partial_.clear();
    if (partial_.capacity() > kEventCapacityKept) partial_.shrink_to_fit();
  }
  if (!is_in_event_) {
    skip_spaces(piece_);
    if (piece_.empty()) return Step::kNeedBytes;
    if (piece_.front() != '{') {
      return fail(invalid(concat("expected an object, found ", quoted(piece_.substr(0, 1)))));
    }
    scanner_.reset();
    is_in_event_ = true;
  }
  return take_event();
}

WatchSplitter::Step WatchSplitter::take_event() {
  const std::size_t end = scanner_.scan(piece_);
  const std::string_view taken = piece_.substr(0, end);
  if (partial_.size() + taken.size() > event_bytes_max_) {
    return fail(Error{ErrorCode::kLimitExceeded, concat("has more than ", event_bytes_max_, " bytes")});
  }
  piece_.remove_prefix(taken.size());
  if (end == NestingScanner::kNotYet) {
    partial_.append(taken);
    return Step::kNeedBytes;
  }
  std::string_view whole = taken;
  if (!partial_.empty()) {
    partial_.append(taken);
    partial_is_handed_over_ = true;
    whole = partial_;
  }
  auto frame = split_event(whole);
  if (!frame.ok()) return fail(frame.error());
  event_ = *frame;
  is_in_event_ = false;
  ++event_count_;
  return Step::kEvent;
}

WatchSplitter::Step WatchSplitter::fail(const Error& error) {
  error_ = error.within(concat("watch answer, event ", event_count_));
  is_failed_ = true;
  return Step::kError;
}

Status WatchSplitter::finish() const {
  if (is_failed_) return error_;
  if (is_in_event_) {
    return Error{ErrorCode::kUnavailable, concat("watch answer, event ", event_count_, ": the answer ends inside it")};
  }
  return ok_status();
}

}  // namespace margay::kube
