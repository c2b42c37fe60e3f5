#include "dataplane/route/route_driver.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "dataplane/route/send_order.h"

namespace margay::route {

namespace {

// A batch is built and sent in pieces of this many, so that its memory stays small.
constexpr std::size_t kPieceMax = 4096;

// IPv6 without a metric reads back as this (linux: IP6_RT_PRIO_USER).
constexpr std::uint32_t kIpv6DefaultMetric = 1024;

// Found when nothing might be removed yet: its grace begins when something may, as only then others can have said what
// they want.
constexpr TimePoint kNotCounting = TimePoint::min();

void begin_grace(std::map<RouteKey, TimePoint>& found_at, TimePoint now) {
  for (auto& [key, at] : found_at) {
    if (at == kNotCounting) at = now;
  }
}

RouteKey as_kernel_says(RouteKey key) {
  if (!key.prefix.is_v4() && key.metric == 0) key.metric = kIpv6DefaultMetric;
  return key;
}

// What a route must be like for the kernel to give it back as it was put in.
Route as_kernel_says(Route route) {
  if (route.hops.size() == 1) route.hops[0].weight = 1;
  return route;
}

Error words_for(const netlink::Failure& failure) {
  if (failure.error == EEXIST) {
    return Error{ErrorCode::kAlreadyExists, "there is a route of somebody else with this prefix and metric"};
  }
  return netlink::error_of(failure.error, failure.text);
}

}  // namespace

RouteDriver::RouteDriver(netlink::Netlink& kernel, RouteDriverConfig config)
    : kernel_(kernel), config_(std::move(config)) {}

void RouteDriver::add_table(RouteTableId table) {
  if (config_.tables.insert(table).second) needs_resync_ = true;
}

void RouteDriver::set_route(Source source, const RouteKey& given, Route route) {
  const RouteKey key = as_kernel_says(given);
  MARGAY_CHECK(config_.tables.contains(key.table));
  if (!found_at_.empty()) found_at_.erase(key);
  Owned wanted{pool_.put(as_kernel_says(std::move(route))), source};
  const Owned* present = routes_.desired(key);
  if (present != nullptr && present->source < source) {
    shadowed_[key].insert_or_assign(source, wanted.route);
    return;
  }
  if (present != nullptr && present->source > source) {
    shadowed_[key].insert_or_assign(present->source, present->route);
    routes_.remove_desired(key);  // so that the new source is kept even when the routes are equal
  }
  routes_.set_desired(key, std::move(wanted));
}

void RouteDriver::remove_route(Source source, const RouteKey& given) {
  const RouteKey key = as_kernel_says(given);
  const auto shadowed = shadowed_.find(key);
  const Owned* present = routes_.desired(key);
  if (present == nullptr) return;
  if (present->source != source) {
    if (shadowed != shadowed_.end()) shadowed->second.erase(source);
  } else if (shadowed == shadowed_.end() || shadowed->second.empty()) {
    routes_.remove_desired(key);
    failures_.erase(key);
  } else {
    const auto next = shadowed->second.begin();
    routes_.remove_desired(key);
    routes_.set_desired(key, Owned{std::move(next->second), next->first});
    shadowed->second.erase(next);
  }
  if (shadowed != shadowed_.end() && shadowed->second.empty()) shadowed_.erase(shadowed);
}

void RouteDriver::set_protocol(std::uint8_t protocol) {
  if (protocol == config_.protocol) return;
  earlier_protocols_.insert(std::exchange(config_.protocol, protocol));
  needs_resync_ = true;
}

void RouteDriver::set_own_interfaces(std::set<IfIndex> interfaces) { own_interfaces_ = std::move(interfaces); }

void RouteDriver::set_paused(bool is_paused) {
  if (std::exchange(is_paused_, is_paused) && !is_paused) needs_resync_ = true;
}

bool RouteDriver::is_ours(const KernelRoute& route) const {
  if (!config_.tables.contains(route.key.table)) return false;
  if (route.protocol == config_.protocol || earlier_protocols_.contains(route.protocol)) return true;
  const bool is_kernels = route.protocol == RTPROT_KERNEL || route.protocol == RTPROT_REDIRECT;
  return !is_kernels && route.route.hops.size() == 1 && own_interfaces_.contains(route.route.hops[0].interface);
}

RouteDriver::Owned RouteDriver::found(KernelRoute route) {
  const std::uint8_t mark = route.protocol == config_.protocol ? std::uint8_t{0} : route.protocol;
  return Owned{pool_.put(std::move(route.route)), Source::kStatic, mark};
}

// Before it becomes actual: what is neither wanted nor known was made by somebody else, or in an earlier life.
void RouteDriver::remember_found(const RouteKey& key, TimePoint now) {
  if (config_.grace == Duration{}) return;
  if (routes_.desired(key) != nullptr || routes_.actual(key) != nullptr) return;
  found_at_.try_emplace(key, may_remove_ || may_remove_some_ ? now : kNotCounting);
}

bool RouteDriver::note_event(const netlink::MessageView& message, TimePoint now) {
  auto found = parse_route(message);
  if (!found) return false;
  if (!is_ours(*found)) return found->protocol == config_.protocol;
  if (message.type == RTM_NEWROUTE) {
    remember_found(found->key, now);
    const RouteKey key = found->key;
    routes_.note_actual(key, this->found(std::move(*found)));
  } else {
    routes_.actual_lost(found->key);
    found_at_.erase(found->key);
  }
  return true;
}

bool RouteDriver::note_link_lost(IfIndex interface) {
  const bool may_be_ours = pool_.uses(interface);
  needs_resync_ = needs_resync_ || may_be_ours;
  return may_be_ours;
}

Status RouteDriver::resync_family(IpFamily family, std::map<RouteKey, Owned>& found) {
  netlink::Batch request;
  const bool is_one_table = config_.tables.size() == 1;
  // 0: of all protocols.
  const bool is_one_protocol = earlier_protocols_.empty() && own_interfaces_.empty();
  add_dump_request(request, family, is_one_protocol ? config_.protocol : std::uint8_t{0},
                   is_one_table ? std::optional(*config_.tables.begin()) : std::nullopt);
  const Status dumped = kernel_.dump(
      request, [&] { found.clear(); },
      [&](const netlink::MessageView& message) {
        auto route = parse_route(message);
        if (route && is_ours(*route)) {
          const RouteKey key = route->key;
          found.insert_or_assign(found.end(), key, this->found(std::move(*route)));
        }
      });
  // A table that nothing was ever put in is not there for the kernel.
  if (!dumped.ok() && dumped.error().code != ErrorCode::kNotFound) return dumped.error().within("reading routes");
  return std::monostate();
}

Status RouteDriver::resync(TimePoint now) {
  std::map<RouteKey, Owned> actual;
  MARGAY_RETURN_IF_ERROR(resync_family(IpFamily::kV4, actual));
  if (config_.ipv6) {
    std::map<RouteKey, Owned> second;
    MARGAY_RETURN_IF_ERROR(resync_family(IpFamily::kV6, second));
    actual.merge(second);
  }
  for (const auto& [key, owned] : actual) remember_found(key, now);
  std::erase_if(found_at_, [&](const auto& entry) { return !actual.contains(entry.first); });
  routes_.replace_all_actual(std::move(actual));
  needs_resync_ = false;
  return std::monostate();
}

dataplane::ApplyReport RouteDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  if (is_paused_) return report;
  if (needs_resync_) {
    const Status read = resync(now);
    if (!read.ok()) {
      add_failure(report, "routes", read.error());
      report.try_again_at = now + backoff_.next();
      return report;
    }
  }
  failures_.clear();  // each is tried again; send_updates() fills it anew
  if (may_remove_ || may_remove_some_) begin_grace(found_at_, now);
  send_updates(report);
  if (may_remove_ || may_remove_some_) send_removes(report, now);
  plan_next(report, now);
  return report;
}

template <class Add, class OnFailure>
std::vector<bool> RouteDriver::send(const std::vector<Due>& due, const std::vector<std::uint32_t>& order,
                                    dataplane::ApplyReport& report, Add&& add, OnFailure&& on_failure) {
  std::vector<bool> is_done(due.size(), false);
  netlink::Batch batch;
  for (std::size_t begin = 0; begin < order.size(); begin += batch.size()) {
    batch.clear();
    const std::size_t end = std::min(order.size(), begin + kPieceMax);
    for (std::size_t i = begin; i < end; ++i) add(batch, due[order[i]]);
    const netlink::BatchReport sent = kernel_.apply(batch);
    if (!sent.transport.ok()) {
      needs_resync_ = true;
      add_failure(report, "routes", sent.transport.error());
      break;
    }
    for (std::size_t i = begin; i < end; ++i) is_done[order[i]] = true;
    for (const netlink::Failure& failure : sent.failures) {
      const std::uint32_t place = order[begin + failure.index];
      is_done[place] = on_failure(*due[place].key, failure);
    }
  }
  return is_done;
}

// An IPv6 route whose on-link gateway lies in its own prefix (a VXLAN's end is an address of the block): the kernel
// looks the gateway up before it takes the route, and by the one that is to be replaced it lies on another link (linux:
// net/ipv6/route.c, ip6_route_check_nh_onlink).
bool RouteDriver::leads_to_itself(const RouteKey& key) const {
  const Owned* const wanted = routes_.desired(key);
  if (!key.prefix.is_v6() || wanted == nullptr || routes_.actual(key) == nullptr) return false;
  const std::vector<RouteHop>& hops = wanted->route->hops;
  return std::any_of(hops.begin(), hops.end(), [&](const RouteHop& hop) {
    return hop.is_onlink && hop.gateway && key.prefix.contains(*hop.gateway);
  });
}

// The old one goes and the new one comes in one call: the prefix is without a route for some microseconds.
bool RouteDriver::replace_in_two(const RouteKey& key) {
  const Owned& actual = *routes_.actual(key);
  netlink::Batch batch;
  add_delete_request(batch, key, *actual.route, actual.mark == 0 ? config_.protocol : actual.mark);
  add_route_request(batch, key, *routes_.desired(key)->route, config_.protocol, Write::kNew);
  const netlink::BatchReport sent = kernel_.apply(batch);
  const bool is_done = sent.transport.ok() && sent.failures.empty();
  if (!is_done) needs_resync_ = true;
  return is_done;
}

void RouteDriver::send_updates(dataplane::ApplyReport& report) {
  if (routes_.pending_updates() == 0) return;
  std::vector<Due> due;
  due.reserve(routes_.pending_updates());
  std::vector<std::uint32_t> group_of;
  group_of.reserve(routes_.pending_updates());
  std::map<const Route*, std::uint32_t> groups;
  routes_.apply_updates([&](const RouteKey& key, const Owned& wanted, const Owned* actual) {
    due.push_back({&key, &wanted, actual == nullptr});
    group_of.push_back(groups.try_emplace(&*wanted.route, groups.size()).first->second);
    return Outcome::kFailed;
  });
  const std::vector<bool> is_done = send(
      due, send_order(group_of, groups.size()), report,
      [&](netlink::Batch& batch, const Due& one) {
        add_route_request(batch, *one.key, *one.route->route, config_.protocol,
                          one.is_new ? Write::kNew : Write::kReplace);
      },
      [&](const RouteKey& key, const netlink::Failure& failure) {
        if (failure.error == EINVAL && leads_to_itself(key) && replace_in_two(key)) return true;
        // What we took for ours to replace is gone: the kernel must be read again.
        if (failure.error == ENOENT) needs_resync_ = true;
        // It may be by an interface that is ours since the last reading: then it is taken over.
        if (failure.error == EEXIST && !own_interfaces_.empty()) needs_resync_ = true;
        fail(report, key, words_for(failure));
        return false;
      });
  std::size_t place = 0;  // the second walk is as the first
  routes_.apply_updates([&](const RouteKey&, const Owned&, const Owned*) {
    return is_done[place++] ? Outcome::kApplied : Outcome::kFailed;
  });
  report.updated += static_cast<std::size_t>(std::count(is_done.begin(), is_done.end(), true));
}

bool RouteDriver::may_remove(const RouteKey& key, const Route& route) const {
  return may_remove_ || (may_remove_some_ && may_remove_some_(key, route));
}

bool RouteDriver::is_removable(const RouteKey& key, const Route& route, TimePoint now) const {
  if (!may_remove(key, route)) return false;
  const auto found = found_at_.find(key);
  return found == found_at_.end() || found->second + config_.grace <= now;
}

void RouteDriver::send_removes(dataplane::ApplyReport& report, TimePoint now) {
  if (routes_.pending_removes() == 0) return;
  std::vector<Due> due;
  due.reserve(routes_.pending_removes());
  routes_.apply_removes([&](const RouteKey& key, const Owned& actual) {
    if (is_removable(key, *actual.route, now)) due.push_back({&key, &actual, false});
    return Outcome::kFailed;
  });
  const std::vector<bool> is_done = send(
      due, send_order(std::vector<std::uint32_t>(due.size(), 0), 1), report,
      [&](netlink::Batch& batch, const Due& one) {
        const std::uint8_t mark = one.route->mark;
        add_delete_request(batch, *one.key, *one.route->route, mark == 0 ? config_.protocol : mark);
      },
      [&](const RouteKey& key, const netlink::Failure& failure) {
        if (failure.error == ESRCH) return true;  // gone already, which is what was wanted
        fail(report, key, words_for(failure));
        return false;
      });
  std::size_t place = 0;
  routes_.apply_removes([&](const RouteKey& key, const Owned&) {
    if (place == due.size() || due[place].key != &key) return Outcome::kFailed;
    if (!is_done[place++]) return Outcome::kFailed;
    if (!found_at_.empty()) found_at_.erase(key);
    return Outcome::kApplied;
  });
  report.removed += static_cast<std::size_t>(std::count(is_done.begin(), is_done.end(), true));
}

void RouteDriver::add_failure(dataplane::ApplyReport& report, std::string object, const Error& error) {
  ++report.failed;
  if (report.failures.size() < dataplane::kFailuresReportedMax) report.failures.push_back({std::move(object), error});
}

void RouteDriver::fail(dataplane::ApplyReport& report, const RouteKey& key, Error error) {
  add_failure(report, concat("route ", key.to_string()), error);
  if (routes_.desired(key) != nullptr) failures_.insert_or_assign(key, std::move(error));
}

void RouteDriver::plan_next(dataplane::ApplyReport& report, TimePoint now) {
  if (report.failed > 0) {
    report.try_again_at = now + backoff_.next();
  } else {
    backoff_.succeed();
  }
  if (config_.grace == Duration{}) return;
  for (const auto& [key, found] : found_at_) {
    if (routes_.desired(key) != nullptr || found + config_.grace <= now) continue;
    const Owned* actual = routes_.actual(key);
    if (actual == nullptr || !may_remove(key, *actual->route)) continue;
    const TimePoint due = found + config_.grace;
    if (!report.try_again_at || due < *report.try_again_at) report.try_again_at = due;
  }
}

const Route* RouteDriver::desired(const RouteKey& key) const {
  const Owned* owned = routes_.desired(as_kernel_says(key));
  return owned == nullptr ? nullptr : &*owned->route;
}

const Route* RouteDriver::actual(const RouteKey& key) const {
  const Owned* owned = routes_.actual(as_kernel_says(key));
  return owned == nullptr ? nullptr : &*owned->route;
}

}  // namespace margay::route
