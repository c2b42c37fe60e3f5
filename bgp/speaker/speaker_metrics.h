// SpeakerMetrics: a speaker's state as Prometheus metrics, brought up to date from snapshots so that the paths that
// routes take count nothing twice. The list stands in docs/examples/bgpd/README.md.
//
// Series of a peer have its address as `peer`, and its `port` beside it only while another peer has that address too.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/ip/address.h"
#include "base/telemetry/metrics.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

class SpeakerMetrics {
 public:
  // nullptr: counts nowhere.
  explicit SpeakerMetrics(telemetry::Registry* registry);

  // Series of peers that the snapshot does not have go.
  void sync(const SpeakerSnapshot& snapshot);
  void count_route_changes(std::size_t count) { route_changes_.increment(count); }
  // From the first change to the last packet in the kernel.
  void observe_work(Duration duration) { work_.observe(std::chrono::duration<double>(duration).count()); }

 private:
  using Labels = telemetry::Labels;
  using Series = std::pair<std::string, Labels>;

  // `who` are the labels that all series of a peer have.
  void set(const Labels& who, std::string_view name, std::string_view help, const Labels& more, double value);
  // To the total, which never falls.
  void raise(const Labels& who, std::string_view name, std::string_view help, const Labels& more, std::uint64_t total);
  void remove(const Labels& who, std::string_view name);
  void sync_peer(const Labels& who, const PeerSnapshot& peer);
  void sync_prefixes(const Labels& who, const rib::PeerCounts& counts);
  void sync_last_error(const Labels& who, const PeerSnapshot& peer);
  void sync_messages(const Labels& who, std::string_view direction, const MessageCounts& counts);
  void forget_others(const std::set<Labels>& present);

  telemetry::Registry* registry_;
  telemetry::Counter route_changes_;
  telemetry::Histogram work_;
  std::map<Series, std::uint64_t> told_;        // counters, and what they have been raised to
  std::map<Labels, std::set<Series>> of_peer_;  // what to remove
};

}  // namespace margay::bgp
