// NetworkSet, GlobalNetworkSet, Profile, HostEndpoint, WorkloadEndpoint.
#include "datastore/codec/kind_codec.h"
#include "datastore/codec/rule_fields.h"
#include "datastore/model/endpoints.h"

namespace margay::codec {

template <class Archive, Is<model::NetworkSetSpec> S>
void fields(Archive& a, S& s) {
  a.field("nets", s.nets);
}

template <class Archive, Is<model::ProfileSpec> S>
void fields(Archive& a, S& s) {
  a.field("ingress", s.ingress);
  a.field("egress", s.egress);
  a.field("labelsToApply", s.labels_to_apply);
}

template <class Archive, Is<model::EndpointPort> S>
void fields(Archive& a, S& s) {
  a.required("name", s.name);
  a.required("protocol", s.protocol);
  a.required("port", s.port);
}

template <class Archive, Is<model::HostEndpointSpec> S>
void fields(Archive& a, S& s) {
  a.field("node", s.node);
  a.field("interfaceName", s.interface_name);
  a.field("expectedIPs", s.expected_ips);
  a.field("profiles", s.profiles);
  a.field("ports", s.ports);
}

template <class Archive, Is<model::IpNat> S>
void fields(Archive& a, S& s) {
  a.required("internalIP", s.internal_ip);
  a.required("externalIP", s.external_ip);
}

template <class Archive, Is<model::WorkloadEndpointPort> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.required("protocol", s.protocol);
  a.required("port", s.port);
  a.field("hostPort", s.host_port);
  a.field("hostIP", s.host_ip);
}

template <class Archive, Is<model::QosControls> S>
void fields(Archive& a, S& s) {
  a.field("ingressBandwidth", s.ingress.bandwidth);
  a.field("ingressBurst", s.ingress.burst);
  a.field("ingressPeakrate", s.ingress.peakrate);
  a.field("ingressMinburst", s.ingress.minburst);
  a.field("egressBandwidth", s.egress.bandwidth);
  a.field("egressBurst", s.egress.burst);
  a.field("egressPeakrate", s.egress.peakrate);
  a.field("egressMinburst", s.egress.minburst);
  a.field("ingressPacketRate", s.ingress.packet_rate);
  a.field("ingressPacketBurst", s.ingress.packet_burst);
  a.field("egressPacketRate", s.egress.packet_rate);
  a.field("egressPacketBurst", s.egress.packet_burst);
  a.field("ingressMaxConnections", s.ingress.max_connections);
  a.field("egressMaxConnections", s.egress.max_connections);
  a.field("dscp", s.dscp);
}

template <class Archive, Is<model::WorkloadEndpointSpec> S>
void fields(Archive& a, S& s) {
  a.field("orchestrator", s.orchestrator);
  a.field("workload", s.workload);
  a.field("node", s.node);
  a.field("containerID", s.container_id);
  a.field("pod", s.pod);
  a.field("endpoint", s.endpoint);
  a.field("serviceAccountName", s.service_account_name);
  a.field("ipNetworks", s.ip_networks);
  a.field("ipNATs", s.ip_nats);
  a.field("ipv4Gateway", s.ipv4_gateway);
  a.field("ipv6Gateway", s.ipv6_gateway);
  a.field("profiles", s.profiles);
  a.field("interfaceName", s.interface_name);
  a.field("mac", s.mac);
  a.field("ports", s.ports);
  a.field("allowSpoofedSourcePrefixes", s.allow_spoofed_source_prefixes);
  a.field("qosControls", s.qos_controls);
}

template <class Archive, class S>
requires(Is<S, model::NetworkSet> || Is<S, model::GlobalNetworkSet> || Is<S, model::Profile> ||
         Is<S, model::HostEndpoint> || Is<S, model::WorkloadEndpoint>) void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::NetworkSet& out);
template void encode(const model::NetworkSet& object, json::Value& into);
template FieldErrors decode(json::View object, model::GlobalNetworkSet& out);
template void encode(const model::GlobalNetworkSet& object, json::Value& into);
template FieldErrors decode(json::View object, model::Profile& out);
template void encode(const model::Profile& object, json::Value& into);
template FieldErrors decode(json::View object, model::HostEndpoint& out);
template void encode(const model::HostEndpoint& object, json::Value& into);
template FieldErrors decode(json::View object, model::WorkloadEndpoint& out);
template void encode(const model::WorkloadEndpoint& object, json::Value& into);

}  // namespace margay::codec
