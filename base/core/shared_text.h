// SharedText: a text that does not change and whose copies share one storage; 8 bytes. For what many objects have in
// common: labels, names of nodes and namespaces. text_pool.h makes equal texts share.
//
// Copies may live in other threads than the original: the count of users is atomic, the text is never written again.
#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>
#include <utility>

#include "base/core/check.h"

namespace margay {

class SharedText {
 public:
  SharedText() = default;
  SharedText(std::string_view text);
  SharedText(const char* text) : SharedText(std::string_view(text)) {}
  // A text of `size` bytes that fill(char*) writes once.
  template <class Fill>
  static SharedText made(std::size_t size, Fill fill) {
    SharedText out;
    if (size == 0) return out;
    out.block_ = allocate(size);
    fill(bytes_of(out.block_));
    return out;
  }

  SharedText(const SharedText& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->users.fetch_add(1, std::memory_order_relaxed);
  }
  SharedText(SharedText&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedText& operator=(SharedText other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedText() {
    if (block_ != nullptr && block_->users.fetch_sub(1, std::memory_order_acq_rel) == 1) release(block_);
  }

  [[nodiscard]] std::string_view view() const {
    return block_ == nullptr ? std::string_view() : std::string_view(bytes_of(block_), block_->size);
  }
  operator std::string_view() const { return view(); }
  [[nodiscard]] bool empty() const { return block_ == nullptr; }
  [[nodiscard]] std::size_t size() const { return view().size(); }
  // Nobody else shares it. While no other thread copies from this one, it stays so.
  [[nodiscard]] bool is_unshared() const {
    return block_ == nullptr || block_->users.load(std::memory_order_acquire) == 1;
  }

  friend bool operator==(const SharedText& a, const SharedText& b) {
    return a.block_ == b.block_ || a.view() == b.view();
  }
  friend auto operator<=>(const SharedText& a, const SharedText& b) { return a.view() <=> b.view(); }
  friend bool operator==(const SharedText& a, std::string_view b) { return a.view() == b; }
  friend bool operator==(const SharedText& a, const char* b) { return a.view() == b; }

 private:
  // The bytes stand right behind it.
  struct Block {
    std::atomic<std::uint32_t> users;
    std::uint32_t size;
  };
  static char* bytes_of(Block* block) { return reinterpret_cast<char*>(block + 1); }
  static Block* allocate(std::size_t size);
  static void release(Block* block);

  Block* block_ = nullptr;  // nullptr: ""
};

}  // namespace margay
