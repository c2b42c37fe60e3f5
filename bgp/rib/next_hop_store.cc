#include "bgp/rib/next_hop_store.h"

namespace margay::bgp::rib {

std::uint32_t NextHopStore::hash(const NextHop& next_hop) const {
  const IpAddress& address = next_hop.address;
  std::uint64_t hash = address.bits().hash(hash_key_ ^ static_cast<std::uint64_t>(address.family()));
  if (next_hop.link_local) hash = next_hop.link_local->bits().hash(hash);
  return static_cast<std::uint32_t>(hash);
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
