// Speaker: a BGP speaker. Give it a configuration and a place for routes; it does the rest until it is destroyed.
//
//   transport (sockets) ⇄ session driver ⇄ fsm::Peer
//                              │ Update                    ▲ packets
//                              └──────────▶ rib::Rib ──────┘──▶ RouteSink
//
// apply() takes any configuration at any time (config.h says what each change does); one that validate() refuses
// changes nothing. Thread: the loop's. Destroying it closes all connections without a word, so that peers with Graceful
// Restart keep our routes; stop() says goodbye first.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/random.h"
#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "bgp/session/transport.h"
#include "bgp/speaker/config.h"
#include "bgp/speaker/route_sink.h"
#include "bgp/speaker/snapshot.h"

namespace margay::bgp {

// Tells when a peer is gone by other means than BGP (BFD). Destroying the handle ends the watch.
class LivenessMonitor {
 public:
  class Watch {
   public:
    virtual ~Watch() = default;
    [[nodiscard]] virtual std::string state() const { return "watching"; }  // for people: "Up"
    // Other intervals without a new session; nullopt: the peer is told that we do not watch any more, which is no
    // reason for it to drop anything (RFC 5882 §4.2). False: cannot, the owner begins a new watch.
    virtual bool change(const std::optional<BfdConfig>& config) { return config == std::nullopt; }
  };
  virtual ~LivenessMonitor() = default;
  // `on_down(control_plane_independent)`: RFC 5882 §4.3 and the C bit of RFC 5880.
  virtual std::unique_ptr<Watch> watch(const IpAddress& peer, const IpAddress& local, bool multihop,
                                       const BfdConfig& config, Callback<void(bool)> on_down) = 0;
};

struct SpeakerParts {
  loop::Loop& loop;
  Random& random;
  session::Transport& transport;
  RouteSink& routes;
  telemetry::Logger log{};
  telemetry::Registry* metrics = nullptr;
  LivenessMonitor* liveness = nullptr;  // nullptr: peers with bfd settings get an error from apply()
};

// Routes for people a piece at a time, ordered by prefix, while everything goes on. Ends early when the peer or the
// speaker goes.
class RouteCursor {
 public:
  virtual ~RouteCursor() = default;
  // Adds some to `out`, the work of a millisecond or so; false: that was all.
  virtual bool next(std::vector<RouteSnapshot>& out) = 0;
};

class Speaker {
 public:
  // `restarting`: there was one before with our routes in the kernel: OPENs carry the restart bit (RFC 4724 §4.1) and
  // End-of-RIB waits for selection_deferral at most.
  Speaker(SpeakerParts parts, bool restarting);
  ~Speaker();

  // Errors are those of validate(). What this machine cannot do yet (an address to listen on, a key) is tried again
  // every second and stands in snapshot().problems.
  Status apply(SpeakerConfig config);
  // Own routes alone, which change more often than all else.
  void set_local_routes(std::vector<rib::LocalRoute> routes);

  // All best routes to the sink once more: for one that has begun to listen.
  void tell_routes_again();

  // What admins ask for; kNotFound for a peer that is not there.
  Status reset(const IpAddress& peer, std::string_view text);  // Cease 4
  Status refresh_in(const IpAddress& peer);                    // ROUTE-REFRESH
  Status refresh_out(const IpAddress& peer);                   // everything again

  // Cease to all (RFC 9003 text), then `done` when it has left or a second has passed.
  void stop(std::string_view text, Task done);

  // Brings the registry up to date: before it is rendered. An idle speaker computes for nobody.
  void update_metrics();

  // All at once; with many routes that takes its time.
  [[nodiscard]] SpeakerSnapshot snapshot(const SnapshotQuery& query) const;
  // kNotFound, with the peers there are, for a query about one that is not there.
  [[nodiscard]] Result<std::unique_ptr<RouteCursor>> routes(const SnapshotQuery& query) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::bgp
