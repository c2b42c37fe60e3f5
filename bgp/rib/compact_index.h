// CompactIndex: IdIndex in half the memory, for owners who can say again which hash each of their numbers has. A slot
// is the number in its low bits and, above it, the bits of the hash that do not say where it belongs: numbers are
// dense, so that none is as large as the table has slots. To grow it is emptied and filled again by the owner, without
// the memory of old and new together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bgp/rib/ids.h"

namespace margay::bgp::rib {

class CompactIndex {
 public:
  // The number with this hash for which equal(id) holds, or kNoId.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, const Equal& equal) const {
    if (slots_.empty()) return kNoId;
    for (std::uint32_t at = hash & mask();; at = (at + 1) & mask()) {
      const std::uint32_t slot = slots_[at];
      if (slot == kNoId) return kNoId;
      if (((slot ^ hash) & ~mask()) == 0 && equal(slot & mask())) return slot & mask();
    }
  }
  // A find() of this hash is to come.
  void prefetch(std::uint32_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & mask()]);
  }

  // It must not be there. `all(put)` says put(id, hash) for each number of the owner, the new one too.
  template <class All>
  void insert(std::uint32_t id, std::uint32_t hash, const All& all) {
    ++used_;
    if (used_ * 4 <= slots_.size() * 3) {
      put(id, hash);
      return;
    }
    const std::size_t size = slots_.empty() ? 16 : slots_.size() * 2;
    std::vector<std::uint32_t>().swap(slots_);
    slots_.assign(size, kNoId);
    all([this](std::uint32_t one, std::uint32_t its_hash) { put(one, its_hash); });
  }

  // It must be there.
  template <class HashOf>
  void erase(std::uint32_t id, const HashOf& hash_of) {
    std::uint32_t hole = hash_of(id) & mask();
    while ((slots_[hole] & mask()) != id) hole = (hole + 1) & mask();
    for (std::uint32_t at = (hole + 1) & mask(); slots_[at] != kNoId; at = (at + 1) & mask()) {
      const std::uint32_t home = hash_of(slots_[at] & mask()) & mask();
      // What stands between its home and here may move back only as far as its home.
      if (((at - home) & mask()) < ((at - hole) & mask())) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = kNoId;
    if (--used_ == 0) std::vector<std::uint32_t>().swap(slots_);
  }

  [[nodiscard]] std::size_t memory_bytes() const { return slots_.capacity() * sizeof(std::uint32_t); }

 private:
  [[nodiscard]] std::uint32_t mask() const { return static_cast<std::uint32_t>(slots_.size() - 1); }
  void put(std::uint32_t id, std::uint32_t hash) {
    std::uint32_t at = hash & mask();
    while (slots_[at] != kNoId) at = (at + 1) & mask();
    slots_[at] = (hash & ~mask()) | id;
  }

  std::vector<std::uint32_t> slots_;  // a power of two of them, or none
  std::size_t used_ = 0;
};

}  // namespace margay::bgp::rib
