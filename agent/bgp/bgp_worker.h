// BgpWorker: the node's speaker on a loop, fed with SpeakerUpdates.
//
//   SpeakerUpdate ─▶ BgpWorker ─▶ bgp::Speaker ─▶ route::RouteBatch ─▶ on_routes
//
// The speaker begins when there is a configuration and the gate has been opened: a session without our routes would
// make peers forget what they kept for us (RFC 4724). A gate that closes later withdraws our routes and keeps sessions
// and learnt routes; one that opens again tells them again.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/bgp/speaker_update.h"
#include "base/core/random.h"
#include "base/core/task.h"
#include "base/ip/prefix_trie.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "bgp/session/transport.h"
#include "bgp/speaker/speaker.h"
#include "dataplane/route/route_batch.h"

namespace margay::agent {

struct BgpWorkerParts {
  loop::Loop& loop;
  Random& random;
  bgp::session::Transport& transport;
  // Best routes, on this loop; those inside of not_for_kernel are left out.
  Callback<void(route::RouteBatch)> on_routes;
  telemetry::Logger log{};
  telemetry::Registry* metrics = nullptr;
  bgp::LivenessMonitor* liveness = nullptr;
};

// What `netctl node status` and CalicoNodeStatus ask.
struct BgpSnapshot {
  bool is_running = false;    // there is a speaker
  bool is_gate_open = false;  // our routes are told
  std::string refused;        // why the last configuration was not taken; empty: it was
  bgp::SpeakerSnapshot speaker;
};

// Some of the routes that were asked for.
struct RoutesRead {
  std::vector<bgp::RouteSnapshot> routes;
  bool has_more = false;
};

class BgpWorker final : private bgp::RouteSink {
 public:
  explicit BgpWorker(BgpWorkerParts parts);
  ~BgpWorker() override;

  void apply(SpeakerUpdate update);
  [[nodiscard]] BgpSnapshot snapshot(const bgp::SnapshotQuery& query) const;
  // Routes for people, a millisecond's work at a time: a reading has a number, which is used up with its last piece.
  // One that is not known (any more) has no more. kNotFound: there is no such peer, with those there are.
  Result<std::uint64_t> open_routes(const bgp::SnapshotQuery& query);
  RoutesRead read_routes(std::uint64_t number);
  void close_routes(std::uint64_t number);
  void update_metrics();
  Status reset(const IpAddress& peer, std::string_view text);
  // Cease to all, then `done`.
  void stop(std::string_view text, Task done);

  // nullptr until it runs.
  [[nodiscard]] bgp::Speaker* speaker() { return speaker_ ? &*speaker_ : nullptr; }

 private:
  void apply(std::vector<bgp::rib::RouteChange> changes) override;  // RouteSink
  void converged() override;
  void configure();
  [[nodiscard]] std::vector<bgp::rib::LocalRoute> told_routes() const;
  [[nodiscard]] bool is_for_kernel(const IpPrefix& prefix) const;

  BgpWorkerParts parts_;
  std::optional<bgp::SpeakerConfig> config_;  // local routes included, whatever the gate says
  CarrierGate gate_;
  PrefixTrie<bool> not_for_kernel_;
  std::string refused_;
  std::optional<bgp::Speaker> speaker_;
  std::uint64_t next_reading_ = 1;
  std::map<std::uint64_t, std::unique_ptr<bgp::RouteCursor>> readings_;  // of the speaker's routes: first to end
};

}  // namespace margay::agent
