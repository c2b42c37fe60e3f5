// Service, EndpointSlice.
#include "datastore/codec/kind_codec.h"
#include "datastore/model/service.h"

namespace margay::codec {

template <class Archive, Is<model::ServicePort> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.field("protocol", s.protocol);
  a.required("port", s.port);
  a.field("targetPort", s.target_port);
  a.field("nodePort", s.node_port);
}

template <class Archive, Is<model::ServiceSpec> S>
void fields(Archive& a, S& s) {
  a.field("ports", s.ports);
  a.field("clusterIP", s.cluster_ip);
  a.field("clusterIPs", s.cluster_ips);
  a.field("selector", s.selector);
  a.field("type", s.type);
  a.field("externalIPs", s.external_ips);
  a.field("sessionAffinity", s.session_affinity);
  a.field("loadBalancerIP", s.load_balancer_ip);
  a.field("loadBalancerSourceRanges", prefixes(s.load_balancer_source_ranges, PrefixForm::kAny));
  a.field("externalTrafficPolicy", s.external_traffic_policy);
  a.field("healthCheckNodePort", s.health_check_node_port);
  a.field("loadBalancerClass", s.load_balancer_class);
  a.field("internalTrafficPolicy", s.internal_traffic_policy);
  a.field("ipFamilies", s.ip_families);
}

template <class Archive, Is<model::LoadBalancerIngress> S>
void fields(Archive& a, S& s) {
  a.field("ip", s.ip);
  a.field("hostname", s.hostname);
}

template <class Archive, Is<model::LoadBalancerStatus> S>
void fields(Archive& a, S& s) {
  a.field("ingress", s.ingress);
}

template <class Archive, Is<model::ServiceStatus> S>
void fields(Archive& a, S& s) {
  a.field("loadBalancer", s.load_balancer);
}

template <class Archive, Is<model::Service> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, Is<model::EndpointConditions> S>
void fields(Archive& a, S& s) {
  a.field("ready", s.ready);
  a.field("serving", s.serving);
  a.field("terminating", s.terminating);
}

template <class Archive, Is<model::EndpointTarget> S>
void fields(Archive& a, S& s) {
  a.field("kind", s.kind);
  a.field("namespace", s.name_space);
  a.field("name", s.name);
}

template <class Archive, Is<model::Endpoint> S>
void fields(Archive& a, S& s) {
  a.required("addresses", s.addresses);
  a.field("conditions", s.conditions);
  a.field("targetRef", s.target_ref);
  a.field("nodeName", s.node_name);
  a.field("zone", s.zone);
  a.field("topology", s.topology);
}

template <class Archive, Is<model::EndpointSlicePort> S>
void fields(Archive& a, S& s) {
  a.field("name", s.name);
  a.field("protocol", s.protocol);
  a.field("port", s.port);
}

template <class Archive, Is<model::EndpointSlice> S>
void fields(Archive& a, S& s) {
  a.field("metadata", s.metadata);
  a.required("addressType", s.address_type);
  a.field("endpoints", s.endpoints);
  a.field("ports", s.ports);
}

template FieldErrors decode(json::View object, model::Service& out);
template void encode(const model::Service& object, json::Value& into);
template FieldErrors decode(json::View object, model::EndpointSlice& out);
template void encode(const model::EndpointSlice& object, json::Value& into);

}  // namespace margay::codec
