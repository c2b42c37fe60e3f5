// PeerMaker: from BGPPeer objects, the mesh and the nodes of the cluster to peers of the speaker. Pure.
//
// Each thing that can ask for a peer makes candidates; of several for one address the lowest Rank is used: what a user
// wrote for this node before what he wrote for many, both before the mesh.
//
//   mesh                every other node, unless it or we reflect routes
//   peerSelector        nodes it selects (forward), and, where it selects us, the nodes the object is for (reverse,
//                       unless reversePeering is Manual)
//   peerIP              an address; it may be that of a node
//   localWorkloadSelector  workloads of this node, over localWorkloadPeeringIPV4 and V6
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/bgp/bgp_calculation.h"
#include "agent/bgp/bgp_settings.h"
#include "agent/bgp/filter_chains.h"
#include "agent/bgp/node_facts.h"
#include "agent/bgp/peer_object.h"
#include "bgp/speaker/config.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"

namespace margay::agent {

struct PeerRank {
  enum class Level : std::uint8_t { kNode, kNodeSelector, kGlobal, kForward, kReverse, kLocalWorkload, kMesh };
  Level level = Level::kMesh;
  std::string object;  // of equals the first by name
  std::string node;
  friend auto operator<=>(const PeerRank&, const PeerRank&) = default;
};
struct PeerCandidate {
  bgp::PeerKey key;
  PeerRank rank;
  bgp::PeerSettings settings;
  PeerOrigin origin;
  std::optional<IpAddress> reachable_by;
};

struct LocalWorkload {
  StringMap labels;
  std::vector<IpPrefix> addresses;
  friend bool operator==(const LocalWorkload&, const LocalWorkload&) = default;
};

class PeerMaker {
 public:
  // What all peers depend on; refers to what its owner keeps.
  struct Cluster {
    std::string node;
    NodeFacts own;
    Asn asn;  // of this node
    BgpSettings settings;
    const BgpConfigurations& configurations;
    const std::map<std::string, NodeFacts>& nodes;
    const std::map<IpAddress, std::set<std::string>>& node_of;
    const std::map<std::string, std::shared_ptr<const model::Secret>>& secrets;
    FilterChains& chains;
  };
  struct Out {
    std::vector<PeerCandidate> candidates;
    Problems problems;
  };

  explicit PeerMaker(const Cluster& cluster) : cluster_(cluster) {}

  void add_mesh(const std::string& node, const NodeFacts& facts, Out& out) const;
  void add_selected(const PeerObject& peer, const std::string& node, const NodeFacts& facts, Out& out) const;
  void add_address(const PeerObject& peer, Out& out) const;
  void add_workloads(const PeerObject& peer, const std::vector<const LocalWorkload*>& workloads, Out& out) const;

 private:
  // The other end, as far as it is known.
  struct End {
    bgp::PeerKey key;
    std::string node;  // of the cluster; empty: not one
    Asn asn;
    std::optional<RouterId> cluster_id;
  };

  [[nodiscard]] std::optional<End> end_of(const std::string& node, const NodeFacts& facts, bgp::Family family) const;
  [[nodiscard]] Asn asn_of(const std::string& node, const NodeFacts& facts) const;
  [[nodiscard]] PeerCandidate base(const End& end, std::optional<Asn> local_asn) const;
  [[nodiscard]] bool is_passive(const End& end) const;
  void take_spec(const PeerObject& peer, PeerCandidate& candidate, Out& out) const;
  void take_filters(const PeerObject& peer, PeerCandidate& candidate, Out& out) const;
  void take_password(const std::optional<model::SecretReference>& reference, const model::ObjectKey& object,
                     const std::string& path, PeerCandidate& candidate, Out& out) const;
  void add(PeerCandidate candidate, const model::ObjectKey& object, Out& out) const;

  const Cluster& cluster_;
};

}  // namespace margay::agent
