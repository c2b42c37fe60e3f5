// BgpThread: a BgpWorker with a loop and thread of its own, with real sockets and BFD, so that nothing the agent does
// delays a hold timer.
//
//   control loop ── Channel<SpeakerUpdate> ──▶ BGP loop: BgpWorker ── on_routes(RouteBatch) ──▶ the dataplane's channel
//                ◀── snapshots, as tasks ──
//
// Made, used and destroyed on the control loop. Destroying it leaves without a word: peers with Graceful Restart keep
// our routes. In the network namespace of the thread that makes it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/bgp/bgp_worker.h"
#include "agent/bgp/speaker_update.h"
#include "base/core/result.h"
#include "base/loop/loop.h"

namespace margay::agent {

class BgpThread {
 public:
  struct Parts {
    loop::Loop& owner;  // the control loop
    // Called on the BGP thread: to be a Channel<RouteBatch>::Sender's send().
    Callback<void(route::RouteBatch)> on_routes;
    telemetry::Logger log{};
    telemetry::Registry* metrics = nullptr;
    bool has_bfd = true;
  };
  static std::unique_ptr<BgpThread> start(Parts parts);
  ~BgpThread();
  BgpThread(const BgpThread&) = delete;
  BgpThread& operator=(const BgpThread&) = delete;

  void send(SpeakerUpdate update);
  // The dataplane can carry our routes. `is_restarting`: it found routes of an earlier life in the kernel.
  void open_gate(bool is_restarting);
  // It cannot any more, or is about to stop: our routes are withdrawn, sessions stay.
  void close_gate();
  // All best routes to on_routes once more: for a dataplane that has begun anew.
  void tell_routes_again();

  // Answers come on the owner's loop; none after this object has ended.
  void snapshot(bgp::SnapshotQuery query, Callback<void(BgpSnapshot)> done);
  // As of BgpWorker.
  void open_routes(bgp::SnapshotQuery query, Callback<void(Result<std::uint64_t>)> done);
  void read_routes(std::uint64_t number, Callback<void(RoutesRead)> done);
  void close_routes(std::uint64_t number);
  void update_metrics(Task done);
  void reset(const IpAddress& peer, std::string text, Callback<void(Status)> done);
  // Cease to all peers, with a text for their admins; `done` when it has left or a second has passed.
  void stop(std::string text, Task done);

  // `done` once the BGP loop has turned: health checks ask.
  void heartbeat(Task done);

 private:
  class Impl;
  explicit BgpThread(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::agent
