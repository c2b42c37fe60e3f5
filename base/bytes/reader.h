// Reader: takes numbers and pieces off the front of a byte string, in network byte order, never past its end.
//
// An error (kInvalid) names the byte it happened at, counted from where the outermost reader began, so that it is right
// in nested structures too. After an error the reader stands where it stood before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/result.h"

namespace margay::bytes {

using View = std::span<const std::uint8_t>;

// The bytes of a string, which stays the owner.
View view_of(std::string_view text);
// The bytes as text; no check of what they mean.
std::string_view text_of(View bytes);

class Reader {
 public:
  // The bytes must outlive the reader and all it hands out.
  explicit Reader(View bytes) : bytes_(bytes) {}

  Result<std::uint8_t> u8();
  Result<std::uint16_t> u16();
  Result<std::uint32_t> u24();
  Result<std::uint32_t> u32();
  Result<std::uint64_t> u64();

  // The next `size` bytes.
  Result<View> take(std::size_t size);
  // A reader of the next `size` bytes alone: what is read there cannot run into what follows.
  Result<Reader> sub(std::size_t size);
  Status skip(std::size_t size);
  // Everything that is left.
  View take_rest();

  [[nodiscard]] View rest() const { return bytes_; }
  [[nodiscard]] std::size_t remaining() const { return bytes_.size(); }
  [[nodiscard]] bool is_at_end() const { return bytes_.empty(); }
  // Bytes consumed, counted from where the outermost reader began.
  [[nodiscard]] std::size_t offset() const { return offset_; }
  // An error when something is left.
  [[nodiscard]] Status expect_end() const;

 private:
  Reader(View bytes, std::size_t offset) : bytes_(bytes), offset_(offset) {}
  Result<std::uint64_t> number(std::size_t size);

  View bytes_;
  std::size_t offset_ = 0;
};

}  // namespace margay::bytes
