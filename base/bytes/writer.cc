#include "base/bytes/writer.h"

#include <utility>

#include "base/core/text.h"

namespace margay::bytes {
namespace {

void put(char* at, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) at[i] = static_cast<char>(value >> (8 * (size - 1 - i)) & 0xff);
}

}  // namespace

bool Writer::make_room(std::size_t size) {
  if (!ok()) return false;
  if (size <= space_left()) return true;
  failure_ = concat("at byte ", out_.size(), ": ", size, " bytes do not fit into the limit of ", size_max_);
  return false;
}

void Writer::number(std::uint64_t value, std::size_t size) {
  if (!make_room(size)) return;
  out_.resize(out_.size() + size);
  put(out_.data() + out_.size() - size, value, size);
}

void Writer::u24(std::uint32_t value) {
  if (value > 0xffffff && ok()) failure_ = concat("at byte ", out_.size(), ": ", value, " does not fit into 24 bits");
  number(value, 3);
}

void Writer::append(View bytes) {
  if (make_room(bytes.size())) out_.append(text_of(bytes));
}

void Writer::zeros(std::size_t count) {
  if (make_room(count)) out_.append(count, '\0');
}

void Writer::pad_to(std::size_t alignment) {
  const std::size_t over = out_.size() % alignment;
  if (over != 0) zeros(alignment - over);
}

LengthMark Writer::reserve_length(LengthMark::Width width) {
  const LengthMark mark{.offset = out_.size(), .width = width};
  zeros(width);
  return mark;
}

void Writer::set_length(const LengthMark& mark, std::size_t extra) {
  if (!ok()) return;
  const std::size_t length = out_.size() - mark.offset - mark.width + extra;
  if (length >> (8 * mark.width) != 0) {
    failure_ = concat("at byte ", mark.offset, ": length ", length, " does not fit into ", int{mark.width}, " bytes");
    return;
  }
  patch(mark.offset, length, mark.width);
}

void Writer::patch(std::size_t offset, std::uint64_t value, std::size_t size) {
  if (!ok()) return;
  MARGAY_CHECK(offset <= out_.size() && size <= out_.size() - offset);
  put(out_.data() + offset, value, size);
}

Result<std::string> Writer::finish() {
  std::string out = std::exchange(out_, {});
  std::string failure = std::exchange(failure_, {});
  if (!failure.empty()) return Error{ErrorCode::kLimitExceeded, std::move(failure)};
  return out;
}

}  // namespace margay::bytes
