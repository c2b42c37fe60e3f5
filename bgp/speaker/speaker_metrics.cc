#include "bgp/speaker/speaker_metrics.h"

#include <utility>

#include "base/core/text.h"

namespace margay::bgp {

SpeakerMetrics::SpeakerMetrics(telemetry::Registry* registry) : registry_(registry) {
  if (registry_ == nullptr) return;
  route_changes_ =
      registry_->counter({"margay_bgp_route_changes_total", "Changes of best routes handed to the kernel's side.", ""});
  work_ = registry_->histogram(
      {"margay_bgp_convergence_seconds",
       "From the arrival of changes until everybody's packets were handed to the kernel.", "seconds"},
      telemetry::exponential_bounds(0.00005, 2, 18));
}

void SpeakerMetrics::set(const Labels& who, std::string_view name, std::string_view help, const Labels& more,
                         double value) {
  Labels labels = more;
  labels.insert(who.begin(), who.end());
  registry_->gauge({std::string(name), std::string(help), ""}, labels).set(value);
  of_peer_[who].emplace(name, std::move(labels));
}

void SpeakerMetrics::raise(const Labels& who, std::string_view name, std::string_view help, const Labels& more,
                           std::uint64_t total) {
  Labels labels = more;
  labels.insert(who.begin(), who.end());
  std::uint64_t& told = told_[{std::string(name), labels}];
  auto counter = registry_->counter({std::string(name), std::string(help), ""}, labels);
  if (total > told) counter.increment(total - told);
  told = total;
  of_peer_[who].emplace(name, std::move(labels));
}

// All series of this name, whatever other labels they have.
void SpeakerMetrics::remove(const Labels& who, std::string_view name) {
  std::erase_if(of_peer_[who], [&](const Series& series) {
    if (series.first != name) return false;
    registry_->remove(series.first, series.second);
    return true;
  });
}

void SpeakerMetrics::sync(const SpeakerSnapshot& snapshot) {
  if (registry_ == nullptr) return;
  std::map<fsm::State, int> states;
  std::map<IpAddress, int> at_address;
  for (const PeerSnapshot& peer : snapshot.peers) ++at_address[peer.address];
  std::set<Labels> present;
  for (const PeerSnapshot& peer : snapshot.peers) {
    ++states[peer.state];
    Labels who{{"peer", peer.address.to_string()}};
    if (at_address[peer.address] > 1) who["port"] = std::to_string(peer.port);
    sync_peer(who, peer);
    present.insert(std::move(who));
  }
  forget_others(present);
  registry_->gauge({"margay_bgp_problems", "Addresses to listen on and MD5 keys that are tried again.", ""})
      .set(static_cast<double>(snapshot.problems.size()));
  for (int state = 0; state <= static_cast<int>(fsm::State::kEstablished); ++state) {
    const auto which = static_cast<fsm::State>(state);
    registry_->gauge({"margay_bgp_peers", "Peers, by state.", ""}, {{"state", std::string(fsm::to_string(which))}})
        .set(states[which]);
  }
}

void SpeakerMetrics::sync_peer(const Labels& who, const PeerSnapshot& peer) {
  set(who, "margay_bgp_peer_state", "State of the session: 0 Idle to 5 Established.", {},
      static_cast<double>(peer.state));
  set(who, "margay_bgp_peer_since_seconds", "Time in the present state.", {},
      std::chrono::duration<double>(peer.since.value_or(Duration{})).count());
  set(who, "margay_bgp_peer_queued_bytes", "Bytes that wait for the peer to read.", {},
      static_cast<double>(peer.queued_bytes));
  set(who, "margay_bgp_peer_refused", "Whether the peer cannot connect for want of its MD5 key.", {},
      peer.socket_error.empty() ? 0 : 1);
  raise(who, "margay_bgp_peer_established_total", "Sessions that came up.", {}, peer.times_established);
  raise(who, "margay_bgp_peer_flaps_total", "Sessions that went down.", {}, peer.times_dropped);
  if (peer.bfd_state.empty()) {
    remove(who, "margay_bgp_peer_bfd_up");
  } else {
    set(who, "margay_bgp_peer_bfd_up", "Whether BFD sees the peer.", {}, peer.bfd_state == "Up" ? 1 : 0);
  }
  raise(who, "margay_bgp_peer_bfd_downs_total", "Sessions that BFD ended.", {}, peer.bfd_downs);
  for (const auto& [what, count] : peer.faults) {
    raise(who, "margay_bgp_update_faults_total", "Faulty attributes and what was done (RFC 7606).", {{"fault", what}},
          count);
  }
  sync_prefixes(who, peer.routes);
  sync_last_error(who, peer);
  sync_messages(who, "received", peer.received);
  sync_messages(who, "sent", peer.sent);
}

void SpeakerMetrics::sync_prefixes(const Labels& who, const rib::PeerCounts& counts) {
  for (const Family family : kFamilies) {
    const Labels more{{"family", std::string(to_string(family))}};
    const auto count = [&](std::string_view name, std::string_view help, std::uint64_t value) {
      set(who, name, help, more, static_cast<double>(value));
    };
    count("margay_bgp_peer_prefixes_received", "Prefixes in Adj-RIB-In.", counts.received[family]);
    count("margay_bgp_peer_prefixes_accepted", "Prefixes that the import rules let in.", counts.accepted[family]);
    count("margay_bgp_peer_prefixes_sent", "Prefixes in Adj-RIB-Out.", counts.sent[family]);
    count("margay_bgp_peer_prefixes_stale", "Prefixes kept while the peer restarts.", counts.stale[family]);
    raise(who, "margay_bgp_peer_paths_ignored_total", "Announcements of more paths of a prefix than are kept.", more,
          counts.ignored[family]);
  }
}

// One series a peer: with another error the labels are others.
void SpeakerMetrics::sync_last_error(const Labels& who, const PeerSnapshot& peer) {
  constexpr std::string_view kName = "margay_bgp_peer_last_error_age_seconds";
  remove(who, kName);
  if (!peer.last_error || !peer.last_error_age) return;
  const auto& notification = peer.last_error->notification;
  set(who, kName, "Time since the last session ended, with the reason; code and subcode of the NOTIFICATION.",
      {{"kind", std::string(to_string(peer.last_error->kind))},
       {"code", notification ? std::to_string(notification->code) : ""},
       {"subcode", notification ? std::to_string(notification->subcode) : ""}},
      std::chrono::duration<double>(*peer.last_error_age).count());
}

void SpeakerMetrics::sync_messages(const Labels& who, std::string_view direction, const MessageCounts& counts) {
  const std::pair<const char*, std::uint64_t> types[] = {{"open", counts.opens},
                                                         {"update", counts.updates},
                                                         {"notification", counts.notifications},
                                                         {"keepalive", counts.keepalives},
                                                         {"route_refresh", counts.refreshes}};
  Labels more{{"direction", std::string(direction)}};
  raise(who, "margay_bgp_message_bytes_total", "Bytes of messages.", more, counts.bytes);
  for (const auto& [type, count] : types) {
    more["type"] = type;
    raise(who, "margay_bgp_messages_total", "Messages, by type and direction.", more, count);
  }
}

void SpeakerMetrics::forget_others(const std::set<Labels>& present) {
  std::erase_if(of_peer_, [&](const auto& entry) {
    if (present.contains(entry.first)) return false;
    for (const Series& series : entry.second) {
      registry_->remove(series.first, series.second);
      told_.erase(series);
    }
    return true;
  });
}

}  // namespace margay::bgp
