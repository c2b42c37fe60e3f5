#include "bgp/speaker/speaker_metrics.h"

#include <utility>

#include "base/core/text.h"

namespace margay::bgp {

using telemetry::Labels;

SpeakerMetrics::SpeakerMetrics(telemetry::Registry* registry) : registry_(registry) {
  if (registry_ == nullptr) return;
  route_changes_ =
      registry_->counter({"margay_bgp_route_changes_total", "Changes of best routes handed to the kernel's side.", ""});
  work_ = registry_->histogram(
      {"margay_bgp_convergence_seconds",
       "From the arrival of changes until everybody's packets were handed to the kernel.", "seconds"},
      telemetry::exponential_bounds(0.00005, 2, 18));
}

void SpeakerMetrics::set(std::string_view name, std::string_view help, Labels labels, double value) {
  registry_->gauge({std::string(name), std::string(help), ""}, labels).set(value);
  of_peer_[labels["peer"]][{std::string(name), labels}] = true;
}

void SpeakerMetrics::remove(std::string_view name, const Labels& labels) {
  const auto found = of_peer_.find(labels.at("peer"));
  if (found == of_peer_.end() || found->second.erase({std::string(name), labels}) == 0) return;
  registry_->remove(std::string(name), labels);
}

void SpeakerMetrics::raise(std::string_view name, std::string_view help, Labels labels, std::uint64_t total) {
  std::uint64_t& told = told_[{std::string(name), labels}];
  auto counter = registry_->counter({std::string(name), std::string(help), ""}, labels);
  if (total > told) counter.increment(total - told);
  told = total;
  of_peer_[labels["peer"]][{std::string(name), labels}] = true;
}

void SpeakerMetrics::sync(const SpeakerSnapshot& snapshot) {
  if (registry_ == nullptr) return;
  std::map<fsm::State, int> states;
  for (const PeerSnapshot& peer : snapshot.peers) {
    ++states[peer.state];
    sync_peer(peer);
  }
  for (int state = 0; state <= static_cast<int>(fsm::State::kEstablished); ++state) {
    const auto which = static_cast<fsm::State>(state);
    registry_->gauge({"margay_bgp_peers", "Peers, by state.", ""}, {{"state", std::string(fsm::to_string(which))}})
        .set(states[which]);
  }
}

void SpeakerMetrics::sync_peer(const PeerSnapshot& peer) {
  const Labels labels{{"peer", peer.address.to_string()}};
  set("margay_bgp_peer_state", "State of the session: 0 Idle to 5 Established.", labels,
      static_cast<double>(peer.state));
  set("margay_bgp_peer_since_seconds", "Time in the present state.", labels,
      std::chrono::duration<double>(peer.since.value_or(Duration{})).count());
  set("margay_bgp_peer_queued_bytes", "Bytes that wait for the peer to read.", labels,
      static_cast<double>(peer.queued_bytes));
  raise("margay_bgp_peer_established_total", "Sessions that came up.", labels, peer.times_established);
  raise("margay_bgp_peer_flaps_total", "Sessions that went down.", labels, peer.times_dropped);
  if (peer.bfd_state.empty()) {
    remove("margay_bgp_peer_bfd_up", labels);
  } else {
    set("margay_bgp_peer_bfd_up", "Whether BFD sees the peer.", labels, peer.bfd_state == "Up" ? 1 : 0);
  }
  raise("margay_bgp_peer_bfd_downs_total", "Sessions that BFD ended.", labels, peer.bfd_downs);
  for (const Family family : kFamilies) {
    Labels with_family = labels;
    with_family["family"] = to_string(family);
    set("margay_bgp_peer_prefixes_received", "Prefixes in Adj-RIB-In.", with_family,
        static_cast<double>(peer.routes.received[family]));
    set("margay_bgp_peer_prefixes_accepted", "Prefixes that the import rules let in.", with_family,
        static_cast<double>(peer.routes.accepted[family]));
    set("margay_bgp_peer_prefixes_sent", "Prefixes in Adj-RIB-Out.", with_family,
        static_cast<double>(peer.routes.sent[family]));
    set("margay_bgp_peer_prefixes_stale", "Prefixes kept while the peer restarts.", with_family,
        static_cast<double>(peer.routes.stale[family]));
    raise("margay_bgp_peer_paths_ignored_total", "Announcements of more paths of a prefix than are kept.", with_family,
          peer.routes.ignored[family]);
  }
  for (const auto& [what, count] : peer.faults) {
    Labels with_fault = labels;
    with_fault["fault"] = what;
    raise("margay_bgp_update_faults_total", "Faulty attributes and what was done (RFC 7606).", with_fault, count);
  }
  sync_messages(peer, "received", peer.received);
  sync_messages(peer, "sent", peer.sent);
}

void SpeakerMetrics::sync_messages(const PeerSnapshot& peer, std::string_view direction, const MessageCounts& counts) {
  const std::pair<const char*, std::uint64_t> types[] = {{"open", counts.opens},
                                                         {"update", counts.updates},
                                                         {"notification", counts.notifications},
                                                         {"keepalive", counts.keepalives},
                                                         {"route_refresh", counts.refreshes}};
  Labels labels{{"peer", peer.address.to_string()}, {"direction", std::string(direction)}};
  raise("margay_bgp_message_bytes_total", "Bytes of messages.", labels, counts.bytes);
  for (const auto& [type, count] : types) {
    labels["type"] = type;
    raise("margay_bgp_messages_total", "Messages, by type and direction.", labels, count);
  }
}

void SpeakerMetrics::forget(const IpAddress& peer) {
  if (registry_ == nullptr) return;
  const auto found = of_peer_.find(peer.to_string());
  if (found == of_peer_.end()) return;
  for (const auto& [series, unused] : found->second) {
    registry_->remove(series.first, series.second);
    told_.erase(series);
  }
  of_peer_.erase(found);
}

}  // namespace margay::bgp
