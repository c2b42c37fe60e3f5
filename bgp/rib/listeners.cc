#include "bgp/rib/listeners.h"

#include <algorithm>
#include <array>

namespace margay::bgp::rib {

void Listeners::add(PeerId peer) {
  if (has(peer)) return;
  if (is_in_.size() <= peer) is_in_.resize(std::size_t{peer} + 1);
  is_in_[peer] = true;
  peers_.insert(std::upper_bound(peers_.begin(), peers_.end(), peer), peer);
  const std::pair entry(tables_.facts[peer].router_id.value(), peer);
  by_router_id_.insert(std::upper_bound(by_router_id_.begin(), by_router_id_.end(), entry), entry);
}

void Listeners::remove(PeerId peer) {
  if (!has(peer)) return;
  is_in_[peer] = false;
  std::erase(peers_, peer);
  std::erase_if(by_router_id_, [peer](const auto& entry) { return entry.second == peer; });
}

PeerId Listeners::with_router_id(std::uint32_t router_id) const {
  const auto at = std::lower_bound(by_router_id_.begin(), by_router_id_.end(), std::pair(router_id, PeerId{0}));
  return at != by_router_id_.end() && at->first == router_id ? at->second : kNoPeer;
}

Listeners::Excluded Listeners::excluded(const Told& told) const {
  Excluded result;
  if (!told.exists()) return result;
  if (has(told.source)) result.source = told.source;
  if (told.has_originator) {
    const PeerId originator = with_router_id(tables_.attributes[told.attributes].originator_id);
    if (originator != result.source) result.originator = originator;
  }
  return result;
}

void Listeners::tell_all(Packer& packer, const Excluded& but, const Told& told, Packer::Destination destination) const {
  const std::size_t left_out = (but.source != kNoPeer ? 1U : 0U) + (but.originator != kNoPeer ? 1U : 0U);
  if (peers_.size() <= left_out) return;
  const Audience audience = Audience::all_but(but.source, but.originator);
  if (told.exists()) {
    packer.announce(audience, told.attributes, told.next_hop, destination);
  } else {
    packer.withdraw(audience, destination);
  }
}

void Listeners::tell(Packer& packer, const Told& before, const Told& now, Packer::Destination destination) const {
  if (peers_.empty() || (!before.exists() && !now.exists())) return;
  const Excluded not_before = excluded(before);
  const Excluded not_now = excluded(now);
  const bool is_same = before.attributes == now.attributes && before.next_hop == now.next_hop;
  if (!now.exists()) {
    tell_all(packer, not_before, now, destination);
    return;
  }
  if (!is_same) {
    tell_all(packer, not_now, now, destination);
  } else {
    for (const PeerId peer : {not_before.source, not_before.originator}) {
      if (peer == kNoPeer || not_now.has(peer)) continue;
      packer.announce(Audience::just(peer), now.attributes, now.next_hop, destination);
    }
  }
  if (!before.exists()) return;
  for (const PeerId peer : {not_now.source, not_now.originator}) {
    if (peer != kNoPeer && !not_before.has(peer)) packer.withdraw(Audience::just(peer), destination);
  }
}

bool hears(const Tables& tables, PeerId peer, const Told& told) {
  if (!told.exists() || told.source == peer) return false;
  return !told.has_originator ||
         tables.attributes[told.attributes].originator_id != tables.facts[peer].router_id.value();
}

}  // namespace margay::bgp::rib
