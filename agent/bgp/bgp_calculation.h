// BgpCalculation: objects of the cluster in, what this node's speaker is to be out.
//
//   apply(BgpInput)… ─▶ settings of the node ─┐
//                       nodes, BGPPeers ──────┼─▶ flush(): BgpDelta
//                       blocks, services ─────┘
//
// Pure, one thread, no clock. flush() costs what changed: a Node among thousands is one look at each BGPPeer.
//
// Invariants
//   1. The same objects in any order give the same desired().
//   2. What cannot be honoured counts as absent, alone, and is named in problems() with its field; it never takes other
//      objects with it. A peer whose password is missing is there but shut down: never a session without it.
//   3. Until this node's Node has an address nothing is said; what was said before stays (fail static).
// Source: projectcalico.org/v3 reference (BGPConfiguration, BGPPeer, BGPFilter), its "BGP" documentation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/bgp/bgp_input.h"
#include "agent/bgp/speaker_update.h"
#include "base/core/field_error.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/speaker/config.h"

namespace margay::agent {

// Why a peer is there: PEER TYPE of `netctl node status`, type of CalicoNodeStatus.
enum class PeerSource : std::uint8_t { kNodeMesh, kNode, kGlobal, kLocalWorkload };
struct PeerOrigin {
  PeerSource source = PeerSource::kNodeMesh;
  std::string object;  // name of the BGPPeer; empty for the mesh
  std::string node;    // the peer, where it is a node of the cluster
  friend bool operator==(const PeerOrigin&, const PeerOrigin&) = default;
};

struct BgpDesired {
  bgp::SpeakerConfig config;  // peers and local routes included
  std::map<bgp::PeerKey, PeerOrigin> origins;
  std::vector<IpPrefix> not_for_kernel;  // SpeakerUpdate
  // BGPPeer.reachableBy: a route to the peer by this gateway.
  std::map<IpPrefix, IpAddress> peer_routes;
  std::optional<model::LogSeverity> log_severity;  // logSeverityScreen
};

// What changed since the last flush().
struct BgpDelta {
  SpeakerUpdate speaker;
  bool peer_routes_changed = false;
  bool log_severity_changed = false;
  bool origins_changed = false;
};

class BgpCalculation {
 public:
  struct Options {
    std::string node;
    std::string secret_namespace = "kube-system";  // of the Secrets that passwords refer to
    // CALICO_ROUTER_ID; nullopt: the node's IPv4 address, or without one a number made from its name.
    std::optional<RouterId> router_id{};
  };

  explicit BgpCalculation(Options options);
  ~BgpCalculation();
  BgpCalculation(const BgpCalculation&) = delete;
  BgpCalculation& operator=(const BgpCalculation&) = delete;

  void apply(const BgpInput& input);
  BgpDelta flush();

  // As of the last flush(); nullptr as long as this node has no address.
  [[nodiscard]] const BgpDesired* desired() const;
  // As of the last flush(): objects that count as absent, or act otherwise than written.
  [[nodiscard]] const std::map<model::ObjectKey, FieldErrors>& problems() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::agent
