// Topology: what a lab is made of: subnets, the router between them, nodes, and the objects that are there from the
// start. Read from a file such as docs/examples/lab/four-nodes.yaml; pure.
//
//   subnets:
//   - name: rack-a
//     prefixes: [172.31.1.0/24, fd00:31:1::/64]     # one of a family; the router has the first address, nodes follow
//     nodes:
//     - node-1                                      # or with more about it:
//     - {name: node-2, labels: {role: reflector}, annotations: {…}}
//   router: {bgp: true, asNumber: 64512}            # of the nodes' own AS it is told of their own blocks only; of
//                                                   # another, a BGPFilter keeps to that: no node offers another's
//   objects: […]                                    # API objects, as they would be applied
//   files: [policy.yaml]                            # the same in files, beside this one
//
// A lab without an IPPool among its objects gets one of a family; where the router speaks BGP it gets a BGPPeer for the
// nodes of each subnet.
#pragma once

#include <cstdint>
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

struct Subnet {
  std::string name;
  std::vector<IpPrefix> prefixes;
};

struct LabNode {
  std::string name;
  std::size_t subnet = 0;
  std::vector<IpAddress> addresses;  // one of each family of its subnet
  json::Object labels;
  json::Object annotations;
};

// Of nodes for which no BGPConfiguration says otherwise.
inline constexpr std::uint32_t kNodesAsNumber = 64512;

struct Router {
  bool speaks_bgp = true;
  std::uint32_t as_number = kNodesAsNumber;
};

struct Topology {
  std::vector<Subnet> subnets;
  std::vector<LabNode> nodes;
  Router router;
  json::Array objects;
  std::vector<std::string> files;
};

// Four nodes in two subnets, and a router that speaks BGP.
extern const std::string_view kDefaultTopology;

// All that is wrong with it, each with line, column and field: "lab.yaml:3:5: subnets[0].prefixes: …".
Result<Topology> parse_topology(std::string_view yaml, const std::string& file);

// The address of the router in a subnet: the first.
IpAddress router_address(const IpPrefix& subnet);

// What is created when the lab comes up, in order: namespaces the nodes need, Nodes, pools, BGP objects, `objects`.
// Nodes carry their addresses in status, which is written after.
json::Array start_objects(const Topology& topology);
// status.addresses of a Node.
json::Value node_status(const LabNode& node);
// The configuration file of the router's margay-bgpd.
std::string router_config(const Topology& topology);

// On nodes: the name of their subnet.
inline constexpr std::string_view kSubnetLabel = "margay.dev/subnet";

}  // namespace margay::lab
