#include "dataplane/route/learned_routes.h"

#include <algorithm>
#include <set>
#include <utility>

namespace margay::route {

void LearnedRoutes::apply(const RouteBatch& batch) {
  if (batch.starts_anew()) begin_anew(batch);
  if (batch.table()) move_to(*batch.table());
  for (const RouteBatch::Change& change : batch.changes()) {
    if (change.hops == nullptr) {
      remove(change.prefix);
    } else {
      set(change.prefix, *change.hops, change.metric);
    }
  }
  if (batch.is_converged()) driver_.allow_removal();
}

// Only what is not wanted again goes: the rest is not touched.
void LearnedRoutes::begin_anew(const RouteBatch& batch) {
  std::set<IpPrefix> again;
  for (const RouteBatch::Change& change : batch.changes()) again.insert(change.prefix);
  for (auto at = wanted_.begin(); at != wanted_.end();) {
    if (again.contains(at->first)) {
      ++at;
      continue;
    }
    untell(at->first, at->second.metric, table_);
    release(at->second.hops);
    at = wanted_.erase(at);
  }
}

void LearnedRoutes::move_to(std::optional<RouteTableId> table) {
  if (table == table_) return;
  const auto before = std::exchange(table_, table);
  if (table) {
    driver_.add_table(*table);
    for (const auto& [prefix, wanted] : wanted_) tell(prefix, wanted);
  } else {
    driver_.allow_removal();  // whatever is there of ours is not wanted
  }
  for (const auto& [prefix, wanted] : wanted_) untell(prefix, wanted.metric, before);
}

void LearnedRoutes::set(const IpPrefix& prefix, const HopSet& hops, std::uint32_t metric) {
  const Wanted now{use(prefix, hops), metric};
  const auto [at, is_new] = wanted_.try_emplace(prefix, now);
  tell(prefix, now);
  if (is_new) return;
  const Wanted before = std::exchange(at->second, now);
  if (before.metric != metric) untell(prefix, before.metric, table_);
  release(before.hops);
}

void LearnedRoutes::remove(const IpPrefix& prefix) {
  const auto at = wanted_.find(prefix);
  if (at == wanted_.end()) return;
  untell(prefix, at->second.metric, table_);
  release(at->second.hops);
  wanted_.erase(at);
}

void LearnedRoutes::tell(const IpPrefix& prefix, const Wanted& wanted) {
  if (!table_) return;
  const std::optional<Route>& route = wanted.hops->second.route;
  if (!route) return untell(prefix, wanted.metric, table_);
  driver_.set_route(source_, {*table_, prefix, wanted.metric}, *route);
}

void LearnedRoutes::untell(const IpPrefix& prefix, std::uint32_t metric, std::optional<RouteTableId> table) {
  if (table) driver_.remove_route(source_, {*table, prefix, metric});
}

void LearnedRoutes::decide_carriages(const IpPrefix& prefix, const HopSet& hops) {
  carriages_.clear();
  if (!rule_) return;
  bool is_any_other = false;
  for (const LearnedHop& hop : hops) {
    const Carriage& carriage = carriages_.emplace_back(rule_(prefix, hop.address));
    is_any_other |= carriage != Carriage{};
  }
  if (!is_any_other) carriages_.clear();
}

LearnedRoutes::Sets::value_type* LearnedRoutes::use(const IpPrefix& prefix, const HopSet& hops) {
  decide_carriages(prefix, hops);
  if (recent_ == nullptr || recent_->first.hops != hops || recent_->first.carriages != carriages_) {
    auto at = sets_.find(HopsView(hops, carriages_));
    if (at == sets_.end()) {
      at = sets_.try_emplace(CarriedHops{hops, carriages_}).first;
      at->second.route = resolve(at->first);
    }
    recent_ = &*at;
  }
  ++recent_->second.uses;
  return recent_;
}

void LearnedRoutes::set_carriage(CarriageRule rule) {
  rule_ = std::move(rule);
  for (auto& [prefix, wanted] : wanted_) {
    Sets::value_type* const before = wanted.hops;
    wanted.hops = use(prefix, before->first.hops);
    if (wanted.hops != before) tell(prefix, wanted);
    release(before);
  }
}

void LearnedRoutes::release(Sets::value_type* set) {
  if (--set->second.uses > 0) return;
  if (recent_ == set) recent_ = nullptr;
  sets_.erase(sets_.find(set->first));
}

// The hops that can be reached; nullopt when none can.
std::optional<Route> LearnedRoutes::resolve(const CarriedHops& hops) {
  Route route;
  route.hops.reserve(hops.hops.size());
  for (std::size_t i = 0; i < hops.hops.size(); ++i) {
    const LearnedHop& learned = hops.hops[i];
    const Carriage carriage = hops.carriages.empty() ? Carriage{} : hops.carriages[i];
    if (carriage.kind == Carriage::Kind::kNone || carriage.kind == Carriage::Kind::kElsewhere) continue;
    if (carriage.kind == Carriage::Kind::kOnlink) {
      route.mtu = carriage.mtu;
      route.preferred_source = carriage.source;
      route.hops.push_back({.gateway = learned.address, .interface = carriage.device, .is_onlink = true});
      continue;
    }
    const std::optional<RouteHop>& hop = hop_to(learned.address);
    if (!hop) continue;
    route.mtu = carriage.mtu;
    route.preferred_source = carriage.source;
    RouteHop& added = route.hops.emplace_back(*hop);
    if (learned.link_local && added.gateway == learned.address) added.gateway = learned.link_local;
  }
  if (route.hops.empty()) return std::nullopt;
  return route;
}

const std::optional<RouteHop>& LearnedRoutes::hop_to(const IpAddress& next_hop) {
  const auto [at, is_new] = hops_.try_emplace(next_hop);
  if (is_new) {
    if (const auto hop = resolver_.resolve(next_hop); hop.ok()) at->second = *hop;
    if (!at->second) reachability_[next_hop] = false;
  }
  return at->second;
}

void LearnedRoutes::forget_unused_hops() {
  std::set<IpAddress> used;
  for (const auto& [hops, state] : sets_) {
    for (const LearnedHop& hop : hops.hops) used.insert(hop.address);
  }
  std::erase_if(hops_, [&used](const auto& entry) { return !used.contains(entry.first); });
}

bool LearnedRoutes::resolve_again() {
  resolver_.forget();
  forget_unused_hops();
  bool has_changed = false;
  for (auto& [next_hop, hop] : hops_) {
    const auto resolved = resolver_.resolve(next_hop);
    std::optional<RouteHop> now = resolved.ok() ? std::optional(*resolved) : std::nullopt;
    if (now == hop) continue;
    has_changed = true;
    if (now.has_value() != hop.has_value()) reachability_[next_hop] = now.has_value();
    hop = now;
  }
  if (!has_changed) return false;
  for (auto& [hops, state] : sets_) {
    std::optional<Route> now = resolve(hops);
    state.has_changed = now != state.route;
    state.route = std::move(now);
  }
  for (const auto& [prefix, wanted] : wanted_) {
    if (wanted.hops->second.has_changed) tell(prefix, wanted);
  }
  return true;
}

bool LearnedRoutes::goes_elsewhere(const CarriedHops& hops) {
  return !hops.carriages.empty() && std::all_of(hops.carriages.begin(), hops.carriages.end(), [](const Carriage& each) {
    return each.kind == Carriage::Kind::kElsewhere;
  });
}

std::size_t LearnedRoutes::unresolved() const {
  std::size_t count = 0;
  for (const auto& [hops, state] : sets_) count += state.route || goes_elsewhere(hops) ? 0 : state.uses;
  return count;
}

std::map<IpAddress, bool> LearnedRoutes::take_reachability() { return std::exchange(reachability_, {}); }

}  // namespace margay::route
