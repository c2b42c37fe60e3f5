#include "agent/main/node_snapshot.h"

#include "base/process/build_info.h"

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

}  // namespace

status::NodeSnapshot node_snapshot(const BgpSnapshot& speaker, const BgpDesired* desired, WallTime now) {
  status::NodeSnapshot out;
  out.speaker.is_running = speaker.is_running;
  out.speaker.version = process::build_info().version;
  if (!speaker.is_running) return out;
  out.speaker.router_id = speaker.speaker.router_id.to_string();
  out.speaker.started = now - speaker.speaker.uptime;
  for (const bgp::PeerSnapshot& peer : speaker.speaker.peers) {
    status::NodeSnapshot::Peer one;
    one.address = peer.address;
    one.type = type_of(peer, desired);
    one.state = state_of(peer.state);
    if (peer.since) one.since = now - *peer.since;
    out.peers.push_back(one);
  }
  return out;
}

}  // namespace margay::agent
