#include "dataplane/route/route_driver.h"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::route {

namespace {

// A batch is built and sent in pieces of this many, so that its memory stays small.
constexpr std::size_t kPieceMax = 4096;

// IPv6 without a metric reads back as this (linux: IP6_RT_PRIO_USER).
constexpr std::uint32_t kIpv6DefaultMetric = 1024;

RouteKey as_kernel_says(RouteKey key) {
  if (!key.prefix.is_v4() && key.metric == 0) key.metric = kIpv6DefaultMetric;
  return key;
}

// What a route must be like for the kernel to give it back as it was put in.
Route as_kernel_says(Route route) {
  if (route.hops.size() == 1) route.hops[0].weight = 1;
  return route;
}

// errno by index of the request; requests that succeeded are not in it.
std::map<std::size_t, const netlink::Failure*> by_index(const netlink::BatchReport& report) {
  std::map<std::size_t, const netlink::Failure*> out;
  for (const netlink::Failure& failure : report.failures) out.emplace(failure.index, &failure);
  return out;
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

void RouteDriver::set_route(Source source, const RouteKey& given, Route route) {
  const RouteKey key = as_kernel_says(given);
  MARGAY_CHECK(config_.tables.contains(key.table));
  Owned wanted{as_kernel_says(std::move(route)), source};
  const Owned* present = routes_.desired(key);
  if (present != nullptr && present->source < source) {
    shadowed_[key].insert_or_assign(source, std::move(wanted.route));
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

bool RouteDriver::is_ours(const KernelRoute& route) const {
  return route.protocol == config_.protocol && config_.tables.contains(route.key.table);
}

// Before it becomes actual: what is neither wanted nor known was made by somebody else, or in an earlier life.
void RouteDriver::remember_found(const RouteKey& key, TimePoint now) {
  if (routes_.desired(key) == nullptr && routes_.actual(key) == nullptr) found_at_.try_emplace(key, now);
}

bool RouteDriver::note_event(const netlink::MessageView& message, TimePoint now) {
  auto found = parse_route(message);
  if (!found) return false;
  if (!is_ours(*found)) return found->protocol == config_.protocol;
  if (message.type == RTM_NEWROUTE) {
    remember_found(found->key, now);
    routes_.note_actual(found->key, Owned{std::move(found->route), Source::kStatic});
  } else {
    routes_.actual_lost(found->key);
    found_at_.erase(found->key);
  }
  return true;
}

Status RouteDriver::resync(TimePoint now) {
  std::vector<KernelRoute> found;
  std::map<RouteKey, Owned> actual;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    if (family == IpFamily::kV6 && !config_.ipv6) continue;
    std::vector<KernelRoute> of_family;
    netlink::Batch request;
    const bool is_one_table = config_.tables.size() == 1;
    add_dump_request(request, family, config_.protocol,
                     is_one_table ? std::optional(*config_.tables.begin()) : std::nullopt);
    const Status dumped = kernel_.dump(
        request, [&] { of_family.clear(); },
        [&](const netlink::MessageView& message) {
          auto route = parse_route(message);
          if (route && is_ours(*route)) of_family.push_back(std::move(*route));
        });
    // A table that nothing was ever put in is not there for the kernel.
    if (!dumped.ok() && dumped.error().code != ErrorCode::kNotFound) return dumped.error().within("reading routes");
    std::move(of_family.begin(), of_family.end(), std::back_inserter(found));
  }
  for (KernelRoute& route : found) {
    remember_found(route.key, now);
    actual.insert_or_assign(actual.end(), route.key, Owned{std::move(route.route), Source::kStatic});
  }
  std::erase_if(found_at_, [&](const auto& entry) { return !actual.contains(entry.first); });
  routes_.replace_all_actual(std::move(actual));
  needs_resync_ = false;
  return std::monostate();
}

dataplane::ApplyReport RouteDriver::apply(TimePoint now) {
  dataplane::ApplyReport report;
  if (needs_resync_) {
    const Status read = resync(now);
    if (!read.ok()) {
      report.failed = 1;
      report.failures.push_back({"routes", read.error()});
      report.try_again_at = now + backoff_.next();
      return report;
    }
  }
  failures_.clear();  // each is tried again; send_updates() fills it anew
  send_updates(report);
  if (may_remove_) send_removes(report, now);
  plan_next(report, now);
  return report;
}

void RouteDriver::send_updates(dataplane::ApplyReport& report) {
  while (routes_.pending_updates() > 0) {
    netlink::Batch batch;
    routes_.apply_updates([&](const RouteKey& key, const Owned& wanted, const Owned* actual) {
      if (batch.size() == kPieceMax) return Outcome::kStop;
      if (failures_.contains(key)) return Outcome::kFailed;
      add_route_request(batch, key, wanted.route, config_.protocol, actual == nullptr ? Write::kNew : Write::kReplace);
      return Outcome::kFailed;
    });
    if (batch.empty()) break;
    const netlink::BatchReport sent = kernel_.apply(batch);
    if (!sent.transport.ok()) {
      needs_resync_ = true;
      return fail(report, RouteKey{}, sent.transport.error());
    }
    const auto failed = by_index(sent);
    std::size_t index = 0;
    routes_.apply_updates([&](const RouteKey& key, const Owned&, const Owned*) {
      if (index == batch.size()) return Outcome::kStop;
      if (failures_.contains(key)) return Outcome::kFailed;
      const auto failure = failed.find(index++);
      if (failure == failed.end()) {
        ++report.updated;
        return Outcome::kApplied;
      }
      // What we took for ours to replace is gone: the kernel must be read again.
      if (failure->second->error == ENOENT) needs_resync_ = true;
      fail(report, key, words_for(*failure->second));
      return Outcome::kFailed;
    });
  }
}

bool RouteDriver::is_removable(const RouteKey& key, TimePoint now) const {
  const auto found = found_at_.find(key);
  return found == found_at_.end() || found->second + config_.grace <= now;
}

void RouteDriver::send_removes(dataplane::ApplyReport& report, TimePoint now) {
  std::set<RouteKey> stuck;
  while (true) {
    netlink::Batch batch;
    std::vector<RouteKey> keys;
    routes_.apply_removes([&](const RouteKey& key, const Owned& actual) {
      if (batch.size() == kPieceMax) return Outcome::kStop;
      if (stuck.contains(key) || !is_removable(key, now)) return Outcome::kFailed;
      add_delete_request(batch, key, actual.route, config_.protocol);
      keys.push_back(key);
      return Outcome::kFailed;
    });
    if (batch.empty()) return;
    const netlink::BatchReport sent = kernel_.apply(batch);
    if (!sent.transport.ok()) {
      needs_resync_ = true;
      return fail(report, RouteKey{}, sent.transport.error());
    }
    for (const netlink::Failure& failure : sent.failures) {
      if (failure.error == ESRCH) continue;  // gone already, which is what was wanted
      stuck.insert(keys[failure.index]);
      fail(report, keys[failure.index], words_for(failure));
    }
    for (const RouteKey& key : keys) {
      if (stuck.contains(key)) continue;
      ++report.removed;
      routes_.actual_lost(key);
      found_at_.erase(key);
    }
  }
}

void RouteDriver::fail(dataplane::ApplyReport& report, const RouteKey& key, Error error) {
  ++report.failed;
  if (report.failures.size() < dataplane::kFailuresReportedMax) {
    report.failures.push_back({concat("route ", key.to_string()), error});
  }
  if (routes_.desired(key) != nullptr) failures_.insert_or_assign(key, std::move(error));
}

void RouteDriver::plan_next(dataplane::ApplyReport& report, TimePoint now) {
  if (report.failed > 0) {
    report.try_again_at = now + backoff_.next();
  } else {
    backoff_.succeed();
  }
  if (!may_remove_ || config_.grace == Duration{}) return;
  for (const auto& [key, found] : found_at_) {
    if (routes_.desired(key) != nullptr || found + config_.grace <= now) continue;
    const TimePoint due = found + config_.grace;
    if (!report.try_again_at || due < *report.try_again_at) report.try_again_at = due;
  }
}

const Route* RouteDriver::desired(const RouteKey& key) const {
  const Owned* owned = routes_.desired(as_kernel_says(key));
  return owned == nullptr ? nullptr : &owned->route;
}

const Route* RouteDriver::actual(const RouteKey& key) const {
  const Owned* owned = routes_.actual(as_kernel_says(key));
  return owned == nullptr ? nullptr : &owned->route;
}

}  // namespace margay::route
