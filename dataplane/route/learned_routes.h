// LearnedRoutes: the routes of a protocol as one source of the route driver. Next hops that lead over other routes are
// resolved in the kernel; those that lead nowhere have no route until resolve_again() finds one.
//
//   RouteBatch ─▶ what is wanted, next hops ─rule, resolver─▶ RouteDriver::set_route
//
// A rule may send routes through a tunnel instead, or keep them out (ipip/plan LearnedRule, by way of the agent).
// Thread: the dataplane's.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "dataplane/route/next_hop_resolver.h"
#include "dataplane/route/route_batch.h"
#include "dataplane/route/route_driver.h"

namespace margay::route {

// How a learnt route leaves by one next hop.
struct Carriage {
  enum class Kind : std::uint8_t {
    kResolved,   // as the kernel reaches the next hop
    kOnlink,     // straight to the next hop out of `device`, whatever that link's addresses say: a tunnel
    kElsewhere,  // not by this source: another says where this prefix goes
    kNone,       // not at all: what should carry it is not there
  };
  Kind kind = Kind::kResolved;
  IfIndex device{};
  std::uint32_t mtu = 0;              // of the route; 0: that of the path
  std::optional<IpAddress> source{};  // of this host's own packets; the kernel must know it as local
  friend constexpr auto operator<=>(const Carriage&, const Carriage&) = default;
};
// Empty: all are resolved.
using CarriageRule = std::function<Carriage(const IpPrefix&, const IpAddress& next_hop)>;

class LearnedRoutes {
 public:
  LearnedRoutes(RouteDriver& driver, NextHopResolver& resolver, Source source)
      : driver_(driver), resolver_(resolver), source_(source) {}
  LearnedRoutes(const LearnedRoutes&) = delete;  // what is wanted refers to sets
  LearnedRoutes& operator=(const LearnedRoutes&) = delete;

  // Tells the driver; writing is the caller's. Another table: the driver makes all routes there before it removes them
  // here.
  void apply(const RouteBatch& batch);
  // From now on, also for what is there: a route that is carried otherwise is one replacing write.
  void set_carriage(CarriageRule rule);
  // Links, addresses or other routes have changed. Next hops are few where routes are many: routes are only looked at
  // when a next hop of theirs leads elsewhere now. True if one does.
  bool resolve_again();

  [[nodiscard]] std::size_t wanted() const { return wanted_.size(); }
  // Those of them that no next hop leads to, but for those that go elsewhere.
  [[nodiscard]] std::size_t unresolved() const;
  // Next hops that can or cannot be reached now, unlike when last asked.
  std::map<IpAddress, bool> take_reachability();

 private:
  struct SetState {
    std::size_t uses = 0;
    std::optional<Route> route;  // nullopt: none of the hops can be reached
    bool has_changed = false;
  };
  // Next hops and how each is carried; no carriages: all are resolved.
  struct CarriedHops {
    HopSet hops;
    std::vector<Carriage> carriages;
  };
  using HopsView = std::pair<const HopSet&, const std::vector<Carriage>&>;
  struct Before {
    using is_transparent = void;
    static HopsView view(const CarriedHops& hops) { return {hops.hops, hops.carriages}; }
    static HopsView view(const HopsView& hops) { return hops; }
    bool operator()(const auto& a, const auto& b) const { return view(a) < view(b); }
  };
  using Sets = std::map<CarriedHops, SetState, Before>;
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
  Sets::value_type* use(const IpPrefix& prefix, const HopSet& hops);
  void release(Sets::value_type* set);
  void decide_carriages(const IpPrefix& prefix, const HopSet& hops);
  [[nodiscard]] std::optional<Route> resolve(const CarriedHops& hops);
  [[nodiscard]] static bool goes_elsewhere(const CarriedHops& hops);
  const std::optional<RouteHop>& hop_to(const IpAddress& next_hop);
  void forget_unused_hops();

  RouteDriver& driver_;
  NextHopResolver& resolver_;
  Source source_;
  CarriageRule rule_;
  std::vector<Carriage> carriages_;  // of the route at hand
  std::optional<RouteTableId> table_;
  Routes wanted_;
  Sets sets_;
  Sets::value_type* recent_ = nullptr;
  std::map<IpAddress, std::optional<RouteHop>> hops_;  // how each next hop was resolved; nullopt: not
  std::map<IpAddress, bool> reachability_;
};

}  // namespace margay::route
