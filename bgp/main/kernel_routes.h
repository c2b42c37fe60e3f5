// KernelRoutes: the speaker's best routes in the kernel, by way of dataplane/route on a thread of its own.
//
// Whether they go there, and into which table, can be changed at any time: another table is filled before the old one
// is emptied; routes that were kept out of the kernel are told again (`tell_again`). Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/core/result.h"
#include "base/ip/ids.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "base/telemetry/rate_limit.h"
#include "bgp/speaker/route_sink.h"
#include "dataplane/route/route_thread.h"

namespace margay::bgpd {

class KernelRoutes final : public bgp::RouteSink {
 public:
  struct Parts {
    loop::Loop& loop;
    telemetry::Logger log{};
    telemetry::Registry* metrics = nullptr;
    // Asks the speaker for all best routes; may be empty as long as there is none.
    std::function<void()> tell_again{};
    route::RouteThread::Kernel kernel = route::RouteThread::real_kernel();
  };
  explicit KernelRoutes(Parts parts);

  // nullopt: no route of ours is in the kernel; a speaker that never wants any has no thread for it. An error changes
  // nothing.
  Status install(std::optional<RouteTableId> table);
  [[nodiscard]] std::optional<RouteTableId> table() const { return table_; }
  // Whether the kernel had routes of an earlier life when install() began.
  [[nodiscard]] bool has_routes() const { return thread_ != nullptr && thread_->found() > 0; }
  // What became of them, as last heard.
  [[nodiscard]] const route::RouteReport& report() const { return report_; }

  void apply(std::vector<bgp::rib::RouteChange> changes) override;
  void converged() override;

 private:
  void take(route::RouteReport report);

  Parts parts_;
  std::optional<RouteTableId> table_;
  bool is_converged_ = false;
  route::RouteReport report_;
  telemetry::RateLimit failure_log_{std::chrono::seconds(10)};
  telemetry::Gauge installed_, failed_, unresolved_;
  std::unique_ptr<route::RouteThread> thread_;
};

}  // namespace margay::bgpd
