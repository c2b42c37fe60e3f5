// NAT and routes of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

template <class Archive, Is<model::RouteTableIdRange> S>
void fields(Archive& a, S& s) {
  a.required("min", s.min);
  a.required("max", s.max);
}

namespace {

template <class Archive, Is<model::FelixRoutes> S>
void list_routes(Archive& a, S& s) {
  a.field("natOutgoingAddress", s.nat_outgoing_address);
  a.field("natPortRange", s.nat_port_range);
  a.field("natOutgoingExclusions", s.nat_outgoing_exclusions);
  a.field("iptablesNATOutgoingInterfaceFilter", s.iptables_nat_outgoing_interface_filter);
  a.field("deviceRouteProtocol", s.device_route_protocol);
  a.field("deviceRouteSourceAddress", s.device_route_source_address);
  a.field("deviceRouteSourceAddressIPv6", s.device_route_source_address_ipv6);
  a.field("removeExternalRoutes", s.remove_external_routes);
  a.field("routeRefreshInterval", s.route_refresh_interval);
  a.field("routeSource", s.route_source);
  a.field("routeSyncDisabled", s.route_sync_disabled);
  a.field("routeTableRanges", s.route_table_ranges);
  a.field("routeTableRange", s.route_table_range);
  a.field("ipv4NormalRoutePriority", s.ipv4_normal_route_priority);
  a.field("ipv6NormalRoutePriority", s.ipv6_normal_route_priority);
  a.field("ipv4ElevatedRoutePriority", s.ipv4_elevated_route_priority);
  a.field("ipv6ElevatedRoutePriority", s.ipv6_elevated_route_priority);
  a.field("liveMigrationRouteConvergenceTime", s.live_migration_route_convergence_time);
  a.field("programClusterRoutes", s.program_cluster_routes);
  a.field("localSubnetL2Reachability", s.local_subnet_l2_reachability);
  a.field("localSubnetL2ReachabilityRefreshInterval", s.local_subnet_l2_reachability_refresh_interval);
}

}  // namespace

void fields(Reader& a, model::FelixRoutes& s) { list_routes(a, s); }
void fields(Writer& a, const model::FelixRoutes& s) { list_routes(a, s); }

}  // namespace margay::codec
