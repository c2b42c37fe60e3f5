#include "bgp/speaker/managed_peer.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::bgp {
namespace {

Notification shutdown_of(const PeerSettings& settings) {
  return cease(cease_subcode::kAdministrativeShutdown, settings.shutdown_text);
}

}  // namespace

ManagedPeer::ManagedPeer(Parts parts, Identity identity, PeerSettings settings, const SpeakerFacts& facts,
                         Events events)
    : parts_(std::move(parts)),
      identity_(identity),
      settings_(std::move(settings)),
      facts_(facts),
      events_(std::move(events)),
      stale_(parts_.loop, parts_.rib, identity_.id,
             [this] {
               events_.on_work();
               events_.on_change();
             }),
      limit_restart_(parts_.loop.make_timer([this] { end_limit_pause(); })) {
  driver_ = std::make_unique<session::SessionDriver>(
      session::SessionDriver::Parts{parts_.loop, parts_.random, parts_.transport, parts_.rib,
                                    parts_.log.with({{"peer", identity_.key.address}, {"name", settings_.name}})},
      identity_.id, driver_settings(identity_.key, settings_, facts_, facts_.recovering),
      session::SessionDriver::Events{
          [this](const fsm::Negotiated& session, const session::Connection& connection) { on_up(session, connection); },
          [this](const fsm::DownReason& reason) { on_down(reason); }, [this] { events_.on_change(); },
          [this](Family family) { on_end_of_rib(family); }, [this] { events_.on_work(); }});
}

ManagedPeer::~ManagedPeer() = default;

void ManagedPeer::start() {
  if (!settings_.is_shut_down) driver_->start();
}

void ManagedPeer::refresh_driver() {
  // Our forwarding state outlives sessions; it did not outlive a first start without a life before.
  const bool was_up = driver_->machine().times_established() > 0;
  const bool keeps_forwarding = facts_.recovering || was_up;
  SpeakerFacts facts = facts_;
  // Whoever comes late must hear of the restart, too (RFC 4724 §4.1).
  facts.restarting |= facts_.recovering && !was_up;
  driver_->set_settings(driver_settings(identity_.key, settings_, facts, keeps_forwarding));
}

void ManagedPeer::set_facts(const SpeakerFacts& facts) {
  facts_ = facts;
  refresh_driver();
}

void ManagedPeer::change(PeerSettings settings, const SpeakerFacts& facts) {
  const PeerChange change = compare(settings_, settings);
  const bool was_passive = settings_.passive, was_shut_down = settings_.is_shut_down;
  const bool bfd_changed = settings_.bfd != settings.bfd;
  const bool limit_changed = settings_.policy.prefix_limit != settings.policy.prefix_limit;
  const bool is_another_speaker = facts_.asn != facts.asn || facts_.router_id != facts.router_id;
  // Equal rules stay the very same chains, so that the RIB does not look at the routes again.
  if (!change.routes) settings.policy = settings_.policy;
  settings_ = std::move(settings);
  facts_ = facts;
  refresh_driver();
  if (change.routes) {
    parts_.rib.set_policy(identity_.id, settings_.policy);
    events_.on_work();
  }
  if (bfd_changed && (watch_ == nullptr || !watch_->change(settings_.bfd))) watch_liveness();
  if (settings_.is_shut_down) {
    if (!was_shut_down) stop(shutdown_of(settings_));
    return;
  }
  if (was_shut_down) return driver_->start();
  if (change.session || is_another_speaker) {
    reset(cease(cease_subcode::kOtherConfigurationChange));
  } else if (is_over_limit_) {
    if (limit_changed) end_limit_pause();
  } else if (was_passive && !settings_.passive) {
    driver_->start();
  }
}

void ManagedPeer::reset(Notification reason) {
  if (settings_.is_shut_down) return;
  driver_->reset(std::move(reason));
  end_limit_pause();
}

// Also what an admin or another limit ends early.
void ManagedPeer::end_limit_pause() {
  limit_restart_->disarm();
  is_over_limit_ = false;
  driver_->start();
}

void ManagedPeer::stop(Notification reason) {
  limit_restart_->disarm();
  is_over_limit_ = false;
  driver_->stop(std::move(reason));
  if (!stale_.is_keeping()) return;
  stale_.forget();
  for (const Family family : kFamilies) parts_.rib.drop_stale(identity_.id, family);
  events_.on_work();
}

void ManagedPeer::accept(std::unique_ptr<session::Connection> connection) { driver_->accept(std::move(connection)); }

void ManagedPeer::overrun(const Notification& reason) {
  if (!is_up()) return;
  if (reason.subcode != cease_subcode::kMaximumPrefixes) return driver_->reset(reason);
  is_over_limit_ = true;  // first: a dynamic peer must not be taken for one that is over
  driver_->stop(reason);
  std::optional<Duration> wait;
  for (const Family family : kFamilies) {
    const auto& after = settings_.policy.prefix_limit[family].restart_after;
    if (after) wait = std::max(wait.value_or(Duration{}), *after);
  }
  if (wait) limit_restart_->arm(*wait);
}

void ManagedPeer::on_up(const fsm::Negotiated& session, const session::Connection& connection) {
  has_end_of_rib_ = {};
  last_session_ = session;
  const auto facts = parts_.transport.link_facts(connection.local().address, connection.remote().address);
  parts_.rib.session_up(identity_.id, peer_session(session, connection.local(), connection.remote(), facts));
  stale_.session_up(session);
  refresh_driver();
  watch_liveness();
  events_.on_work();
  events_.on_change();
}

void ManagedPeer::on_down(const fsm::DownReason& reason) {
  const bool is_dropped = std::exchange(drops_routes_, false);
  const bool keeps = reason.keeps_routes && !is_dropped && last_session_;
  // The watch may be what told us: it goes once it has returned.
  if (watch_ != nullptr) parts_.loop.post([old = std::shared_ptr<LivenessMonitor::Watch>(std::move(watch_))] {});
  parts_.rib.session_down(identity_.id, keeps);
  if (keeps) {
    stale_.session_down(*last_session_);
  } else {
    stale_.forget();
  }
  events_.on_work();
  events_.on_change();
}

void ManagedPeer::on_end_of_rib(Family family) {
  has_end_of_rib_[family] = true;
  stale_.end_of_rib(family);
  events_.on_change();
}

void ManagedPeer::watch_liveness() {
  watch_.reset();
  const session::Connection* const connection = driver_->connection();
  if (!settings_.bfd || parts_.liveness == nullptr || connection == nullptr) return;
  const IpAddress local = connection->local().address, remote = connection->remote().address;
  const bool is_multihop = !parts_.transport.link_facts(local, remote).is_directly_connected;
  watch_ = parts_.liveness->watch(remote, local, is_multihop, *settings_.bfd,
                                  [this, alive = std::weak_ptr<bool>(alive_)](bool is_independent) {
                                    parts_.loop.post([this, alive, is_independent] {
                                      if (!alive.expired()) on_liveness_lost(is_independent);
                                    });
                                  });
}

// RFC 5882 §4.3: a peer whose BFD lives apart from its BGP is really gone, routes and all; otherwise it may only be
// restarting.
void ManagedPeer::on_liveness_lost(bool is_control_plane_independent) {
  if (!is_up() || !settings_.bfd) return;
  ++bfd_downs_;
  drops_routes_ = is_control_plane_independent;
  driver_->lost("BFD session down");
}

bool ManagedPeer::is_settled() const {
  if (settings_.is_shut_down) return true;
  const fsm::Negotiated* const session = driver_->machine().session();
  if (session == nullptr) return !settings_.restart_time && !facts_.restarting;
  if (!session->graceful_restart || session->graceful_restart->restarting) return true;
  return std::all_of(kFamilies.begin(), kFamilies.end(),
                     [&](Family family) { return !session->families[family] || has_end_of_rib_[family]; });
}

bool ManagedPeer::is_over() const {
  return identity_.is_dynamic && !is_over_limit_ && !is_up() && !driver_->has_connections() && !stale_.is_keeping();
}

PeerSnapshot ManagedPeer::snapshot() const {
  const fsm::Peer& machine = driver_->machine();
  const TimePoint now = parts_.loop.now();
  PeerSnapshot result;
  result.address = identity_.key.address;
  result.port = identity_.is_dynamic ? kBgpPort : identity_.key.port;
  result.name = settings_.name;
  result.remote_asn = settings_.remote_asn;
  result.local_asn = settings_.local_asn.value_or(facts_.asn);
  result.state = machine.state();
  result.is_dynamic = identity_.is_dynamic;
  result.is_passive = settings_.passive;
  if (machine.since()) result.since = now - *machine.since();
  if (const fsm::Negotiated* const session = machine.session()) {
    result.session = *session;
    result.remote_asn = session->remote_asn;
  }
  result.is_internal = result.remote_asn == result.local_asn;
  result.hold_time_left = driver_->hold_time_left();
  if (const session::Connection* const connection = driver_->connection()) {
    result.local_address = connection->local().to_string();
  }
  result.routes = parts_.rib.counts(identity_.id);
  result.received = driver_->received();
  result.sent = driver_->sent();
  result.sent.updates += result.routes.updates_sent;
  result.sent.total += result.routes.updates_sent;
  result.sent.bytes += result.routes.bytes_sent;
  result.times_established = machine.times_established();
  result.times_dropped = driver_->times_dropped();
  result.last_error = machine.last_error();
  const session::SessionDriver::ErrorNote &last = driver_->last_error(), &attempt = driver_->last_attempt_error();
  if (last.at) result.last_error_age = now - *last.at;
  result.last_error_bytes = last.bytes;
  result.last_attempt_error = machine.last_attempt_error();
  if (result.last_attempt_error) {
    result.last_attempt_error_age = now - *attempt.at;
    result.last_attempt_error_bytes = attempt.bytes;
  }
  result.faults = driver_->faults();
  result.queued_bytes = driver_->queued_bytes();
  result.bfd_downs = bfd_downs_;
  if (settings_.bfd) result.bfd_state = watch_ == nullptr ? "Down" : watch_->state();
  return result;
}

}  // namespace margay::bgp
