// EndpointWaiter: tells the CNI server when the kernel has all of an endpoint: its rules, its interface and the routes
// to all of its addresses.
// Thread: the control loop's. What it refers to outlives it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "agent/cni/readiness.h"
#include "agent/main/endpoint_book.h"
#include "base/loop/loop.h"
#include "base/telemetry/metrics.h"

namespace margay::agent {

class EndpointWaiter final : public EndpointReadiness {
 public:
  EndpointWaiter(loop::Loop& loop, const EndpointBook& book, const EndpointBook::Workloads& workloads);
  ~EndpointWaiter() override;

  std::unique_ptr<ReadinessWait> wait(const NewEndpoint& endpoint, Duration timeout,
                                      Callback<void(Status)> done) override;
  // The book or the workloads have changed.
  void look();
  // Seconds from wait() to an endpoint that is ready are told to it from now on.
  void measure(telemetry::Histogram seconds) { ready_seconds_ = std::move(seconds); }

 private:
  struct Waiting {
    NewEndpoint endpoint;
    Callback<void(Status)> done;
    std::unique_ptr<loop::Timer> timer;
    TimePoint began{};
  };
  class Handle;
  using Waits = std::map<std::uint64_t, std::unique_ptr<Waiting>>;

  // What is missing; "": nothing.
  [[nodiscard]] std::string missing(const NewEndpoint& endpoint) const;
  void end(std::uint64_t id, const Status& outcome);

  loop::Loop& loop_;
  const EndpointBook& book_;
  const EndpointBook::Workloads& workloads_;
  std::uint64_t last_ = 0;
  std::shared_ptr<Waits> waits_ = std::make_shared<Waits>();
  std::unique_ptr<loop::Timer> look_timer_;
  telemetry::Histogram ready_seconds_;
};

}  // namespace margay::agent
