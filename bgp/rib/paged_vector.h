// PagedVector<T>: an array that grows without moving what is in it, in pages, so that growing never needs the memory of
// old and new together. PagedPool<T>: numbers of such elements, given out and taken back; the memory goes when all are
// back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "bgp/rib/ids.h"

namespace margay::bgp::rib {

template <class T>
class PagedVector {
 public:
  T& operator[](std::uint32_t index) { return pages_[index >> kPageBits][index & kPageMask]; }
  const T& operator[](std::uint32_t index) const { return pages_[index >> kPageBits][index & kPageMask]; }

  // Elements below this index exist; new ones are T{}.
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(pages_.size() << kPageBits); }
  void reach(std::uint32_t index) {
    while (index >= size()) pages_.push_back(std::make_unique<T[]>(kPageMask + 1));
  }
  void clear() { std::vector<std::unique_ptr<T[]>>().swap(pages_); }
  [[nodiscard]] std::size_t memory_bytes() const { return pages_.size() * ((kPageMask + 1) * sizeof(T)); }

 private:
  static constexpr std::uint32_t kPageBits = 10;
  static constexpr std::uint32_t kPageMask = (1U << kPageBits) - 1;

  std::vector<std::unique_ptr<T[]>> pages_;
};

// Gives out the lowest numbers it can cheaply.
class IdAllocator {
 public:
  std::uint32_t allocate() {
    ++used_;
    if (free_.empty()) return next_++;
    const std::uint32_t id = free_.back();
    free_.pop_back();
    return id;
  }
  // True when none is out any more: what is kept by number can be thrown away.
  bool release(std::uint32_t id) {
    if (--used_ != 0) {
      free_.push_back(id);
      return false;
    }
    next_ = 0;
    std::vector<std::uint32_t>().swap(free_);
    return true;
  }
  [[nodiscard]] std::uint32_t used() const { return used_; }
  // All numbers given out so far are below.
  [[nodiscard]] std::uint32_t limit() const { return next_; }
  [[nodiscard]] std::size_t memory_bytes() const { return free_.capacity() * sizeof(std::uint32_t); }

 private:
  std::uint32_t next_ = 0;
  std::uint32_t used_ = 0;
  std::vector<std::uint32_t> free_;
};

template <class T>
class PagedPool {
 public:
  std::uint32_t add(const T& value) {
    const std::uint32_t id = ids_.allocate();
    items_.reach(id);
    items_[id] = value;
    return id;
  }
  void remove(std::uint32_t id) {
    if (ids_.release(id)) items_.clear();
  }
  T& operator[](std::uint32_t id) { return items_[id]; }
  const T& operator[](std::uint32_t id) const { return items_[id]; }
  [[nodiscard]] std::uint32_t used() const { return ids_.used(); }
  [[nodiscard]] std::size_t memory_bytes() const { return items_.memory_bytes() + ids_.memory_bytes(); }

 private:
  PagedVector<T> items_;
  IdAllocator ids_;
};

}  // namespace margay::bgp::rib
