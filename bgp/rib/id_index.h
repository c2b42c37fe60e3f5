// IdIndex: finds numbers by the hash of what they stand for. Open addressing; a slot has the number and its whole hash,
// so that only what is very likely meant is looked at. The keys stay with their owner, who hashes and compares them.
// Linear probing, erasing shifts back, so no tombstones.
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
      const Slot& slot = slots_[at];
      if (slot.id == kNoId || (slot.hash == hash && equal(slot.id))) return slot.id;
    }
  }
  // A find() of this hash is to come.
  void prefetch(std::uint32_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & mask()]);
  }

  // It must not be there.
  void insert(std::uint32_t id, std::uint32_t hash) {
    if ((used_ + 1) * 4 > slots_.size() * 3) grow();
    put({id, hash});
    ++used_;
  }

  // It must be there.
  void erase(std::uint32_t id, std::uint32_t hash) {
    std::size_t hole = hash & mask();
    while (slots_[hole].id != id) hole = (hole + 1) & mask();
    for (std::size_t at = (hole + 1) & mask(); slots_[at].id != kNoId; at = (at + 1) & mask()) {
      const std::size_t home = slots_[at].hash & mask();
      // What stands between its home and here may move back only as far as its home.
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = Slot{};
    if (--used_ == 0) clear();
  }

  void clear() {
    std::vector<Slot>().swap(slots_);
    used_ = 0;
  }
  [[nodiscard]] std::size_t size() const { return used_; }
  [[nodiscard]] std::size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t id = kNoId;
    std::uint32_t hash = 0;
  };
  [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }

  void put(const Slot& slot) {
    std::size_t at = slot.hash & mask();
    while (slots_[at].id != kNoId) at = (at + 1) & mask();
    slots_[at] = slot;
  }

  void grow() {
    std::vector<Slot> old(slots_.empty() ? 16 : slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.id != kNoId) put(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, or none
  std::size_t used_ = 0;
};

// Spreads all bits over the low ones (the finalizer of SplitMix64; public domain, Vigna 2015).
constexpr std::uint32_t spread(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return static_cast<std::uint32_t>(z ^ (z >> 31));
}

}  // namespace margay::bgp::rib
