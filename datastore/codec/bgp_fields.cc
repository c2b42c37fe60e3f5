// BGPConfiguration, BGPPeer.
#include "datastore/codec/kind_codec.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/bgp_peer.h"

namespace margay::codec {

template <class Archive, Is<model::ServiceAddressBlock> S>
void fields(Archive& a, S& s) {
  a.field("cidr", prefixes(s.cidr, PrefixForm::kExactOrAddress));
}

template <class Archive, Is<model::NamedCommunity> S>
void fields(Archive& a, S& s) {
  a.required("name", s.name);
  a.required("value", s.value);
}

template <class Archive, Is<model::PrefixAdvertisement> S>
void fields(Archive& a, S& s) {
  a.required("cidr", s.cidr);
  a.required("communities", s.communities);
}

template <class Archive, Is<model::BgpConfigurationSpec> S>
void fields(Archive& a, S& s) {
  a.field("logSeverityScreen", s.log_severity_screen);
  a.field("nodeToNodeMeshEnabled", s.node_to_node_mesh_enabled);
  a.field("asNumber", s.as_number);
  a.field("serviceClusterIPs", s.service_cluster_ips);
  a.field("serviceExternalIPs", s.service_external_ips);
  a.field("serviceLoadBalancerIPs", s.service_load_balancer_ips);
  a.field("serviceLoadBalancerAggregation", s.service_load_balancer_aggregation);
  a.field("communities", s.communities);
  a.field("prefixAdvertisements", s.prefix_advertisements);
  a.field("listenPort", s.listen_port);
  a.field("nodeMeshPassword", s.node_mesh_password);
  a.field("nodeMeshMaxRestartTime", s.node_mesh_max_restart_time);
  a.field("bindMode", s.bind_mode);
  a.field("ignoredInterfaces", s.ignored_interfaces);
  a.field("localWorkloadPeeringIPV4", s.local_workload_peering_ipv4);
  a.field("localWorkloadPeeringIPV6", s.local_workload_peering_ipv6);
  a.field("programClusterRoutes", s.program_cluster_routes);
  a.field("ipv4NormalRoutePriority", s.ipv4_normal_route_priority);
  a.field("ipv6NormalRoutePriority", s.ipv6_normal_route_priority);
}

template <class Archive, Is<model::BgpConfiguration> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, Is<model::BgpPeerSpec> S>
void fields(Archive& a, S& s) {
  a.field("node", s.node);
  a.field("nodeSelector", s.node_selector);
  a.field("peerIP", s.peer_ip);
  a.field("asNumber", s.as_number);
  a.field("localASNumber", s.local_as_number);
  a.field("peerSelector", s.peer_selector);
  a.field("localWorkloadSelector", s.local_workload_selector);
  a.field("keepOriginalNextHop", s.keep_original_next_hop);
  a.field("nextHopMode", s.next_hop_mode);
  a.field("password", s.password);
  a.field("sourceAddress", s.source_address);
  a.field("maxRestartTime", s.max_restart_time);
  a.field("keepaliveTime", s.keepalive_time);
  a.field("numAllowedLocalASNumbers", s.num_allowed_local_as_numbers);
  a.field("ttlSecurity", s.ttl_security);
  a.field("reachableBy", s.reachable_by);
  a.field("filters", s.filters);
  a.field("reversePeering", s.reverse_peering);
}

template <class Archive, Is<model::BgpPeer> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::BgpConfiguration& out);
template void encode(const model::BgpConfiguration& object, json::Value& into);
template FieldErrors decode(json::View object, model::BgpPeer& out);
template void encode(const model::BgpPeer& object, json::Value& into);

}  // namespace margay::codec
