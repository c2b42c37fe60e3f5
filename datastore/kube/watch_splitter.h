// WatchSplitter: cuts the answer to a WATCH into its events, in bytes that arrive in any pieces.
//
//   {"type":"ADDED","object":{…}}\n{"type":"BOOKMARK","object":{…}}…      newlines between events are optional
//
// The object stays bytes; only the event around it is taken apart. Memory: the event that straddles two pieces. Pure.
// Used like ListSplitter: feed(), next() until kNeedBytes, finish() after the last piece.
//
// Source: Kubernetes API concepts, "Efficient detection of changes".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "datastore/kube/nesting_scanner.h"

namespace margay::kube {

// Views into the event's bytes.
struct WatchFrame {
  std::string_view type;    // without its quotes: "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"
  std::string_view object;  // a JSON object
};

// One event, whole, from its first bracket to its last.
Result<WatchFrame> split_event(std::string_view event);

class WatchSplitter {
 public:
  enum class Step { kEvent, kNeedBytes, kError };

  explicit WatchSplitter(std::size_t event_bytes_max = 10 * 1024 * 1024) : event_bytes_max_(event_bytes_max) {}

  // The next piece; it must stay in place until next() has said kNeedBytes, and is given only then.
  void feed(std::string_view piece) { piece_ = piece; }
  // After kError, always kError.
  Step next();
  // Valid until the following call of next() or the end of the piece, whichever is first.
  [[nodiscard]] const WatchFrame& event() const { return event_; }
  [[nodiscard]] const Error& error() const { return error_; }
  // After the last piece: kUnavailable when it ended inside an event.
  [[nodiscard]] Status finish() const;

 private:
  Step take_event();
  Step fail(const Error& error);

  std::size_t event_bytes_max_;
  std::string_view piece_;
  std::uint64_t event_count_ = 0;
  NestingScanner scanner_;
  bool is_in_event_ = false;
  bool is_failed_ = false;
  std::string partial_;
  bool partial_is_handed_over_ = false;
  WatchFrame event_;
  Error error_;
};

}  // namespace margay::kube
