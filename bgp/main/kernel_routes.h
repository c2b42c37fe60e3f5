// KernelRoutes: the speaker's best routes in the kernel, by way of dataplane/route.
//
// Changes are collected and written at the end of the loop's turn, as one batch. Next hops that lead over other routes
// are resolved in the kernel; those that lead nowhere are tried again when links, addresses or routes change.
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/core/result.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/rate_limit.h"
#include "bgp/speaker/route_sink.h"
#include "dataplane/netlink/netlink.h"
#include "dataplane/route/next_hop_resolver.h"
#include "dataplane/route/route_driver.h"

namespace margay::bgpd {

class KernelRoutes final : public bgp::RouteSink {
 public:
  static Result<std::unique_ptr<KernelRoutes>> open(loop::Loop& loop, loop::FdWatcher& watcher, RouteTableId table,
                                                    telemetry::Logger log);
  ~KernelRoutes() override;

  // Whether the kernel has routes of ours from an earlier life.
  [[nodiscard]] bool has_routes() const { return has_routes_; }

  void apply(std::vector<bgp::rib::RouteChange> changes) override;
  void converged() override;

 private:
  KernelRoutes(loop::Loop& loop, std::unique_ptr<netlink::Netlink> kernel, RouteTableId table, telemetry::Logger log);

  void note_event(const netlink::MessageView& message);
  [[nodiscard]] route::RouteKey key_of(const IpPrefix& prefix, const bgp::rib::BestRoute& route) const;
  void set(const IpPrefix& prefix, const bgp::rib::BestRoute& route);
  void remove(const IpPrefix& prefix);
  [[nodiscard]] std::optional<route::Route> resolve(const bgp::rib::BestRoute& route);
  const std::optional<route::RouteHop>& hop_to(const IpAddress& next_hop);
  void resolve_soon();
  void resolve_again();
  void schedule_write();
  void write();

  loop::Loop& loop_;
  telemetry::Logger log_;
  RouteTableId table_;
  std::unique_ptr<netlink::Netlink> kernel_;
  route::NextHopResolver resolver_;
  route::RouteDriver driver_;
  std::unique_ptr<netlink::Monitor> links_;
  std::unique_ptr<netlink::Monitor> routes_events_;
  std::unique_ptr<loop::Timer> retry_;
  std::unique_ptr<loop::Timer> resolve_timer_;
  std::map<IpPrefix, bgp::rib::BestRoute> wanted_;
  std::map<IpAddress, std::optional<route::RouteHop>> hops_;  // how each next hop was resolved; nullopt: not
  telemetry::RateLimit failure_log_{std::chrono::seconds(10)};
  bool has_routes_ = false;
  bool is_write_scheduled_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// For a speaker that keeps its hands off the kernel: a route reflector.
class NullRoutes final : public bgp::RouteSink {
 public:
  void apply(std::vector<bgp::rib::RouteChange>) override {}
  void converged() override {}
};

}  // namespace margay::bgpd
