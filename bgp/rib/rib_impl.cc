#include "bgp/rib/rib_impl.h"

#include <algorithm>
#include <utility>

#include "base/bytes/writer.h"

namespace margay::bgp::rib {
namespace {

// RFC 4486 §4: family and limit.
Notification prefix_limit_reached(Family family, std::uint32_t limit) {
  bytes::Writer writer;
  writer.u16(afi_safi(family).afi);
  writer.u8(afi_safi(family).safi);
  writer.u32(limit);
  Notification notification = cease(cease_subcode::kMaximumPrefixes);
  notification.data = std::string(bytes::text_of(writer.written()));
  return notification;
}

bool changes_import(const PeerPolicy& a, const PeerPolicy& b) {
  return a.import_chain != b.import_chain || a.requires_policy != b.requires_policy || a.cluster_id != b.cluster_id ||
         a.own_asn_allowed != b.own_asn_allowed || a.calico_local_pref != b.calico_local_pref ||
         a.accepts_graceful_shutdown != b.accepts_graceful_shutdown;
}

// RFC 4724 §4.2: routes stay only of the families that both sides said they would keep. An owner who keeps them
// without either capability knows why.
bool keeps(const fsm::Negotiated& negotiated, Family family) {
  const bool has_graceful = negotiated.graceful_restart.has_value();
  const bool has_long_lived =
      negotiated.long_lived[Family::kIpv4Unicast] || negotiated.long_lived[Family::kIpv6Unicast];
  if (!has_graceful && !has_long_lived) return true;
  return (has_graceful && negotiated.graceful_restart->forwarding.contains(afi_safi(family))) ||
         negotiated.long_lived[family].has_value();
}

}  // namespace

Rib::Impl::Impl(RibConfig config, Events events) : config_(config), events_(std::move(events)) {
  kernel_.set_multipath_max(config_.multipath_max);
}

Rib::Impl::Peer* Rib::Impl::known(PeerId peer) { return peer < peers_.size() ? &peers_[peer] : nullptr; }

void Rib::Impl::add_peer(PeerId peer, PeerPolicy policy) {
  if (peers_.size() <= peer) peers_.resize(std::size_t{peer} + 1);
  if (tables_.facts.size() <= peer) tables_.facts.resize(std::size_t{peer} + 1);
  peers_[peer] = Peer{};
  peers_[peer].policy = std::move(policy);
  tables_.facts[peer] = PeerFacts{};
  in_.add_peer(peer);
}

void Rib::Impl::remove_peer(PeerId peer) {
  if (known(peer) == nullptr) return;
  session_down(peer, false);
  peers_[peer] = Peer{};
}

void Rib::Impl::apply_import(PeerId peer) {
  const Peer& known = peers_[peer];
  if (known.session) in_.set_policy(peer, ImportPolicy(known.policy, *known.session, config_));
}

void Rib::Impl::set_policy(PeerId peer, PeerPolicy policy) {
  Peer& known = peers_[peer];
  const PeerPolicy before = std::exchange(known.policy, std::move(policy));
  const bool is_seen_otherwise =
      before.is_client != known.policy.is_client || before.calico_local_pref != known.policy.calico_local_pref;
  tables_.facts[peer].is_client = known.policy.is_client;
  tables_.facts[peer].calico_local_pref = known.policy.calico_local_pref;
  if (changes_import(before, known.policy)) apply_import(peer);
  if (is_seen_otherwise) in_.touch(peer);
  if (!known.is_up) return;
  out_.rekey(peer, make_export_key(known.policy, *known.session, config_));
  known.is_warned = {};
  check_limits(peer);
}

void Rib::Impl::set_config(RibConfig config) {
  config_ = config;
  loc_.set_config(config_);
  kernel_.set_multipath_max(config_.multipath_max);
  out_.set_queue_bytes(config_.queue_bytes);
  for (std::size_t at = 0; at < peers_.size(); ++at) {
    const auto peer = static_cast<PeerId>(at);
    apply_import(peer);
    if (!peers_[at].is_up) continue;
    out_.rekey(peer, make_export_key(peers_[at].policy, *peers_[at].session, config_));
    check_limits(peer);  // import may leave more than before
  }
  dirty_.mark_all();
}

void Rib::Impl::session_up(PeerId peer, const PeerSession& session) {
  Peer& known = peers_[peer];
  known.session = session;
  known.is_up = true;
  known.is_over_limit = false;
  known.is_ignored_said = false;
  known.is_warned = {};
  const fsm::Negotiated& negotiated = session.negotiated;
  PeerFacts& facts = tables_.facts[peer];
  facts.is_internal = negotiated.is_internal;
  facts.is_client = known.policy.is_client;
  facts.is_directly_connected = session.is_directly_connected;
  facts.calico_local_pref = known.policy.calico_local_pref;
  facts.router_id = negotiated.remote_id;
  facts.asn = negotiated.remote_asn;
  facts.address = session.peer_address;
  facts.local_address = session.local_address;
  apply_import(peer);
  for (const Family family : kFamilies) {
    if (!negotiated.families[family]) in_.drop(peer, family);
  }
  out_.join(peer, make_export_key(known.policy, session, config_), negotiated.enhanced_route_refresh);
}

void Rib::Impl::session_down(PeerId peer, bool keep_stale) {
  Peer& known = peers_[peer];
  if (!known.is_up && keep_stale) return;  // they are kept already
  out_.leave(peer);
  known.is_up = false;
  for (const Family family : kFamilies) {
    if (keep_stale && known.session && keeps(known.session->negotiated, family)) {
      in_.mark_stale(peer, family);
    } else {
      in_.drop(peer, family);
    }
  }
}

void Rib::Impl::receive(PeerId peer, const Update& update) {
  if (!peers_[peer].is_up) return;
  receive_routes(peer, update);
  if (update.end_of_rib) in_.drop_stale(peer, *update.end_of_rib);
  check_limits(peer);
}

void Rib::Impl::receive_routes(PeerId peer, const Update& update) {
  const PerFamily<std::uint64_t> before = in_.counts(peer).ignored;
  in_.receive(peer, update);
  if (in_.counts(peer).ignored == before || std::exchange(peers_[peer].is_ignored_said, true)) return;
  if (events_.on_paths_ignored) events_.on_paths_ignored(peer, in_.last_ignored());
}

void Rib::Impl::receive(PeerId peer, const RouteRefresh& refresh) {
  if (!peers_[peer].is_up) return;
  switch (refresh.kind) {
    case RefreshKind::kRequest: out_.refresh(peer, refresh.family); break;
    case RefreshKind::kBegin: in_.begin_refresh(peer, refresh.family); break;
    case RefreshKind::kEnd: in_.end_refresh(peer, refresh.family); break;
  }
}

void Rib::Impl::check_limits(PeerId peer) {
  for (const Family family : kFamilies) {
    if (!peers_[peer].is_up || peers_[peer].is_over_limit) return;  // the owner may have ended the session
    check_limit(peer, family);
  }
}

void Rib::Impl::check_limit(PeerId peer, Family family) {
  const PrefixLimit limit = peers_[peer].policy.prefix_limit[family];
  const InCounts& counts = in_.counts(peer);
  const struct {
    std::uint32_t max;
    std::uint64_t count;
  } limits[] = {{limit.max, counts.received[family]}, {limit.max_accepted, counts.accepted[family]}};
  std::uint64_t near = 0;
  for (const auto& [max, count] : limits) {
    const bool is_near = count * 100 > std::uint64_t{max} * static_cast<std::uint64_t>(limit.warn_percent);
    if (max != 0 && is_near && near == 0) near = count;
  }
  const bool is_news = near != 0 && !peers_[peer].is_warned[family];
  peers_[peer].is_warned[family] = near != 0;
  if (is_news && events_.on_limit_warning) events_.on_limit_warning(peer, family, near);
  for (const auto& [max, count] : limits) {
    if (max == 0 || count <= max) continue;
    peers_[peer].is_over_limit = true;
    if (events_.on_overrun) events_.on_overrun(peer, prefix_limit_reached(family, max));
    return;
  }
}

void Rib::Impl::defer_end_of_rib(bool deferred) {
  out_.defer_end_of_rib(deferred);
  tell_owner();
}

bool Rib::Impl::run(std::size_t steps) {
  std::vector<RouteChange> changes;
  if (events_.on_routes) changes.reserve(std::min(steps, dirty_.size()));
  dirty_.work_off(steps, [&](Family family, PrefixId prefix) {
    loc_.decide(family, prefix);
    if (events_.on_routes) kernel_.update(family, prefix, changes);
    out_.mark(family, prefix);
  });
  const bool is_decided = dirty_.empty();
  const bool is_settled = out_.run(steps, is_decided);
  if (!changes.empty()) events_.on_routes(std::move(changes));
  tell_owner();
  return is_decided && is_settled;
}

void Rib::Impl::tell_routes_again() {
  if (events_.on_routes) events_.on_routes(kernel_.all());
}

void Rib::Impl::tell_owner() {
  for (const PeerId peer : out_.take_with_output()) {
    if (events_.on_output) events_.on_output(peer);
  }
}

std::vector<Packet> Rib::Impl::take(PeerId peer, std::size_t bytes_max) {
  if (known(peer) == nullptr || !peers_[peer].is_up) return {};
  std::vector<Packet> packets = out_.take(peer, bytes_max);
  tell_owner();
  return packets;
}

}  // namespace margay::bgp::rib
