// Writer: builds a byte string in network byte order, with lengths filled in once they are known.
//
//   Writer writer(kMessageSizeMax);
//   const LengthMark length = writer.reserve_length(LengthMark::kU16);
//   writer.u8(type);
//   writer.set_length(length);                     // counts what was written after the field
//   Result<std::string> message = writer.finish();
//
// What does not fit (the limit, or a length its field) is remembered and comes out of finish(); until then writing goes
// on without effect, so that callers check once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/bytes/reader.h"
#include "base/core/result.h"

namespace margay::bytes {

// A length field that waits for its value.
struct LengthMark {
  enum Width : std::uint8_t { kU8 = 1, kU16 = 2, kU24 = 3, kU32 = 4 };
  std::size_t offset = 0;
  Width width = kU16;
};

class Writer {
 public:
  explicit Writer(std::size_t size_max = std::numeric_limits<std::size_t>::max()) : size_max_(size_max) {}

  void u8(std::uint8_t value) { number(value, 1); }
  void u16(std::uint16_t value) { number(value, 2); }
  // The low 24 bits; a larger value does not fit.
  void u24(std::uint32_t value);
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void append(View bytes);
  void append(std::string_view text) { append(view_of(text)); }
  void zeros(std::size_t count);
  // Zeros until the size is a multiple of `alignment`.
  void pad_to(std::size_t alignment);

  [[nodiscard]] LengthMark reserve_length(LengthMark::Width width);
  // Fills the field with the number of bytes written after it, plus `extra` (a length that counts its own header).
  void set_length(const LengthMark& mark, std::size_t extra = 0);
  // Overwrites what was written there; a place that was not written is our own mistake.
  void patch_u8(std::size_t offset, std::uint8_t value) { patch(offset, value, 1); }
  void patch_u16(std::size_t offset, std::uint16_t value) { patch(offset, value, 2); }
  void patch_u32(std::size_t offset, std::uint32_t value) { patch(offset, value, 4); }

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::size_t space_left() const { return size_max_ - out_.size(); }
  [[nodiscard]] View written() const { return view_of(out_); }
  [[nodiscard]] bool ok() const { return failure_.empty(); }

  // What was written, or kLimitExceeded with the first thing that did not fit. The writer is empty afterwards.
  Result<std::string> finish();

 private:
  bool make_room(std::size_t size);
  void number(std::uint64_t value, std::size_t size);
  void patch(std::size_t offset, std::uint64_t value, std::size_t size);

  std::size_t size_max_;
  std::string out_;
  std::string failure_;  // empty: everything has fitted
};

}  // namespace margay::bytes
