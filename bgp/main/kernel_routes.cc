#include "bgp/main/kernel_routes.h"

#include <string>
#include <utility>

#include "bgp/handoff/route_batches.h"

namespace margay::bgpd {
namespace {

// Not RTPROT_BGP (186), which is FRR's: each removes what it thinks is its own. Not 80, which is margay-node's.
constexpr std::uint8_t kProtocol = 81;

telemetry::Gauge gauge(telemetry::Registry* metrics, std::string_view state) {
  if (metrics == nullptr) return {};
  return metrics->gauge(
      {"margay_bgp_kernel_routes", "Best routes on their way to the kernel, by what became of them.", ""},
      {{"state", std::string(state)}});
}

}  // namespace

KernelRoutes::KernelRoutes(Parts parts)
    : parts_(std::move(parts)),
      installed_(gauge(parts_.metrics, "installed")),
      failed_(gauge(parts_.metrics, "failed")),
      unresolved_(gauge(parts_.metrics, "unresolved")) {}

Status KernelRoutes::install(std::optional<RouteTableId> table) {
  if (table == table_) return ok_status();
  if (thread_ == nullptr) {
    MARGAY_ASSIGN_OR_RETURN(thread_,
                            route::RouteThread::start(
                                parts_.loop, {.protocol = kProtocol, .table = *table},
                                [this](route::RouteReport report) { take(std::move(report)); }, parts_.kernel));
  }
  const bool was_out = !table_;
  table_ = table;
  route::RouteBatch batch;
  batch.move_to(table);
  if (was_out || !table) batch.begin_anew();
  thread_->send(std::move(batch));
  if (was_out && parts_.tell_again) parts_.tell_again();
  // Only now may go what nobody named.
  if (is_converged_) converged();
  return ok_status();
}

void KernelRoutes::apply(std::vector<bgp::rib::RouteChange> changes) {
  if (!table_) return;
  route::RouteBatch batch;
  bgp::add_changes(changes, batch);
  thread_->send(std::move(batch));
}

void KernelRoutes::converged() {
  is_converged_ = true;
  if (!table_) return;
  route::RouteBatch batch;
  batch.converge();
  thread_->send(std::move(batch));
}

void KernelRoutes::take(route::RouteReport report) {
  const std::size_t failed_before = report_.failed;
  report_ = std::move(report);
  installed_.set(static_cast<double>(report_.installed));
  failed_.set(static_cast<double>(report_.failed));
  unresolved_.set(static_cast<double>(report_.unresolved));
  if (report_.failed == 0) {
    if (failed_before > 0) parts_.log.info("all routes installed", {{"installed", report_.installed}});
    return;
  }
  if (const auto suppressed = failure_log_.admit(parts_.loop.now())) {
    const bool has_first = !report_.failures.empty();
    parts_.log.warn("routes not installed",
                    {{"failed", report_.failed},
                     {"first", has_first ? report_.failures.front().object : std::string()},
                     {"error", has_first ? report_.failures.front().error.message : std::string()},
                     {"suppressed", *suppressed}});
  }
}

}  // namespace margay::bgpd
