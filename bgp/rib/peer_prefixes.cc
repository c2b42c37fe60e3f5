#include "bgp/rib/peer_prefixes.h"

namespace margay::bgp::rib {
namespace {

// How many that are gone are no reason yet to tidy.
constexpr std::size_t kSlack = 64;

PathId first_path_of(const Tables& tables, Family family, PeerId peer, PrefixId prefix) {
  const PrefixTable& prefixes = tables.prefixes[family];
  if (prefix >= prefixes.limit() || !prefixes[prefix].is_used) return kNoId;
  PathId id = prefixes[prefix].first_path;
  while (id != kNoId && tables.paths[id].peer != peer) id = tables.paths[id].next;
  return id;
}

}  // namespace

void PeerPrefixes::add(Tables& tables, Family family, PeerId peer, PrefixId prefix) {
  if (ids_.size() > 2 * count_ + kSlack) tidy(tables, family, peer);
  ids_.push_back(prefix);
  ++count_;
}

void PeerPrefixes::path_removed(const Tables& tables, Family family, PeerId peer, PrefixId prefix) {
  if (first_path_of(tables, family, peer, prefix) != kNoId) return;
  if (--count_ == 0) std::vector<PrefixId>().swap(ids_);
}

void PeerPrefixes::tidy(Tables& tables, Family family, PeerId peer) {
  if (ids_.size() == count_) return;
  std::erase_if(ids_, [&](PrefixId prefix) {
    const PathId path = first_path_of(tables, family, peer, prefix);
    if (path == kNoId || tables.paths[path].is_counted) return true;
    tables.paths[path].is_counted = true;
    return false;
  });
  for (const PrefixId prefix : ids_) tables.paths[first_path_of(tables, family, peer, prefix)].is_counted = false;
}

}  // namespace margay::bgp::rib
