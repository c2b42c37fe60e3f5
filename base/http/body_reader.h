// BodyReader: finds the body of a message in the bytes that follow its head (RFC 9112 sections 6 and 7).
//
// Pieces are views into the caller's bytes: a body is never copied here. Chunk extensions and trailer fields are
// skipped, within limits, so that framing cannot outweigh content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/core/result.h"

namespace margay::http {

struct Framing {
  enum class Kind { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // kLength

  friend bool operator==(const Framing&, const Framing&) = default;
};

class BodyReader {
 public:
  BodyReader() = default;
  explicit BodyReader(Framing framing);

  // Takes from the front of `bytes` and gives the next piece of the body; empty when there is none in what is left, or
  // the body is complete. kInvalid: the chunks are malformed or their framing is over a limit.
  Result<std::string_view> next(std::string_view& bytes);
  // With kUntilClose: at the end of the connection, in order.
  [[nodiscard]] bool is_complete() const { return state_ == State::kComplete; }
  [[nodiscard]] bool ends_with_connection() const { return state_ == State::kUntilClose; }

 private:
  enum class State {
    kComplete,
    kLength,
    kUntilClose,
    kSizeStart,
    kSize,
    kSizeBlank,
    kSizeExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf
  };

  std::string_view data(std::string_view& bytes, State after);
  // One byte of chunk framing; false when it has no place here.
  bool frame(char c);
  bool size_digit(char c);
  bool after_size(char c);
  bool spend();

  State state_ = State::kComplete;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::size_t digits_ = 0;
  std::size_t overhead_ = 0;  // framing bytes not yet outweighed by content
};

}  // namespace margay::http
