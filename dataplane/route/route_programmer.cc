#include "dataplane/route/route_programmer.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <utility>

namespace margay::route {

namespace {

constexpr Duration kRepairDelay = std::chrono::milliseconds(10);
constexpr Duration kResolveDelay = std::chrono::milliseconds(50);

RouteDriverConfig driver_config(const RouteProgrammerConfig& config) {
  RouteDriverConfig out;
  out.protocol = config.protocol;
  out.tables = {config.table};
  out.grace = config.grace;
  out.ipv6 = config.ipv6;
  return out;
}

// The link that has lost what routes need.
std::optional<IfIndex> lost_link(const netlink::MessageView& message) {
  if (message.type == RTM_DELADDR) {
    const auto head = message.header<ifaddrmsg>();
    return head ? std::optional(IfIndex(head->ifa_index)) : std::nullopt;
  }
  if (message.type != RTM_NEWLINK && message.type != RTM_DELLINK) return std::nullopt;
  const auto head = message.header<ifinfomsg>();
  if (!head || (message.type == RTM_NEWLINK && (head->ifi_flags & IFF_UP) != 0)) return std::nullopt;
  return IfIndex(static_cast<std::uint32_t>(head->ifi_index));
}

}  // namespace

void RouteReport::merge(RouteReport&& later) {
  std::map<IpAddress, bool> both = std::move(later.next_hops);
  both.merge(next_hops);  // the later answer stays
  *this = std::move(later);
  next_hops = std::move(both);
}

RouteProgrammer::RouteProgrammer(loop::Loop& loop, netlink::Netlink& kernel, const RouteProgrammerConfig& config,
                                 Callback<void(RouteReport)> on_report)
    : loop_(loop),
      kernel_(kernel),
      table_(config.table),
      driver_(kernel, driver_config(config)),
      resolver_(kernel),
      learned_(driver_, resolver_, Source::kBgp),
      on_report_(std::move(on_report)),
      write_timer_(loop.make_timer([this] { write(); })),
      resolve_timer_(loop.make_timer([this] { resolve_again(); })) {}

Status RouteProgrammer::watch(loop::FdWatcher& watcher) {
  MARGAY_ASSIGN_OR_RETURN(
      links_, netlink::open_monitor(
                  watcher, NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR},
                  {[this](const netlink::MessageView& message) { note_link(message); }, [this] { note_lost(); }}));
  MARGAY_ASSIGN_OR_RETURN(
      routes_, netlink::open_monitor(
                   watcher, NETLINK_ROUTE, {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE},
                   {[this](const netlink::MessageView& message) { note_route(message); }, [this] { note_lost(); }},
                   kernel_.port()));
  return std::monostate();
}

Status RouteProgrammer::read() { return driver_.resync(loop_.now()); }

void RouteProgrammer::apply(const RouteBatch& batch) {
  learned_.apply(batch);
  write();
}

void RouteProgrammer::set_carriage(CarriageRule rule) {
  learned_.set_carriage(std::move(rule));
  write();
}

LearnedRoutes& RouteProgrammer::planned(Source source) {
  const auto [at, is_new] = planned_.try_emplace(source, driver_, resolver_, source);
  if (is_new) {
    RouteBatch table;
    table.move_to(table_);
    at->second.apply(table);
  }
  return at->second;
}

void RouteProgrammer::note_route(const netlink::MessageView& message) {
  if (driver_.note_event(message, loop_.now())) return repair_soon();
  // Somebody else's routes may be what next hops lead over.
  resolve_soon();
}

void RouteProgrammer::note_link(const netlink::MessageView& message) {
  const auto lost = lost_link(message);
  if (lost && driver_.note_link_lost(*lost)) repair_soon();
  resolve_soon();
}

void RouteProgrammer::note_lost() {
  driver_.queue_resync();
  repair_soon();
  resolve_soon();
}

void RouteProgrammer::repair_soon() {
  if (std::exchange(is_repair_due_, true)) return;
  write_timer_->arm(kRepairDelay);
}

// Not later for every event: where something always changes it would never be.
void RouteProgrammer::resolve_soon() {
  if (!resolve_timer_->is_armed()) resolve_timer_->arm(kResolveDelay);
}

void RouteProgrammer::resolve_again() {
  bool has_changed = learned_.resolve_again();
  for (auto& [source, routes] : planned_) has_changed |= routes.resolve_again();
  // What was refused may be possible now: the link of its gateway came up.
  if (has_changed || !driver_.failures().empty()) write();
}

void RouteProgrammer::write() {
  is_repair_due_ = false;
  write_timer_->disarm();
  dataplane::ApplyReport done = driver_.apply(loop_.now());
  if (done.try_again_at) write_timer_->arm(*done.try_again_at - loop_.now());
  RouteReport report;
  report.wanted = learned_.wanted();
  report.unresolved = learned_.unresolved();
  for (auto& [source, routes] : planned_) {
    report.planned += routes.wanted();
    report.planned_unresolved += routes.unresolved();
    static_cast<void>(routes.take_reachability());  // of interest to protocols only
  }
  report.installed = driver_.actual_count();
  report.failed = done.failed;
  report.failures = std::move(done.failures);
  report.next_hops = learned_.take_reachability();
  on_report_(std::move(report));
}

}  // namespace margay::route
