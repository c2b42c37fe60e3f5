#include "base/bytes/reader.h"

#include "base/core/text.h"

namespace margay::bytes {

View view_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string_view text_of(View bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Result<View> Reader::take(std::size_t size) {
  if (size > bytes_.size()) {
    return invalid(concat("at byte ", offset_, ": ", size, " bytes expected, ", bytes_.size(), " left"));
  }
  const View taken = bytes_.first(size);
  bytes_ = bytes_.subspan(size);
  offset_ += size;
  return taken;
}

Result<std::uint64_t> Reader::number(std::size_t size) {
  MARGAY_ASSIGN_OR_RETURN(const View taken, take(size));
  std::uint64_t value = 0;
  for (const std::uint8_t byte : taken) value = value << 8 | byte;
  return value;
}

Result<std::uint8_t> Reader::u8() {
  MARGAY_ASSIGN_OR_RETURN(const std::uint64_t value, number(1));
  return static_cast<std::uint8_t>(value);
}

Result<std::uint16_t> Reader::u16() {
  MARGAY_ASSIGN_OR_RETURN(const std::uint64_t value, number(2));
  return static_cast<std::uint16_t>(value);
}

Result<std::uint32_t> Reader::u24() {
  MARGAY_ASSIGN_OR_RETURN(const std::uint64_t value, number(3));
  return static_cast<std::uint32_t>(value);
}

Result<std::uint32_t> Reader::u32() {
  MARGAY_ASSIGN_OR_RETURN(const std::uint64_t value, number(4));
  return static_cast<std::uint32_t>(value);
}

Result<std::uint64_t> Reader::u64() { return number(8); }

Result<Reader> Reader::sub(std::size_t size) {
  const std::size_t start = offset_;
  MARGAY_ASSIGN_OR_RETURN(const View taken, take(size));
  return Reader(taken, start);
}

Status Reader::skip(std::size_t size) {
  MARGAY_RETURN_IF_ERROR(take(size));
  return ok_status();
}

View Reader::take_rest() {
  const View taken = bytes_;
  offset_ += taken.size();
  bytes_ = {};
  return taken;
}

Status Reader::expect_end() const {
  if (is_at_end()) return ok_status();
  return invalid(concat("at byte ", offset_, ": ", bytes_.size(), " bytes left over"));
}

}  // namespace margay::bytes
