// The part of FelixConfiguration (projectcalico.org/v3) about NAT and routes. A comment is the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"
#include "datastore/model/felix_values.h"

namespace margay::model {

struct FelixRoutes {
  std::optional<IpAddress> nat_outgoing_address;
  std::optional<PortRange> nat_port_range;
  std::optional<NatOutgoingExclusions> nat_outgoing_exclusions;  // IPPoolsOnly
  std::string iptables_nat_outgoing_interface_filter;
  std::optional<std::int32_t> device_route_protocol;  // 3
  std::optional<IpAddress> device_route_source_address;
  std::optional<IpAddress> device_route_source_address_ipv6;
  std::optional<bool> remove_external_routes;         // true
  std::optional<Duration> route_refresh_interval;     // 90s
  std::optional<RouteSource> route_source;            // CalicoIPAM
  std::optional<bool> route_sync_disabled;            // false
  std::vector<RouteTableIdRange> route_table_ranges;  // 1 to 250
  std::optional<RouteTableIdRange> route_table_range;
  std::optional<std::int32_t> ipv4_normal_route_priority;                 // 1024
  std::optional<std::int32_t> ipv6_normal_route_priority;                 // 1024
  std::optional<std::int32_t> ipv4_elevated_route_priority;               // 512
  std::optional<std::int32_t> ipv6_elevated_route_priority;               // 512
  std::optional<Duration> live_migration_route_convergence_time;          // 30s
  std::optional<ProgramClusterRoutes> program_cluster_routes;             // EnabledIPIPOnly
  std::optional<LocalSubnetReachability> local_subnet_l2_reachability;    // Disabled
  std::optional<Duration> local_subnet_l2_reachability_refresh_interval;  // 120s

  friend bool operator==(const FelixRoutes&, const FelixRoutes&) = default;
};

}  // namespace margay::model
