// SpeakerMetrics: a speaker's state as Prometheus metrics, brought up to date from snapshots so that the paths that
// routes take count nothing twice.
#pragma once

#include <map>
#include <string>

#include "base/ip/address.h"
#include "base/telemetry/metrics.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

class SpeakerMetrics {
 public:
  // nullptr: counts nowhere.
  explicit SpeakerMetrics(telemetry::Registry* registry);

  void sync(const SpeakerSnapshot& snapshot);
  // A peer is no longer there: its series go.
  void forget(const IpAddress& peer);
  void count_route_changes(std::size_t count) { route_changes_.increment(count); }
  // From the first change to the last packet in the kernel.
  void observe_work(Duration duration) { work_.observe(std::chrono::duration<double>(duration).count()); }

 private:
  void set(std::string_view name, std::string_view help, telemetry::Labels labels, double value);
  void remove(std::string_view name, const telemetry::Labels& labels);
  // To the total, which never falls.
  void raise(std::string_view name, std::string_view help, telemetry::Labels labels, std::uint64_t total);
  void sync_peer(const PeerSnapshot& peer);
  void sync_messages(const PeerSnapshot& peer, std::string_view direction, const MessageCounts& counts);

  telemetry::Registry* registry_;
  telemetry::Counter route_changes_;
  telemetry::Histogram work_;
  // What has been told, by name and labels; also the list of what to remove.
  std::map<std::pair<std::string, telemetry::Labels>, std::uint64_t> told_;
  std::map<std::string, std::map<std::pair<std::string, telemetry::Labels>, bool>> of_peer_;
};

}  // namespace margay::bgp
