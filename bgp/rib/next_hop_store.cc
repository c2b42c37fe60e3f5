#include "bgp/rib/next_hop_store.h"

namespace margay::bgp::rib {

std::uint32_t NextHopStore::hash(const NextHop& next_hop) {
  std::uint64_t hash = std::hash<IpAddress>()(next_hop.address);
  if (next_hop.link_local) hash ^= std::hash<IpAddress>()(*next_hop.link_local) * 0x9e3779b97f4a7c15U;
  return spread(hash);
}

NextHopId NextHopStore::intern(const NextHop& next_hop) { return intern(next_hop, kNoId); }

NextHopId NextHopStore::intern(const NextHop& next_hop, NextHopId guess) {
  NextHopId id = guess;
  if (id == kNoId || entries_[id].next_hop != next_hop) {
    id = index_.find(hash(next_hop), [&](NextHopId other) { return entries_[other].next_hop == next_hop; });
  }
  if (id != kNoId) {
    retain(id);
    return id;
  }
  const NextHopId added = entries_.add({next_hop, 1});
  index_.insert(added, hash(next_hop));
  return added;
}

void NextHopStore::remove(NextHopId id) {
  index_.erase(id, hash(entries_[id].next_hop));
  entries_.remove(id);
}

}  // namespace margay::bgp::rib
