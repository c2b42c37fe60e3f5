#include "bgp/main/kernel_routes.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <utility>

#include "base/core/text.h"

namespace margay::bgpd {
namespace {

// Not RTPROT_BGP (186), which is FRR's: each removes what it thinks is its own. Not 80, which is margay-node's.
constexpr std::uint8_t kProtocol = 81;
constexpr Duration kResolveDelay = std::chrono::milliseconds(50);

route::RouteDriverConfig driver_config(RouteTableId table) {
  route::RouteDriverConfig config;
  config.protocol = kProtocol;
  config.tables = {table};
  return config;
}

}  // namespace

KernelRoutes::KernelRoutes(loop::Loop& loop, std::unique_ptr<netlink::Netlink> kernel, RouteTableId table,
                           telemetry::Logger log)
    : loop_(loop),
      log_(std::move(log)),
      table_(table),
      kernel_(std::move(kernel)),
      resolver_(*kernel_),
      driver_(*kernel_, driver_config(table)),
      retry_(loop.make_timer([this] { write(); })),
      resolve_timer_(loop.make_timer([this] { resolve_again(); })) {}

KernelRoutes::~KernelRoutes() = default;

Result<std::unique_ptr<KernelRoutes>> KernelRoutes::open(loop::Loop& loop, loop::FdWatcher& watcher, RouteTableId table,
                                                         telemetry::Logger log) {
  MARGAY_ASSIGN_OR_RETURN(auto kernel, netlink::open_netlink(NETLINK_ROUTE));
  std::unique_ptr<KernelRoutes> routes(new KernelRoutes(loop, std::move(kernel), table, std::move(log)));
  KernelRoutes* const self = routes.get();
  const auto again = [self] { self->resolve_soon(); };
  MARGAY_ASSIGN_OR_RETURN(
      routes->links_,
      netlink::open_monitor(watcher, NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR},
                            {[again](const netlink::MessageView&) { again(); }, again}));
  MARGAY_ASSIGN_OR_RETURN(
      routes->routes_events_,
      netlink::open_monitor(watcher, NETLINK_ROUTE, {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE},
                            {[self](const netlink::MessageView& message) { self->note_event(message); },
                             [self] {
                               self->driver_.queue_resync();
                               self->resolve_soon();
                             }},
                            routes->kernel_->port()));
  // After the monitors, so that nothing falls between.
  MARGAY_RETURN_IF_ERROR(routes->driver_.resync(loop.now()));
  routes->has_routes_ = routes->driver_.actual_count() > 0;
  return routes;
}

void KernelRoutes::note_event(const netlink::MessageView& message) {
  if (driver_.note_event(message, loop_.now())) return;
  // Somebody else's routes may be what next hops lead over; a flood of them is one look.
  resolve_soon();
}

// Not later for every event: where something always changes it would never be.
void KernelRoutes::resolve_soon() {
  if (!hops_.empty() && !resolve_timer_->is_armed()) resolve_timer_->arm(kResolveDelay);
}

void KernelRoutes::apply(std::vector<bgp::rib::RouteChange> changes) {
  auto next = wanted_.end();  // changes often come in order
  for (bgp::rib::RouteChange& change : changes) {
    if (!change.route) {
      remove(change.prefix);
      next = wanted_.end();
      continue;
    }
    const auto at = wanted_.try_emplace(next, change.prefix, bgp::rib::BestRoute{{}, change.route->priority});
    if (at->second.priority != change.route->priority) {
      driver_.remove_route(route::Source::kBgp, key_of(change.prefix, at->second));
    }
    at->second = std::move(*change.route);
    set(change.prefix, at->second);
    next = std::next(at);
  }
  schedule_write();
}

void KernelRoutes::converged() {
  driver_.allow_removal();
  schedule_write();
}

route::RouteKey KernelRoutes::key_of(const IpPrefix& prefix, const bgp::rib::BestRoute& best) const {
  return {table_, prefix, best.priority};
}

void KernelRoutes::set(const IpPrefix& prefix, const bgp::rib::BestRoute& best) {
  const route::RouteKey key = key_of(prefix, best);
  auto route = resolve(best);
  if (!route) return driver_.remove_route(route::Source::kBgp, key);
  driver_.set_route(route::Source::kBgp, key, std::move(*route));
}

void KernelRoutes::remove(const IpPrefix& prefix) {
  const auto found = wanted_.find(prefix);
  if (found == wanted_.end()) return;
  driver_.remove_route(route::Source::kBgp, key_of(prefix, found->second));
  wanted_.erase(found);
}

// The hops that can be reached; nullopt when none can.
std::optional<route::Route> KernelRoutes::resolve(const bgp::rib::BestRoute& best) {
  route::Route route;
  route.hops.reserve(best.next_hops.size());
  for (const bgp::NextHop& next_hop : best.next_hops) {
    const std::optional<route::RouteHop>& hop = hop_to(next_hop.address);
    if (!hop) continue;
    route::RouteHop& added = route.hops.emplace_back(*hop);
    // RFC 2545 §3: the link-local address is the gateway on the link that the global one is on.
    if (next_hop.link_local && added.gateway == next_hop.address) added.gateway = next_hop.link_local;
  }
  if (route.hops.empty()) return std::nullopt;
  return route;
}

const std::optional<route::RouteHop>& KernelRoutes::hop_to(const IpAddress& next_hop) {
  const auto [at, is_new] = hops_.try_emplace(next_hop);
  if (is_new) {
    if (const auto hop = resolver_.resolve(next_hop); hop.ok()) at->second = *hop;
  }
  return at->second;
}

// Next hops are few where routes are many: routes are only looked at when a next hop leads elsewhere now.
void KernelRoutes::resolve_again() {
  resolver_.forget();
  bool has_changed = false;
  for (const auto& [next_hop, before] : hops_) {
    const auto now = resolver_.resolve(next_hop);
    has_changed |= (now.ok() ? std::optional(*now) : std::nullopt) != before;
  }
  if (!has_changed) return;
  hops_.clear();
  for (const auto& [prefix, best] : wanted_) set(prefix, best);
  schedule_write();
}

void KernelRoutes::schedule_write() {
  if (std::exchange(is_write_scheduled_, true)) return;
  loop_.post([this, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) write();
  });
}

void KernelRoutes::write() {
  is_write_scheduled_ = false;
  const dataplane::ApplyReport report = driver_.apply(loop_.now());
  if (report.try_again_at) retry_->arm(*report.try_again_at - loop_.now());
  if (report.failed == 0) return;
  if (const auto suppressed = failure_log_.admit(loop_.now())) {
    const bool has_first = !report.failures.empty();
    log_.warn("routes not installed", {{"failed", report.failed},
                                       {"first", has_first ? report.failures.front().object : std::string()},
                                       {"error", has_first ? report.failures.front().error.message : std::string()},
                                       {"suppressed", *suppressed}});
  }
}

}  // namespace margay::bgpd
