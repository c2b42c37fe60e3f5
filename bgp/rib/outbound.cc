#include "bgp/rib/outbound.h"

#include <algorithm>
#include <utility>

namespace margay::bgp::rib {
namespace {

// Who lags hears again when its queue is no longer than this part of a full one.
constexpr std::size_t kRoomToCatchUp = 4;

}  // namespace

void Outbound::join(PeerId peer, const ExportKey& key, bool enhanced_refresh) {
  if (peers_.size() <= peer) peers_.resize(std::size_t{peer} + 1);
  leave(peer);
  PeerOut& out = peers_[peer];
  out.is_up = true;
  out.enhanced_refresh = enhanced_refresh;
  out.group = group_for(key);
}

void Outbound::leave(PeerId peer) {
  if (peer >= peers_.size()) return;
  PeerOut& out = peers_[peer];
  if (out.is_member) out.group->remove_member(peer);
  out = PeerOut{};
  collect_groups();
}

void Outbound::rekey(PeerId peer, const ExportKey& key) {
  PeerOut& out = peers_[peer];
  UpdateGroup* group = group_for(key);
  if (!out.is_member) {
    out.group = group;
  } else {
    out.next_group = group == out.group ? nullptr : group;
  }
  collect_groups();
}

void Outbound::refresh(PeerId peer, Family family) {
  PeerOut& out = peers_[peer];
  // Who has not been dumped to will get it all anyway.
  if (out.is_member && out.group->key().families[family]) out.wants_refresh[family] = true;
}

void Outbound::defer_end_of_rib(bool deferred) {
  is_end_of_rib_deferred_ = deferred;
  if (deferred) return;
  for (std::size_t peer = 0; peer < peers_.size(); ++peer) push_end_of_rib(static_cast<PeerId>(peer));
}

UpdateGroup* Outbound::group_for(const ExportKey& key) {
  for (const auto& group : groups_) {
    if (group->key() == key) return group.get();
  }
  groups_.push_back(std::make_unique<UpdateGroup>(parts_, key));
  return groups_.back().get();
}

void Outbound::collect_groups() {
  std::erase_if(groups_, [this](const auto& group) {
    return std::none_of(peers_.begin(), peers_.end(), [&group](const PeerOut& out) {
      return out.group == group.get() || out.next_group == group.get();
    });
  });
}

void Outbound::mark(Family family, PrefixId prefix) {
  for (const auto& group : groups_) group->mark(family, prefix);
}

bool Outbound::is_blocked(const UpdateGroup& group) const {
  const std::vector<PeerId>& members = group.members();
  return (!members.empty() || group.has_laggards()) &&
         std::all_of(members.begin(), members.end(), [this](PeerId peer) { return is_full(peers_[peer]); });
}

// Whether somebody waits for the group to have nothing pending.
bool Outbound::is_awaited(const UpdateGroup& group) const {
  return std::any_of(peers_.begin(), peers_.end(), [this, &group](const PeerOut& out) {
    if (!out.is_up || (out.group != &group && out.next_group != &group)) return false;
    return !out.is_member || can_move(out) || takes_refresh(out, Family::kIpv4Unicast) ||
           takes_refresh(out, Family::kIpv6Unicast);
  });
}

bool Outbound::is_settled() const {
  return std::none_of(groups_.begin(), groups_.end(), [this](const auto& group) {
    return is_awaited(*group) || (group->has_pending() && !is_blocked(*group));
  });
}

bool Outbound::run(std::size_t steps, bool is_decided) {
  for (const auto& group : groups_) {
    if (group->has_pending() && (!is_blocked(*group) || is_awaited(*group))) flush(*group, steps);
  }
  if (is_decided) settle();
  return is_settled();
}

void Outbound::flush(UpdateGroup& group, std::size_t steps) {
  const std::vector<PeerId> members = group.members();
  for (const PeerId peer : members) {
    if (!is_full(peers_[peer])) continue;
    peers_[peer].is_lagging = true;
    group.begin_lag(peer);
  }
  group.flush(steps, deliver_);
}

void Outbound::settle() {
  for (const auto& group : groups_) {
    if (group->has_pending()) continue;
    serve_joiners(*group);
    for (const Family family : kFamilies) serve_refreshes(*group, family);
  }
  std::vector<std::pair<UpdateGroup*, UpdateGroup*>> moves;
  for (const PeerOut& out : peers_) {
    if (!can_move(out) || out.group->has_pending() || out.next_group->has_pending()) continue;
    const std::pair move(out.group, out.next_group);
    if (std::find(moves.begin(), moves.end(), move) == moves.end()) moves.push_back(move);
  }
  for (const auto& [from, to] : moves) serve_movers(*from, *to);
  if (!moves.empty()) collect_groups();
}

void Outbound::serve_joiners(UpdateGroup& group) {
  Listeners joiners(parts_.tables);
  for (std::size_t peer = 0; peer < peers_.size(); ++peer) {
    const PeerOut& out = peers_[peer];
    if (out.is_up && !out.is_member && out.group == &group) joiners.add(static_cast<PeerId>(peer));
  }
  if (joiners.empty()) return;
  for (const Family family : kFamilies) {
    if (group.key().families[family]) group.dump(family, joiners, deliver_);
  }
  for (const PeerId peer : joiners.peers()) {
    PeerOut& out = peers_[peer];
    out.is_member = true;
    out.owes_end_of_rib = group.key().families;
    group.add_member(peer);
    if (!is_end_of_rib_deferred_) push_end_of_rib(peer);
  }
}

void Outbound::serve_refreshes(UpdateGroup& group, Family family) {
  Listeners askers(parts_.tables);
  for (const PeerId peer : group.members()) {
    if (takes_refresh(peers_[peer], family)) askers.add(peer);
  }
  if (askers.empty()) return;
  for (const PeerId peer : askers.peers()) push_refresh_mark(peer, family, RefreshKind::kBegin);
  group.dump(family, askers, deliver_);
  for (const PeerId peer : askers.peers()) {
    push_refresh_mark(peer, family, RefreshKind::kEnd);
    peers_[peer].wants_refresh[family] = false;
  }
}

void Outbound::serve_movers(UpdateGroup& from, UpdateGroup& to) {
  Listeners movers(parts_.tables);
  for (std::size_t peer = 0; peer < peers_.size(); ++peer) {
    const PeerOut& out = peers_[peer];
    if (out.group == &from && out.next_group == &to && can_move(out)) movers.add(static_cast<PeerId>(peer));
  }
  for (const Family family : kFamilies) {
    if (to.key().families[family]) to.tell_difference(family, from, movers, deliver_);
  }
  for (const PeerId peer : movers.peers()) {
    PeerOut& out = peers_[peer];
    from.remove_member(peer);
    to.add_member(peer);
    out.group = &to;
    out.next_group = nullptr;
  }
}

void Outbound::push(PeerId peer, const Packet& packet, std::size_t updates) {
  PeerOut& out = peers_[peer];
  out.queue.push(packet, updates);
  if (!out.is_announced) with_output_.push_back(peer);
  out.is_announced = true;
}

void Outbound::push_to(std::span<const PeerId> peers, const Audience& audience, const Packet& packet,
                       std::size_t updates) {
  for (const PeerId peer : peers) {
    if (audience.has(peer)) push(peer, packet, updates);
  }
}

void Outbound::push_end_of_rib(PeerId peer) {
  PeerOut& out = peers_[peer];
  for (const Family family : kFamilies) {
    if (!out.owes_end_of_rib[family]) continue;
    std::string bytes;
    encode_end_of_rib(family, bytes);
    push(peer, std::make_shared<const std::string>(std::move(bytes)), 1);
    out.owes_end_of_rib[family] = false;
  }
}

// RFC 7313 §4: only for peers that know it.
void Outbound::push_refresh_mark(PeerId peer, Family family, RefreshKind kind) {
  if (!peers_[peer].enhanced_refresh) return;
  std::string bytes;
  encode_route_refresh({family, kind}, bytes);
  push(peer, std::make_shared<const std::string>(std::move(bytes)), 0);
}

std::vector<Packet> Outbound::take(PeerId peer, std::size_t bytes_max) {
  PeerOut& out = peers_[peer];
  const bool had_room = has_room(out);
  std::vector<Packet> packets = out.queue.take(bytes_max);
  if (out.queue.empty()) out.is_announced = false;
  if (!had_room && out.is_member) catch_up(peer);
  return packets;
}

// There is room again, or some at least.
void Outbound::catch_up(PeerId peer) {
  PeerOut& out = peers_[peer];
  if (out.is_lagging && out.queue.size_bytes() <= queue_bytes_ / kRoomToCatchUp) {
    out.is_lagging = false;
    out.group->end_lag(peer, deliver_);
  }
  if (!has_room(out)) return;
  // What coalesced while nobody in the group read can go now, and the view that was asked for meanwhile.
  if (out.group->has_pending()) flush(*out.group, ~std::size_t{0});
  if (!out.group->has_pending()) {
    for (const Family family : kFamilies) serve_refreshes(*out.group, family);
  }
  if (can_move(out)) with_output_.push_back(peer);
}

UpdateGroup* Outbound::told_by(PeerId peer) const {
  return peer < peers_.size() && peers_[peer].is_member ? peers_[peer].group : nullptr;
}

std::vector<PeerId> Outbound::take_with_output() {
  std::vector<PeerId> peers = std::exchange(with_output_, {});
  std::erase_if(peers, [this](PeerId peer) { return !has_output(peer) && !can_move(peers_[peer]); });
  std::sort(peers.begin(), peers.end());
  peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
  return peers;
}

std::size_t Outbound::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& group : groups_) bytes += group->memory_bytes();
  return bytes;
}

}  // namespace margay::bgp::rib
