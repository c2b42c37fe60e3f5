// IdIndex: finds numbers by the hash of what they stand for. Open addressing of four bytes a slot; the keys stay with
// their owner, who hashes and compares them. Linear probing, erasing shifts back, so no tombstones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bgp/rib/ids.h"

namespace margay::bgp::rib {

class IdIndex {
 public:
  // The number with this hash for which equal(id) holds, or kNoId.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, const Equal& equal) const {
    if (slots_.empty()) return kNoId;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const std::uint32_t id = slots_[at];
      if (id == kNoId || equal(id)) return id;
    }
  }

  // `hash_of(id)` is asked for the others when the table grows. The id must not be there.
  template <class HashOf>
  void insert(std::uint32_t id, const HashOf& hash_of) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow(hash_of);
    put(id, hash_of(id));
    ++used_;
  }

  // The id must be there.
  template <class HashOf>
  void erase(std::uint32_t id, const HashOf& hash_of) {
    std::size_t hole = hash_of(id) & mask();
    while (slots_[hole] != id) hole = (hole + 1) & mask();
    for (std::size_t at = (hole + 1) & mask(); slots_[at] != kNoId; at = (at + 1) & mask()) {
      const std::size_t home = hash_of(slots_[at]) & mask();
      // What stands between its home and here may move back only as far as its home.
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = kNoId;
    if (--used_ == 0) clear();
  }

  void clear() {
    std::vector<std::uint32_t>().swap(slots_);
    used_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] std::size_t memory_bytes() const { return slots_.capacity() * sizeof(std::uint32_t); }

 private:
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }

  void put(std::uint32_t id, std::uint32_t hash) {
    std::size_t at = hash & mask();
    while (slots_[at] != kNoId) at = (at + 1) & mask();
    slots_[at] = id;
  }

  template <class HashOf>
  void grow(const HashOf& hash_of) {
    std::vector<std::uint32_t> old(slots_.empty() ? 64 : slots_.size() * 2, kNoId);
    old.swap(slots_);
    for (const std::uint32_t id : old) {
      if (id != kNoId) put(id, hash_of(id));
    }
  }

  std::vector<std::uint32_t> slots_;  // a power of two of them, or none
  std::size_t used_ = 0;
};

// Spreads all bits over the low ones (the finalizer of SplitMix64; public domain, Vigna 2015).
constexpr std::uint32_t spread(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::uint32_t>(z ^ (z >> 31));
}

}  // namespace margay::bgp::rib
