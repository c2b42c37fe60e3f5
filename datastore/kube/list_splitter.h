// ListSplitter: cuts the answer to a LIST into its items while it is still arriving, without parsing them.
//
//   {"kind":"PodList","metadata":{…},"items":[ {…} , {…} , … ]}
//                                              item   item           -> handed over as bytes, one by one
//   {"kind":"PodList","metadata":{…},"items":[]}                     -> the envelope, parsed by finish()
//
// Memory: the item that straddles two pieces, and the envelope; both have limits. An item that lies in one piece is a
// view into it: nothing is copied. The items are split at memory speed; a mistake inside one is found by whoever parses
// it, a mistake in the envelope by finish(). Pure.
//
//   splitter.feed(piece);
//   while (splitter.next() == ListSplitter::Step::kItem) use(splitter.item());
//   …                                                       // kNeedBytes: feed the next piece; kError: error()
//   splitter.finish();                                      // after the last piece
//
// Source: Kubernetes API concepts, "Resource collections". `metadata` may come before or behind `items`; servers
// written in Go send "items":null for none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"
#include "datastore/kube/nesting_scanner.h"

namespace margay::kube {

struct SplitLimits {
  std::size_t item_bytes_max = 10 * 1024 * 1024;
  std::size_t envelope_bytes_max = 1024 * 1024;
};

class ListSplitter {
 public:
  enum class Step { kItem, kNeedBytes, kError };

  explicit ListSplitter(SplitLimits limits = {}) : limits_(limits) {}

  // The next piece of the answer. It must stay in place until next() has said kNeedBytes; call it only then.
  void feed(std::string_view piece) { piece_ = piece; }
  // After kError, always kError.
  Step next();
  // The item next() found; valid until the following call of next() or the end of the piece, whichever is first.
  [[nodiscard]] std::string_view item() const { return item_; }
  [[nodiscard]] std::size_t item_count() const { return item_count_; }
  // Names the byte and, inside it, the item.
  [[nodiscard]] const Error& error() const { return error_; }

  // After the last piece: the answer with its items left out ("items" is null or an empty array). Fails when the answer
  // ended early, is not well formed or has no items at all (an answer that is no list must not pass for an empty one).
  Result<json::Value> finish();

 private:
  enum class State {
    kBeforeObject,
    kBeforeName,
    kInName,
    kBeforeColon,
    kBeforeValue,
    kInString,
    kInNested,
    kInScalar,
    kBeforeFirstItem,
    kBeforeItem,
    kInItem,
    kAfterItem,
    kAfterObject,
    kFailed,
  };

  // Each takes what it can from piece_ and sets the next state.
  void take_structure_byte(char byte);
  void begin_name(char byte);
  void begin_value(char byte);
  void take_string_byte(char byte);
  void take_scalar_byte(char byte);
  void take_nested();
  bool take_item();
  void take_between_items();
  void keep(char byte);
  void consume(std::size_t count);
  void fail(ErrorCode code, std::string_view what);
  void fail_expected(std::string_view expected, char found);
  [[nodiscard]] std::string place() const;

  SplitLimits limits_;
  State state_ = State::kBeforeObject;
  std::string_view piece_;      // what of it is not consumed yet
  std::uint64_t consumed_ = 0;  // bytes of the whole answer
  NestingScanner scanner_;
  bool is_escaped_ = false;
  bool has_items_ = false;
  std::size_t name_begin_ = 0;  // in envelope_, behind the quote
  bool name_is_items_ = false;
  std::string envelope_;
  std::string partial_;  // the item begun in earlier pieces
  bool partial_is_handed_over_ = false;
  std::string_view item_;
  std::size_t item_count_ = 0;
  Error error_;
};

}  // namespace margay::kube
