// LearnedRoutes: the routes of a protocol as one source of the route driver. Next hops that lead over other routes are
// resolved in the kernel; those that lead nowhere have no route until resolve_again() finds one.
//
//   RouteBatch ─▶ what is wanted, next hops ─resolver─▶ RouteDriver::set_route
//
// Thread: the dataplane's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include "absl/container/btree_map.h"
#include "dataplane/route/next_hop_resolver.h"
#include "dataplane/route/route_batch.h"
#include "dataplane/route/route_driver.h"

namespace margay::route {

class LearnedRoutes {
 public:
  LearnedRoutes(RouteDriver& driver, NextHopResolver& resolver, Source source)
      : driver_(driver), resolver_(resolver), source_(source) {}
  LearnedRoutes(const LearnedRoutes&) = delete;  // what is wanted refers to sets
  LearnedRoutes& operator=(const LearnedRoutes&) = delete;

  // Tells the driver; writing is the caller's. Another table: the driver makes all routes there before it removes them
  // here.
  void apply(const RouteBatch& batch);
  // Links, addresses or other routes have changed. Next hops are few where routes are many: routes are only looked at
  // when a next hop of theirs leads elsewhere now. True if one does.
  bool resolve_again();

  [[nodiscard]] std::size_t wanted() const { return wanted_.size(); }
  // Those of them that no next hop leads to.
  [[nodiscard]] std::size_t unresolved() const;
  // Next hops that can or cannot be reached now, unlike when last asked.
  std::map<IpAddress, bool> take_reachability();

 private:
  struct SetState {
    std::size_t uses = 0;
    std::optional<Route> route;  // nullopt: none of the hops can be reached
    bool has_changed = false;
  };
  using Sets = std::map<HopSet, SetState>;
  struct Wanted {
    Sets::value_type* hops = nullptr;
    std::uint32_t metric = 0;
  };
  using Routes = absl::btree_map<IpPrefix, Wanted>;

  void set(const IpPrefix& prefix, const HopSet& hops, std::uint32_t metric);
  void remove(const IpPrefix& prefix);
  void begin_anew(const RouteBatch& batch);
  void move_to(std::optional<RouteTableId> table);
  void tell(const IpPrefix& prefix, const Wanted& wanted);
  void untell(const IpPrefix& prefix, std::uint32_t metric, std::optional<RouteTableId> table);
  Sets::value_type* use(const HopSet& hops);
  void release(Sets::value_type* set);
  [[nodiscard]] std::optional<Route> resolve(const HopSet& hops);
  const std::optional<RouteHop>& hop_to(const IpAddress& next_hop);
  void forget_unused_hops();

  RouteDriver& driver_;
  NextHopResolver& resolver_;
  Source source_;
  std::optional<RouteTableId> table_;
  Routes wanted_;
  Sets sets_;
  Sets::value_type* recent_ = nullptr;
  std::map<IpAddress, std::optional<RouteHop>> hops_;  // how each next hop was resolved; nullopt: not
  std::map<IpAddress, bool> reachability_;
};

}  // namespace margay::route
