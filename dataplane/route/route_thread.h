// RouteThread: a RouteProgrammer on a loop and thread of its own, so that a kernel that takes its time delays no timer
// of the protocol.
//
//   protocol's loop ── Channel<RouteBatch> ──▶ dataplane's loop: RouteProgrammer ── netlink ──▶ kernel
//                   ◀── Channel<RouteReport> ──
//
// Made, used and destroyed on the protocol's loop. However slow the kernel, one batch waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/core/result.h"
#include "base/loop/channel.h"
#include "base/loop/loop_thread.h"
#include "dataplane/route/route_programmer.h"

namespace margay::route {

class RouteThread {
 public:
  // The kernel as the thread is to see it; called on the thread. `monitors`: listen to what others change.
  struct Kernel {
    std::function<Result<std::unique_ptr<netlink::Netlink>>()> open;
    bool monitors = true;
  };
  static Kernel real_kernel();

  // Waits until the thread has read what is there. In the network namespace of the calling thread.
  static Result<std::unique_ptr<RouteThread>> start(loop::Loop& owner, const RouteProgrammerConfig& config,
                                                    Callback<void(RouteReport)> on_report,
                                                    const Kernel& kernel = real_kernel());
  // What was sent is written first (tried once).
  ~RouteThread();
  RouteThread(const RouteThread&) = delete;
  RouteThread& operator=(const RouteThread&) = delete;

  // Routes of ours that were there at the start.
  [[nodiscard]] std::size_t found() const { return found_; }
  void send(RouteBatch batch) { batches_->send(std::move(batch)); }
  // For what else belongs on that loop.
  [[nodiscard]] loop::LoopThread& thread() { return thread_; }

 private:
  using Batches = loop::Channel<RouteBatch>;
  using Reports = loop::Channel<RouteReport>;
  // Lives on the thread.
  struct Worker {
    std::unique_ptr<netlink::Netlink> kernel;
    std::optional<Reports::Sender> reports;
    std::optional<RouteProgrammer> programmer;
    std::optional<Batches::Receiver> batches;  // first to end
  };

  RouteThread() = default;
  Status open(const RouteProgrammerConfig& config, const Kernel& kernel, Reports::Sender reports);

  loop::LoopThread thread_;
  std::unique_ptr<Worker> worker_;
  std::optional<Batches::Sender> batches_;
  std::optional<Reports::Receiver> reports_;
  std::size_t found_ = 0;
};

}  // namespace margay::route
