// Speaker::Impl: the RIB's work in slices, its output, and what follows from what peers do.
#include <algorithm>
#include <utility>

#include "bgp/speaker/snapshot_of.h"
#include "bgp/speaker/speaker_impl.h"

namespace margay::bgp {
namespace {

// A slice of a few milliseconds at most: then timers, keepalives and other peers get their turn.
constexpr std::size_t kStepsPerSlice = 8192;

}  // namespace

// The RIB calls these from inside its own methods: what needs it again waits for the next turn.
rib::Events Speaker::Impl::rib_events() {
  rib::Events events;
  events.on_routes = [this](std::vector<rib::RouteChange> changes) {
    metrics_.count_route_changes(changes.size());
    parts_.routes.apply(std::move(changes));
  };
  events.on_output = [this](rib::PeerId peer) {
    with_output_.insert(peer);
    schedule_run();
  };
  events.on_overrun = [this](rib::PeerId peer, const Notification& reason) {
    parts_.loop.post([this, alive = std::weak_ptr<bool>(alive_), peer, reason] {
      if (!alive.expired()) on_overrun(peer, reason);
    });
  };
  events.on_limit_warning = [this](rib::PeerId peer, Family family, std::uint64_t prefixes) {
    if (by_id_[peer] == nullptr) return;
    parts_.log.warn(
        "prefix limit is near",
        {{"peer", by_id_[peer]->identity().key.address}, {"family", to_string(family)}, {"prefixes", prefixes}});
  };
  events.on_paths_ignored = [this](rib::PeerId peer, const IpPrefix& prefix) {
    if (by_id_[peer] == nullptr) return;
    parts_.log.warn("more paths of a prefix than are kept",
                    {{"peer", by_id_[peer]->identity().key.address}, {"prefix", prefix}});
  };
  return events;
}

void Speaker::Impl::schedule_run() {
  if (std::exchange(is_run_scheduled_, true)) return;
  work_since_ = parts_.loop.now();
  parts_.loop.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) run();
  });
}

void Speaker::Impl::run() {
  const bool is_done = rib_.run(kStepsPerSlice);
  write_outputs();
  if (!is_done) {
    parts_.loop.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) run();
    });
    return;
  }
  is_run_scheduled_ = false;
  // What was written is sent in turns that were queued before this one.
  parts_.loop.post([this, alive = std::weak_ptr<bool>(alive_), since = work_since_] {
    if (!alive.expired()) metrics_.observe_work(parts_.loop.now() - since);
  });
  if (!with_output_.empty()) schedule_run();
  if (is_configured_ && !recovering_ && !std::exchange(is_convergence_told_, true)) parts_.routes.converged();
}

void Speaker::Impl::write_outputs() {
  for (const rib::PeerId id : std::exchange(with_output_, {})) {
    if (ManagedPeer* const peer = by_id_[id]) peer->write_output();
  }
}

void Speaker::Impl::on_overrun(rib::PeerId peer, const Notification& reason) {
  if (peer < by_id_.size() && by_id_[peer] != nullptr) by_id_[peer]->overrun(reason);
}

void Speaker::Impl::on_peer_change() {
  if (std::exchange(is_look_scheduled_, true)) return;
  parts_.loop.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) look_after_peers();
  });
}

void Speaker::Impl::look_after_peers() {
  is_look_scheduled_ = false;
  for (auto next = peers_.begin(); next != peers_.end();) {
    const auto here = next++;
    if (here->second->is_over()) remove_peer(here);
  }
  check_convergence();
}

void Speaker::Impl::check_convergence() {
  // Who may still come out of a range is not known.
  if (!recovering_ || !is_configured_ || !config_.listen_ranges.empty()) return;
  const bool is_settled =
      std::all_of(peers_.begin(), peers_.end(), [](const auto& entry) { return entry.second->is_settled(); });
  if (is_settled) end_recovery();
}

// RFC 4724 §4.1: now peers hear our End-of-RIB. Who is not there yet may still be on the way.
void Speaker::Impl::end_deferral() {
  deferral_->disarm();
  restarting_ = false;
  rib_.defer_end_of_rib(false);
  for (auto& [key, peer] : peers_) peer->set_facts(facts());
  schedule_run();
  on_peer_change();
}

// What of an earlier life nobody named goes.
void Speaker::Impl::end_recovery() {
  recovery_->disarm();
  recovering_ = false;
  end_deferral();
}

SpeakerSnapshot Speaker::Impl::snapshot(const SnapshotQuery& query) const {
  SpeakerSnapshot result;
  result.asn = config_.asn;
  result.router_id = config_.router_id;
  result.restarting = restarting_;
  result.uptime = parts_.loop.now() - started_at_;
  result.problems = problems();
  for (const auto& [key, peer] : peers_) {
    result.peers.push_back(peer->snapshot());
    if (!refused_options_.empty()) result.peers.back().socket_error = socket_error_of(key.address);
  }
  if (const auto cursor = routes(query); cursor.ok()) {
    while ((*cursor)->next(result.routes)) continue;
  }
  return result;
}

}  // namespace margay::bgp
