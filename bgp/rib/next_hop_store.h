// NextHopStore: each distinct next hop once, by number, with counted references as in AttributeStore.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/core/random.h"
#include "bgp/rib/id_index.h"
#include "bgp/rib/ids.h"
#include "bgp/rib/paged_vector.h"
#include "bgp/wire/nlri.h"

namespace margay::bgp::rib {

class NextHopStore {
 public:
  NextHopId intern(const NextHop& next_hop);
  // The same, when it may well be what `guess` (or kNoId) stands for.
  NextHopId intern(const NextHop& next_hop, NextHopId guess);
  void retain(NextHopId id) { ++entries_[id].references; }
  void release(NextHopId id) {
    if (--entries_[id].references == 0) remove(id);
  }

  const NextHop& operator[](NextHopId id) const { return entries_[id].next_hop; }
  [[nodiscard]] std::size_t size() const { return entries_.used(); }
  [[nodiscard]] std::size_t memory_bytes() const { return entries_.memory_bytes() + index_.memory_bytes(); }

 private:
  struct Entry {
    NextHop next_hop;
    std::uint32_t references = 0;
  };
  [[nodiscard]] std::uint32_t hash(const NextHop& next_hop) const;
  void remove(NextHopId id);

  std::uint64_t hash_key_ = system_seed();  // keyed_hash.h says why
  PagedPool<Entry> entries_;
  IdIndex index_;
};

}  // namespace margay::bgp::rib
