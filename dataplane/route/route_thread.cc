#include "dataplane/route/route_thread.h"

#include <linux/netlink.h>

#include <utility>

namespace margay::route {

RouteThread::Kernel RouteThread::real_kernel() {
  return {.open = [] { return netlink::open_netlink(NETLINK_ROUTE); }, .monitors = true};
}

Result<std::unique_ptr<RouteThread>> RouteThread::start(loop::Loop& owner, const RouteProgrammerConfig& config,
                                                        Callback<void(RouteReport)> on_report, const Kernel& kernel) {
  std::unique_ptr<RouteThread> made(new RouteThread);
  auto [sender, receiver] = Reports::make(owner, {.on_value = std::move(on_report), .on_closed = {}});
  made->reports_.emplace(std::move(receiver));
  Status status = std::monostate();
  made->thread_.call(
      [&, reports = std::move(sender)]() mutable { status = made->open(config, kernel, std::move(reports)); });
  if (!status.ok()) return status.error();
  return made;
}

Status RouteThread::open(const RouteProgrammerConfig& config, const Kernel& kernel, Reports::Sender reports) {
  worker_ = std::make_unique<Worker>();
  Worker& worker = *worker_;
  MARGAY_ASSIGN_OR_RETURN(worker.kernel, kernel.open());
  worker.reports.emplace(std::move(reports));
  worker.programmer.emplace(thread_.loop(), *worker.kernel, config,
                            [&worker](RouteReport report) { worker.reports->send(std::move(report)); });
  if (kernel.monitors) MARGAY_RETURN_IF_ERROR(worker.programmer->watch(thread_.loop()));
  MARGAY_RETURN_IF_ERROR(worker.programmer->read());
  found_ = worker.programmer->found();
  auto [sender, receiver] = Batches::make(
      thread_.loop(),
      {.on_value = [&worker](const RouteBatch& batch) { worker.programmer->apply(batch); }, .on_closed = {}});
  batches_.emplace(std::move(sender));
  worker.batches.emplace(std::move(receiver));
  return std::monostate();
}

RouteThread::~RouteThread() {
  if (batches_) batches_->close();  // what is on its way arrives before the call below
  thread_.call([this] { worker_.reset(); });
}

}  // namespace margay::route
