#include "base/core/shared_text.h"

#include <cstring>
#include <limits>

namespace margay {

SharedText::SharedText(std::string_view text)
    : SharedText(made(text.size(), [text](char* bytes) { std::memcpy(bytes, text.data(), text.size()); })) {}

SharedText::Block* SharedText::allocate(std::size_t size) {
  MARGAY_CHECK(size <= std::numeric_limits<std::uint32_t>::max());
  void* const memory = ::operator new(sizeof(Block) + size);
  return new (memory) Block{{1}, static_cast<std::uint32_t>(size)};
}

void SharedText::release(Block* block) {
  block->~Block();
  ::operator delete(block);
}

}  // namespace margay
