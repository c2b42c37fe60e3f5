#include "bgp/rib/kernel_routes.h"

#include <algorithm>

namespace margay::bgp::rib {

bool KernelRoutes::Entry::equals(const Entry& other) const {
  return next_hops == other.next_hops && priority == other.priority && is_external == other.is_external &&
         is_elevated == other.is_elevated;
}

std::uint32_t KernelRoutes::Entry::hash() const {
  std::uint64_t hash = std::uint64_t{priority} << 2 | (is_external ? 2U : 0U) | (is_elevated ? 1U : 0U);
  for (const NextHopId id : next_hops) hash = std::uint64_t{spread(hash)} << 32 | (id ^ spread(~hash));
  return spread(hash);
}

bool KernelRoutes::load(const PrefixEntry& entry) {
  const Path* best = tables_.best(entry);
  if (best == nullptr || best->is_local()) return false;
  wanted_.next_hops.assign(1, best->next_hop);
  wanted_.priority = tables_.priority(*best);
  wanted_.is_external = !tables_.facts[best->peer].is_internal;
  // calico.md 5.4: a route that is being moved to this peer beats the workload that is still here.
  wanted_.is_elevated = wanted_.priority < kNormalPriority;
  if (best->next != kNoId) add_multipath(*best);
  return true;
}

void KernelRoutes::add_multipath(const Path& best) {
  for (PathId id = best.next; id != kNoId; id = tables_.paths[id].next) {
    if (tables_.paths[id].is_multipath) wanted_.next_hops.push_back(tables_.paths[id].next_hop);
  }
  std::vector<NextHopId>& ids = wanted_.next_hops;
  const auto less = [this](NextHopId a, NextHopId b) { return tables_.next_hops[a] < tables_.next_hops[b]; };
  std::sort(ids.begin(), ids.end(), less);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.size() <= multipath_max_) return;
  // The best path's own next hop is always among them.
  const bool is_best_cut = std::find(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(multipath_max_),
                                     best.next_hop) == ids.begin() + static_cast<std::ptrdiff_t>(multipath_max_);
  ids.resize(multipath_max_);
  if (is_best_cut) ids.back() = best.next_hop;
}

std::uint32_t KernelRoutes::intern() {
  std::uint32_t id = recent_;
  if (id == kNoId || !entries_[id].equals(wanted_)) {
    id = index_.find(wanted_.hash(), [this](std::uint32_t other) { return entries_[other].equals(wanted_); });
  }
  if (id == kNoId) {
    for (const NextHopId next_hop : wanted_.next_hops) tables_.next_hops.retain(next_hop);
    wanted_.references = 0;
    id = entries_.add(wanted_);
    index_.insert(id, wanted_.hash());
  }
  ++entries_[id].references;
  recent_ = id;
  return id;
}

void KernelRoutes::release(std::uint32_t id) {
  if (--entries_[id].references != 0) return;
  index_.erase(id, entries_[id].hash());
  for (const NextHopId next_hop : entries_[id].next_hops) tables_.next_hops.release(next_hop);
  entries_[id] = {};
  entries_.remove(id);
  if (recent_ == id) recent_ = kNoId;
}

BestRoute KernelRoutes::route(std::uint32_t id) const {
  const Entry& entry = entries_[id];
  BestRoute route;
  route.next_hops.reserve(entry.next_hops.size());
  for (const NextHopId next_hop : entry.next_hops) route.next_hops.push_back(tables_.next_hops[next_hop]);
  route.priority = entry.priority;
  route.is_external = entry.is_external;
  route.is_elevated = entry.is_elevated;
  return route;
}

std::vector<RouteChange> KernelRoutes::all() const {
  std::vector<RouteChange> changes;
  for (const Family family : kFamilies) {
    const PrefixTable& prefixes = tables_.prefixes[family];
    for (const PrefixId prefix : prefixes.sorted()) {
      const std::uint32_t id = prefixes[prefix].best_route;
      if (id != kNoId) changes.push_back({prefixes.prefix(prefix), route(id)});
    }
  }
  return changes;
}

void KernelRoutes::update(Family family, PrefixId prefix, std::vector<RouteChange>& changes) {
  PrefixEntry& entry = tables_.prefixes[family][prefix];
  const std::uint32_t before = entry.best_route;
  const std::uint32_t now = load(entry) ? intern() : kNoId;
  entry.best_route = now;
  if (now != before) {
    RouteChange change{tables_.prefixes[family].prefix(prefix), std::nullopt};
    if (now != kNoId) change.route = route(now);
    changes.push_back(std::move(change));
  }
  if (before != kNoId) release(before);
}

}  // namespace margay::bgp::rib
