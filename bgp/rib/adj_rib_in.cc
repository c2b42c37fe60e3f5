#include "bgp/rib/adj_rib_in.h"

#include <algorithm>
#include <utility>

namespace margay::bgp::rib {
namespace {

// Of one prefix from one peer (add-path). Each costs a step whenever the peer speaks of the prefix; no honest peer
// comes near.
constexpr std::size_t kPathsMax = 4096;

// Destinations that are looked for in memory before they are needed.
constexpr std::size_t kAhead = 8;

}  // namespace

AdjRibIn::~AdjRibIn() {
  for (PeerIn& peer : peers_) forget_recent(peer);
}

void AdjRibIn::add_peer(PeerId peer) {
  if (peers_.size() <= peer) peers_.resize(std::size_t{peer} + 1);
  forget_recent(peers_[peer]);
  peers_[peer] = PeerIn{};
}

void AdjRibIn::forget_recent(PeerIn& peer) {
  if (peer.recent_attributes != kNoId) tables_.attributes.release(peer.recent_attributes);
  if (peer.recent_next_hop != kNoId) tables_.next_hops.release(peer.recent_next_hop);
  peer.recent_attributes = kNoId;
  peer.recent_next_hop = kNoId;
}

template <class Visit>
void AdjRibIn::for_each(PeerId peer, Family family, const Visit& visit) {
  PrefixTable& prefixes = tables_.prefixes[family];
  peers_[peer].prefixes[family].for_each(tables_, family, peer, [&](PrefixId prefix) {
    ++prefixes_walked_;
    for (PathId id = prefixes[prefix].first_path; id != kNoId;) {
      const PathId next = tables_.paths[id].next;
      if (tables_.paths[id].peer == peer) visit(prefix, id);
      id = next;
    }
  });
}

AdjRibIn::Found AdjRibIn::find(Family family, PrefixId prefix, PeerId peer, std::uint32_t path_id) const {
  Found found{tables_.prefixes[family][prefix].first_path, 0};
  for (; found.path != kNoId; found.path = tables_.paths[found.path].next) {
    if (tables_.paths[found.path].peer != peer) continue;
    if (tables_.paths[found.path].path_id == path_id) break;
    ++found.others;
  }
  return found;
}

std::size_t AdjRibIn::memory_bytes() const {
  std::size_t bytes = 0;
  for (const PeerIn& peer : peers_) {
    for (const Family family : kFamilies) bytes += peer.prefixes[family].memory_bytes();
  }
  return bytes;
}

bool AdjRibIn::has_other_path(Family family, PrefixId prefix, PathId id, PeerId peer, bool must_be_usable) const {
  if (!peers_[peer].has_path_ids[family]) return false;
  for (PathId at = tables_.prefixes[family][prefix].first_path; at != kNoId; at = tables_.paths[at].next) {
    const Path& path = tables_.paths[at];
    if (path.peer == peer && at != id && (path.is_usable() || !must_be_usable)) return true;
  }
  return false;
}

void AdjRibIn::count(Family family, PrefixId prefix, PathId id, const Path& path, int sign) {
  if (path.is_local()) return;
  InCounts& counts = peers_[path.peer].counts;
  const auto step = static_cast<std::uint64_t>(sign);  // wraps as it should
  counts.paths[family] += step;
  if (!has_other_path(family, prefix, id, path.peer, false)) counts.received[family] += step;
  if (path.is_usable() && !has_other_path(family, prefix, id, path.peer, true)) counts.accepted[family] += step;
  if (path.is_stale) counts.stale[family] += step;
}

void AdjRibIn::receive(PeerId peer, const Update& update) {
  for (const Family family : kFamilies) {
    for (const Nlri& nlri : update.withdrawn[family]) withdraw(peer, family, nlri);
    if (!update.reach[family].nlri.empty()) receive_family(peer, family, update);
  }
}

void AdjRibIn::receive_family(PeerId peer, Family family, const Update& update) {
  PeerIn& in = peers_[peer];
  const Reach& reach = update.reach[family];
  const AttributeId received = tables_.attributes.intern(bytes::view_of(update.attributes), in.recent_attributes);
  const NextHopId next_hop = tables_.next_hops.intern(reach.next_hop, in.recent_next_hop);
  forget_recent(in);
  in.recent_attributes = received;
  in.recent_next_hop = next_hop;

  const Arrival arrival{peer, family, received, next_hop};
  const bool looks_at_prefix = in.policy.looks_at_prefix(family);
  const PrefixTable& prefixes = tables_.prefixes[family];
  ImportResult result;
  for (std::size_t at = 0; at < reach.nlri.size() && at < kAhead; ++at) prefixes.prefetch(reach.nlri[at].prefix);
  for (std::size_t at = 0; at < reach.nlri.size(); ++at) {
    const Nlri& nlri = reach.nlri[at];
    if (at + kAhead < reach.nlri.size()) prefixes.prefetch(reach.nlri[at + kAhead].prefix);
    if (looks_at_prefix || result.attributes == kNoId) {
      if (result.attributes != kNoId) tables_.attributes.release(result.attributes);
      result = in.policy.evaluate(tables_.attributes, nlri.prefix, received, reach.next_hop);
    }
    put(arrival, nlri, result);
  }
  tables_.attributes.release(result.attributes);
}

void AdjRibIn::put(const Arrival& arrival, const Nlri& nlri, const ImportResult& result) {
  const PrefixId prefix = tables_.prefixes[arrival.family].find_or_add(nlri.prefix);
  const Found found = find(arrival.family, prefix, arrival.peer, nlri.path_id);
  if (found.path != kNoId) {
    Path& path = tables_.paths[found.path];
    path.awaits_refresh = false;
    if (path.is_stale) --peers_[arrival.peer].counts.stale[arrival.family];
    path.is_stale = false;
    const bool is_same = path.received == arrival.received && path.next_hop == arrival.next_hop &&
                         path.attributes == result.attributes && path.rejection == result.rejection &&
                         path.is_priority_ours == result.is_priority_ours && !path.is_long_lived;
    if (is_same) return;
    replace(arrival, prefix, found.path, result);
  } else if (found.others >= kPathsMax) {
    ++peers_[arrival.peer].counts.ignored[arrival.family];
    last_ignored_ = nlri.prefix;
    return;
  } else {
    if (found.others == 0 && arrival.peer != kLocalPeer) {
      peers_[arrival.peer].prefixes[arrival.family].add(tables_, arrival.family, arrival.peer, prefix);
    }
    add(arrival, prefix, nlri, result);
  }
  dirty_.mark(arrival.family, prefix);
}

void AdjRibIn::add(const Arrival& arrival, PrefixId prefix, const Nlri& nlri, const ImportResult& result) {
  PrefixEntry& entry = tables_.prefixes[arrival.family][prefix];
  Path path;
  path.next = entry.first_path;
  path.peer = arrival.peer;
  path.path_id = nlri.path_id;
  path.received = arrival.received;
  path.attributes = result.attributes;
  path.next_hop = arrival.next_hop;
  path.rejection = result.rejection;
  path.is_priority_ours = result.is_priority_ours;
  tables_.attributes.retain(path.received);
  tables_.attributes.retain(path.attributes);
  if (path.next_hop != kNoId) tables_.next_hops.retain(path.next_hop);
  if (path.path_id != 0 && !path.is_local()) peers_[path.peer].has_path_ids[arrival.family] = true;
  count(arrival.family, prefix, kNoId, path, 1);
  entry.first_path = tables_.paths.add(path);
}

void AdjRibIn::replace(const Arrival& arrival, PrefixId prefix, PathId id, const ImportResult& result) {
  Path& path = tables_.paths[id];
  const Path before = path;
  path.received = arrival.received;
  path.attributes = result.attributes;
  path.next_hop = arrival.next_hop;
  path.rejection = result.rejection;
  path.is_priority_ours = result.is_priority_ours;
  path.is_long_lived = false;
  tables_.attributes.retain(path.received);
  tables_.attributes.retain(path.attributes);
  if (path.next_hop != kNoId) tables_.next_hops.retain(path.next_hop);
  tables_.attributes.release(before.received);
  tables_.attributes.release(before.attributes);
  if (before.next_hop != kNoId) tables_.next_hops.release(before.next_hop);
  count(arrival.family, prefix, id, before, -1);
  count(arrival.family, prefix, id, path, 1);
}

void AdjRibIn::withdraw(PeerId peer, Family family, const Nlri& nlri) {
  const PrefixId prefix = tables_.prefixes[family].find(nlri.prefix);
  if (prefix == kNoId) return;
  const PathId id = find(family, prefix, peer, nlri.path_id).path;
  if (id != kNoId) remove(family, prefix, id);
}

void AdjRibIn::remove(Family family, PrefixId prefix, PathId id) {
  const Path path = tables_.paths[id];
  PathId* link = &tables_.prefixes[family][prefix].first_path;
  while (*link != id) link = &tables_.paths[*link].next;
  *link = path.next;
  count(family, prefix, kNoId, path, -1);
  if (!path.is_local()) peers_[path.peer].prefixes[family].path_removed(tables_, family, path.peer, prefix);
  tables_.paths.remove(id);
  tables_.attributes.release(path.received);
  tables_.attributes.release(path.attributes);
  if (path.next_hop != kNoId) tables_.next_hops.release(path.next_hop);
  dirty_.mark(family, prefix);
}

void AdjRibIn::judge(Family family, PrefixId prefix, PathId id) {
  Path& path = tables_.paths[id];
  const ImportResult result = peers_[path.peer].policy.evaluate(
      tables_.attributes, tables_.prefixes[family].prefix(prefix), path.received, tables_.next_hops[path.next_hop]);
  const Path before = path;
  path.attributes = result.attributes;  // its reference comes with it
  path.rejection = result.rejection;
  path.is_priority_ours = result.is_priority_ours;
  if (path.is_long_lived) add_stale_community(id);
  if (path.attributes != result.attributes) tables_.attributes.release(result.attributes);
  tables_.attributes.release(before.attributes);
  count(family, prefix, id, before, -1);
  count(family, prefix, id, path, 1);
  dirty_.mark(family, prefix);
}

void AdjRibIn::set_policy(PeerId peer, ImportPolicy policy) {
  peers_[peer].policy = std::move(policy);
  for (const Family family : kFamilies) {
    for_each(peer, family, [&](PrefixId prefix, PathId id) { judge(family, prefix, id); });
  }
}

void AdjRibIn::touch(PeerId peer) {
  for (const Family family : kFamilies) {
    for_each(peer, family, [&](PrefixId prefix, PathId) { dirty_.mark(family, prefix); });
  }
}

// RFC 7313 §4: what restart left behind is not the refresh's to sweep.
void AdjRibIn::begin_refresh(PeerId peer, Family family) {
  for_each(peer, family, [&](PrefixId, PathId id) {
    Path& path = tables_.paths[id];
    path.awaits_refresh = !path.is_stale;
  });
}

void AdjRibIn::end_refresh(PeerId peer, Family family) {
  for_each(peer, family, [&](PrefixId prefix, PathId id) {
    if (tables_.paths[id].awaits_refresh) remove(family, prefix, id);
  });
}

void AdjRibIn::drop(PeerId peer, Family family) {
  forget_recent(peers_[peer]);
  for_each(peer, family, [&](PrefixId prefix, PathId id) { remove(family, prefix, id); });
}

void AdjRibIn::mark_stale(PeerId peer, Family family) {
  forget_recent(peers_[peer]);
  for_each(peer, family, [&](PrefixId prefix, PathId id) {
    Path& path = tables_.paths[id];
    if (path.is_stale && !path.is_long_lived) return remove(family, prefix, id);
    if (!path.is_stale) ++peers_[peer].counts.stale[family];
    path.is_stale = true;
    path.awaits_refresh = false;
  });
}

void AdjRibIn::drop_stale(PeerId peer, Family family) {
  if (peers_[peer].counts.stale[family] == 0) return;
  for_each(peer, family, [&](PrefixId prefix, PathId id) {
    if (tables_.paths[id].is_stale) remove(family, prefix, id);
  });
}

// RFC 9494 §4.2.
void AdjRibIn::begin_long_lived(PeerId peer, Family family) {
  for_each(peer, family, [&](PrefixId prefix, PathId id) {
    Path& path = tables_.paths[id];
    if (!path.is_stale || path.is_long_lived) return;
    if (tables_.attributes[path.received].has(AttributeRecord::kNoLlgr)) {
      remove(family, prefix, id);
      return;
    }
    path.is_long_lived = true;
    const AttributeId before = path.attributes;
    add_stale_community(id);
    if (path.attributes != before) tables_.attributes.release(before);
    dirty_.mark(family, prefix);
  });
}

// Takes a reference for the new set, and leaves the caller to give back the old one's.
void AdjRibIn::add_stale_community(PathId id) {
  Path& path = tables_.paths[id];
  const AttributeRecord& record = tables_.attributes[path.attributes];
  if (record.has(AttributeRecord::kLlgrStale)) return;
  AttributeEditor editor(record.view());
  editor.add_community(kLlgrStale);
  path.attributes = tables_.attributes.intern(bytes::view_of(editor.finish()));
}

AttributeId AdjRibIn::local_attributes(const LocalRoute& route) {
  AttributeEditor editor;
  editor.set_origin(Origin::kIgp);
  editor.set_as_path({});
  const bool is_below_all = route.priority > kLocalPrefOfPriorityZero;
  editor.set_local_pref(is_below_all ? 0 : kLocalPrefOfPriorityZero - route.priority);
  for (const std::uint32_t community : route.communities) editor.add_community(community);
  for (const LargeCommunity& community : route.large_communities) editor.add_community(community);
  return tables_.attributes.intern(bytes::view_of(editor.finish()));
}

std::uint32_t AdjRibIn::interface_place(std::string_view name) {
  const auto found = std::find(tables_.interfaces.begin(), tables_.interfaces.end(), name);
  if (found != tables_.interfaces.end()) return static_cast<std::uint32_t>(found - tables_.interfaces.begin());
  tables_.interfaces.emplace_back(name);
  return static_cast<std::uint32_t>(tables_.interfaces.size() - 1);
}

void AdjRibIn::put_local(const LocalRoute& route) {
  const Family family = family_of(route.prefix.family());
  const Arrival arrival{kLocalPeer, family, local_attributes(route), kNoId};
  ImportResult result;
  result.attributes = arrival.received;
  put(arrival, {route.prefix, interface_place(route.interface)}, result);
  tables_.attributes.release(arrival.received);
}

// One route a prefix: of two, the last counts.
void AdjRibIn::set_local(const std::vector<LocalRoute>& routes) {
  std::vector<LocalRoute> wanted = routes;
  const auto by_prefix = [](const LocalRoute& a, const LocalRoute& b) { return a.prefix < b.prefix; };
  std::stable_sort(wanted.begin(), wanted.end(), by_prefix);
  auto end = wanted.begin();
  for (auto at = wanted.begin(); at != wanted.end(); ++at) {
    const bool is_last = std::next(at) == wanted.end() || std::next(at)->prefix != at->prefix;
    if (is_last && end != at) *end = std::move(*at);
    if (is_last) ++end;
  }
  wanted.erase(end, wanted.end());

  for (const LocalRoute& old : local_) {
    const auto same = std::lower_bound(wanted.begin(), wanted.end(), old, by_prefix);
    if (same != wanted.end() && *same == old) continue;
    withdraw(kLocalPeer, family_of(old.prefix.family()), {old.prefix, interface_place(old.interface)});
  }
  for (const LocalRoute& route : wanted) put_local(route);
  local_ = std::move(wanted);
}

}  // namespace margay::bgp::rib
