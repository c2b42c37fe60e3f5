// OwnRoutes: the routes that this node has for itself, as the route driver is told of them: to its workloads, and for
// what is left of its blocks, nowhere.
//
//   set_workload, set_blocks, set_form ─▶ RouteDriver (kLocalWorkload, kBlackhole); who writes is the caller
//
// Thread: the dataplane's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "base/core/field_error.h"
#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/prefix.h"
#include "dataplane/route/route_driver.h"
#include "datastore/model/felix_routes.h"

namespace margay::agent {

// What settings say of them.
struct RouteForm {
  // ipv4NormalRoutePriority and ipv6…: what BGP gives its routes too, so that one prefix is one key.
  std::uint32_t metric_v4 = 1024, metric_v6 = 1024;
  // deviceRouteSourceAddress: what the host itself says to workloads it says from there.
  std::optional<IpAddress> source_v4{}, source_v6{};
  friend bool operator==(const RouteForm&, const RouteForm&) = default;
};
RouteForm form_of(const model::FelixRoutes& settings);

// deviceRouteProtocol; `fallback` where nothing is said, or a number under which others have routes that are none of
// ours (the kernel, ip-route, DHCP clients): what bears our number and is not wanted is removed.
std::uint8_t protocol_of(const model::FelixRoutes& settings, std::uint8_t fallback, FieldErrors& problems);

class OwnRoutes {
 public:
  explicit OwnRoutes(route::RouteDriver& driver) : driver_(driver) {}

  // All routes become so; true if there is something to write.
  bool set_form(const RouteForm& form);
  // nullopt: there is no way to it.
  void set_workload(const IpPrefix& address, std::optional<IfIndex> interface);
  // A block of one address is that address: it is routed, or it is not there.
  void set_blocks(const std::set<IpPrefix>& blocks);

  [[nodiscard]] route::RouteKey key_of(const IpPrefix& prefix) const;

 private:
  void put(const IpPrefix& address, IfIndex interface);
  void put_block(const IpPrefix& block);

  route::RouteDriver& driver_;
  RouteForm form_;
  std::map<IpPrefix, IfIndex> workloads_;
  std::set<IpPrefix> blocks_;
};

}  // namespace margay::agent
