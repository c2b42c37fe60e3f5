// Wiring: namespaces of nodes and the router, and the cables between them.
//
//   node-1 eth0 ── port0 ┐                        ┌ port2 ── eth0 node-3
//                        ├ subnet0 (router) subnet1 ┤
//   node-2 eth0 ── port1 ┘                        └ port3 ── eth0 node-4
//
// The router is also the switch of each subnet: a bridge with the router's address on it. Where a subnet has a router
// of its own, that is its switch, with a cable to the one in the middle:
//
//   node-1 eth0 ── port0 subnet0 (tor-rack-a) uplink ── tor0 (router) tor1 ── uplink (tor-rack-b) subnet1 port1 ── eth0
//
// Routes between the subnets themselves are written here; those to pods are the routers' business. Needs root; calls
// block.
#pragma once

#include <string>

#include "base/core/result.h"
#include "ctl/lab/paths.h"
#include "ctl/lab/topology.h"

namespace margay::lab {

inline constexpr std::string_view kRouterName = "router";

Status build_network(const Paths& paths, const Topology& topology);
// One more, the last of the topology's.
Status connect_node(const Paths& paths, const Topology& topology, std::size_t node);
// The cable of a node, in or out (`netctl lab node partition`).
Status set_cable(const Paths& paths, const Topology& topology, std::size_t node, bool is_in);
// All namespaces of the lab, pods' included.
Status remove_network(const Paths& paths);

}  // namespace margay::lab
