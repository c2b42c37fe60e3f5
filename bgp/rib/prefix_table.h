// PrefixTable: prefixes of one family by number. A number stays as long as somebody needs it: paths lead there, it
// waits to be decided, or somebody holds it (an Adj-RIB-Out that has told of it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/core/random.h"
#include "base/ip/prefix.h"
#include "bgp/rib/compact_index.h"
#include "bgp/rib/id_index.h"
#include "bgp/rib/ids.h"
#include "bgp/rib/paged_vector.h"
#include "bgp/wire/family.h"

namespace margay::bgp::rib {

struct PrefixEntry {
  PathId first_path = kNoId;         // the best, once decided
  std::uint32_t best_route = kNoId;  // what the owner of the kernel's routes was told (BestRouteStore)
  std::uint16_t holders = 0;
  bool is_dirty = false;
  bool is_used = false;
};

class PrefixTable {
 public:
  explicit PrefixTable(Family family) : family_(family) {}

  [[nodiscard]] PrefixId find(const IpPrefix& prefix) const;
  PrefixId find_or_add(const IpPrefix& prefix);
  // A look for it is to come.
  void prefetch(const IpPrefix& prefix) const;
  [[nodiscard]] IpPrefix prefix(PrefixId id) const;
  [[nodiscard]] int length(PrefixId id) const;

  PrefixEntry& operator[](PrefixId id) { return entries_[id]; }
  const PrefixEntry& operator[](PrefixId id) const { return entries_[id]; }
  void hold(PrefixId id) { ++entries_[id].holders; }
  void unhold(PrefixId id) {
    --entries_[id].holders;
    collect(id);
  }
  // Forgets it if nobody needs it.
  void collect(PrefixId id);

  // All numbers in use are below.
  [[nodiscard]] PrefixId limit() const { return ids_.limit(); }
  [[nodiscard]] std::size_t size() const { return ids_.used(); }
  // All that are in use, ordered by prefix.
  [[nodiscard]] std::vector<PrefixId> sorted() const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct Key6 {
    Bits bits;
    std::uint8_t length = 0;
  };
  [[nodiscard]] std::uint32_t hash4(std::uint64_t key) const { return spread(key ^ hash_key_); }
  [[nodiscard]] std::uint32_t hash6(const Bits& bits, int length) const {
    return static_cast<std::uint32_t>(bits.hash(static_cast<std::uint64_t>(length) ^ hash_key_));
  }
  [[nodiscard]] std::uint32_t hash_of(PrefixId id) const;
  void set_key(PrefixId id, const IpPrefix& prefix);

  Family family_;
  std::uint64_t hash_key_ = system_seed();  // keyed_hash.h says why
  PagedVector<PrefixEntry> entries_;
  PagedVector<std::uint64_t> keys4_;  // address and length
  PagedVector<Key6> keys6_;
  IdAllocator ids_;
  CompactIndex index_;
};

}  // namespace margay::bgp::rib
