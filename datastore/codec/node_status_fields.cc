// CalicoNodeStatus.
#include "datastore/codec/kind_codec.h"
#include "datastore/model/node_status.h"

namespace margay::codec {

template <class Archive, Is<model::NodeStatusSpec> S>
void fields(Archive& a, S& s) {
  a.required("node", s.node);
  a.field("classes", s.classes);
  a.field("updatePeriodSeconds", s.update_period_seconds);
}

template <class Archive, Is<model::BgpDaemonStatus> S>
void fields(Archive& a, S& s) {
  a.field("state", s.state);
  a.field("version", s.version);
  a.field("routerID", s.router_id);
  a.field("lastBootTime", s.last_boot_time);
  a.field("lastReconfigurationTime", s.last_reconfiguration_time);
}

template <class Archive, Is<model::NodeAgentStatus> S>
void fields(Archive& a, S& s) {
  a.field("birdV4", s.bird_v4);
  a.field("birdV6", s.bird_v6);
}

template <class Archive, Is<model::NodePeerStatus> S>
void fields(Archive& a, S& s) {
  a.field("peerIP", s.peer_ip);
  a.field("type", s.type);
  a.field("state", s.state);
  a.field("since", s.since);
}

template <class Archive, Is<model::NodeBgpStatus> S>
void fields(Archive& a, S& s) {
  a.field("numberEstablishedV4", s.number_established_v4);
  a.field("numberNotEstablishedV4", s.number_not_established_v4);
  a.field("numberEstablishedV6", s.number_established_v6);
  a.field("numberNotEstablishedV6", s.number_not_established_v6);
  a.field("peersV4", s.peers_v4);
  a.field("peersV6", s.peers_v6);
}

template <class Archive, Is<model::RouteLearnedFrom> S>
void fields(Archive& a, S& s) {
  a.field("sourceType", s.source_type);
  a.field("peerIP", s.peer_ip);
}

template <class Archive, Is<model::NodeRoute> S>
void fields(Archive& a, S& s) {
  a.field("type", s.type);
  a.field("destination", s.destination);
  a.field("gateway", s.gateway);
  a.field("interface", s.interface);
  a.field("learnedFrom", s.learned_from);
}

template <class Archive, Is<model::NodeRoutesStatus> S>
void fields(Archive& a, S& s) {
  a.field("routesV4", s.routes_v4);
  a.field("routesV6", s.routes_v6);
}

template <class Archive, Is<model::NodeStatusStatus> S>
void fields(Archive& a, S& s) {
  a.field("conditions", s.conditions);
  a.field("lastUpdated", s.last_updated);
  a.field("agent", s.agent);
  a.field("bgp", s.bgp);
  a.field("routes", s.routes);
}

template <class Archive, Is<model::CalicoNodeStatus> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::CalicoNodeStatus& out);
template void encode(const model::CalicoNodeStatus& object, json::Value& into);

}  // namespace margay::codec
