// Topology: what a lab is made of: subnets, the router between them, nodes, and the objects that are there from the
// start. Read from a file such as docs/examples/lab/full-mesh.yaml; pure.
//
//   subnets:
//   - name: rack-a
//     prefixes: [172.31.1.0/24, fd00:31:1::/64]     # one of a family; the router has the first address, nodes follow
//     nodes:
//     - node-1                                      # or with more about it:
//     - {name: node-2, labels: {role: reflector}, annotations: {…}}
//     tor: {kind: frr, asNumber: 64601}             # a router of the subnet's own; its AS is that of the nodes too
//   router: {kind: bird, bgp: true, asNumber: 64512, reflects: false}
//                                                   # of the nodes' own AS it is told of their own blocks only; of
//                                                   # another, a BGPFilter keeps to that: no node offers another's
//   environment: {CALICO_NETWORKING_BACKEND: vxlan} # of every margay-node
//   objects: […]                                    # API objects, as they would be applied
//   files: [policy.yaml]                            # the same in files, beside this one
//
// A lab without an IPPool among its objects gets one of a family; where the router speaks BGP it gets a BGPPeer for the
// nodes of each subnet. Where subnets have routers of their own, each is the reflector of its nodes and speaks eBGP
// with the router in the middle, and there is no mesh unless a BGPConfiguration says so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/result.h"
#include "base/ip/prefix.h"
#include "base/json/value.h"

namespace margay::lab {

inline constexpr std::size_t kNodesMax = 250;
inline constexpr std::size_t kSubnetsMax = 50;

// Of nodes for which no BGPConfiguration says otherwise.
inline constexpr std::uint32_t kNodesAsNumber = 64512;

// "margay-bgpd", "bird", "frr", "gobgp".
enum class RouterKind : std::uint8_t { kMargay, kBird, kFrr, kGobgp };
std::string_view to_string(RouterKind kind);

struct Router {
  RouterKind kind = RouterKind::kMargay;
  bool speaks_bgp = true;
  bool reflects = false;  // to the nodes of its own AS
  std::uint32_t as_number = kNodesAsNumber;
};

struct Subnet {
  std::string name;
  std::vector<IpPrefix> prefixes;
  std::optional<Router> tor;  // none: the router in the middle is in it
};

struct LabNode {
  std::string name;
  std::size_t subnet = 0;
  std::vector<IpAddress> addresses;  // one of each family of its subnet
  json::Object labels;
  json::Object annotations;
};

struct Topology {
  std::vector<Subnet> subnets;
  std::vector<LabNode> nodes;
  Router router;
  std::map<std::string, std::string> environment;
  json::Array objects;
  std::vector<std::string> files;
};

// Four nodes in two subnets, and a router that speaks BGP.
extern const std::string_view kDefaultTopology;

// All that is wrong with it, each with line, column and field: "lab.yaml:3:5: subnets[0].prefixes: …".
Result<Topology> parse_topology(std::string_view yaml, const std::string& file);

// The address of the router in a subnet: the first.
IpAddress router_address(const IpPrefix& subnet);
// "router", or "tor-rack-a" where the subnet has one of its own.
std::string router_of(const Topology& topology, std::size_t subnet);
// The ends of the cable between a subnet's own router and the one in the middle; one prefix for each of its families.
struct Uplink {
  IpPrefix prefix;
  IpAddress router, tor;
};
std::vector<Uplink> uplinks_of(const Topology& topology, std::size_t subnet);
// Of a node: its subnet's router's, else that of the BGPConfiguration among the objects.
std::uint32_t as_number_of(const Topology& topology, std::size_t subnet);
// One more node at run time (`netctl lab node add`); kInvalid, kAlreadyExists, kNotFound (the subnet).
Status add_node(Topology& topology, const std::string& name, std::string_view subnet);

// What is created when the lab comes up, in order: namespaces the nodes need, Nodes, pools, BGP objects, `objects`.
// Nodes carry their addresses in status, which is written after.
json::Array start_objects(const Topology& topology);
json::Value node_object(const Topology& topology, const LabNode& node);
// status.addresses of a Node.
json::Value node_status(const LabNode& node);

// On nodes: the name of their subnet.
inline constexpr std::string_view kSubnetLabel = "margay.dev/subnet";

}  // namespace margay::lab
