#include "agent/main/node_snapshot.h"

#include "base/process/build_info.h"
#include "bgp/speaker/snapshot_json.h"

namespace margay::agent {
namespace {

model::BgpSessionState state_of(bgp::fsm::State state) {
  using bgp::fsm::State;
  using model::BgpSessionState;
  switch (state) {
    case State::kIdle: return BgpSessionState::kIdle;
    case State::kConnect: return BgpSessionState::kConnect;
    case State::kActive: return BgpSessionState::kActive;
    case State::kOpenSent: return BgpSessionState::kOpenSent;
    case State::kOpenConfirm: return BgpSessionState::kOpenConfirm;
    case State::kEstablished: return BgpSessionState::kEstablished;
  }
  return BgpSessionState::kIdle;
}

model::NodePeerType type_of(const bgp::PeerSnapshot& peer, const BgpDesired* desired) {
  if (desired == nullptr) return model::NodePeerType::kNodeMesh;
  const auto origin = desired->origins.find({peer.address, peer.port});
  if (origin == desired->origins.end()) return model::NodePeerType::kNodePeer;
  switch (origin->second.source) {
    case PeerSource::kNodeMesh: return model::NodePeerType::kNodeMesh;
    case PeerSource::kGlobal: return model::NodePeerType::kGlobalPeer;
    case PeerSource::kNode:
    case PeerSource::kLocalWorkload: return model::NodePeerType::kNodePeer;
  }
  return model::NodePeerType::kNodePeer;
}

model::RouteSourceType source_of(model::NodePeerType type) {
  return type == model::NodePeerType::kNodeMesh ? model::RouteSourceType::kNodeMesh : model::RouteSourceType::kBgpPeer;
}

std::string interface_of(const IpAddress& gateway, const std::map<std::string, link::Interface>& links) {
  for (const auto& [name, link] : links) {
    for (const InterfaceAddress& each : link.addresses) {
      if (each.prefix().contains(gateway)) return name;
    }
  }
  return {};
}

// Ours are where packets for no pod end.
model::NodeRoute route_of(const bgp::RouteSnapshot& route, const std::map<IpAddress, model::NodePeerType>& types,
                          const NodeView& view) {
  model::NodeRoute out;
  out.type = model::RouteTableKind::kFib;
  out.destination = route.prefix.to_string();
  if (!route.peer) {
    out.gateway = "N/A";
    out.interface = "blackhole";
    out.learned_from.source_type = model::RouteSourceType::kStatic;
    return out;
  }
  const auto type = types.find(*route.peer);
  out.gateway = route.next_hop.address.to_string();
  out.interface = interface_of(route.next_hop.address, view.links);
  out.learned_from.source_type = source_of(type == types.end() ? model::NodePeerType::kGlobalPeer : type->second);
  out.learned_from.peer_ip = route.peer->to_string();
  return out;
}

}  // namespace

status::NodeSnapshot node_snapshot(const NodeView& view, WallTime now) {
  const BgpSnapshot& speaker = view.speaker;
  status::NodeSnapshot out;
  out.speaker.is_running = speaker.is_running;
  out.speaker.problem = speaker.refused;
  out.speaker.version = process::build_info().version;
  if (!speaker.is_running) return out;
  out.speaker.router_id = speaker.speaker.router_id.to_string();
  out.speaker.started = now - speaker.speaker.uptime;
  std::map<IpAddress, model::NodePeerType> types;
  for (const bgp::PeerSnapshot& peer : speaker.speaker.peers) {
    status::NodeSnapshot::Peer one;
    one.address = peer.address;
    one.type = types[peer.address] = type_of(peer, view.desired);
    one.state = state_of(peer.state);
    if (peer.since) one.since = now - *peer.since;
    if (peer.remote_asn) one.asn = peer.remote_asn->value();
    for (const bgp::Family family : bgp::kFamilies) {
      one.received += peer.routes.received[family];
      one.accepted += peer.routes.accepted[family];
      one.sent += peer.routes.sent[family];
    }
    one.problem = bgp::problem_of(peer);
    out.peers.push_back(one);
  }
  for (const bgp::RouteSnapshot& route : speaker.speaker.routes) {
    if (out.routes.size() == kStatusRoutesMax) break;
    if (route.best) out.routes.push_back(route_of(route, types, view));
  }
  return out;
}

}  // namespace margay::agent
