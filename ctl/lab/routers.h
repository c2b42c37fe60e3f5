// Routers of a lab as BGP speakers: who speaks with whom, and what each brand is told to make it so. Pure.
//
// Of every brand the same is wanted: sessions from anywhere in its subnets, routes into the kernel, graceful restart of
// its neighbours honoured. GoBGP writes to no kernel by itself, and the version in Debian 12 cannot speak with the
// zebra in Debian 12: a margay-bgpd beside it, which hears all from it over loopback, does that (D-080).
//
// Source: BIRD 2.0 user's guide, FRR 8.4 user guide (BGP), GoBGP 3 docs/sources/configuration.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip/prefix.h"
#include "ctl/lab/topology.h"

namespace margay::lab {

// Who a router speaks with: one, or whoever connects from a range.
struct RouterNeighbor {
  std::string name;  // of the subnet or router; "-ipv6" behind it for the second family
  std::optional<IpAddress> address;
  IpPrefix range;
  std::uint32_t as_number = 0;
};

struct RouterPlan {
  std::string name;  // "router", "tor-rack-a": also of its namespace
  Router router;
  IpAddress id;  // v4
  std::vector<RouterNeighbor> neighbors;
};

// The one in the middle first; also those that speak no BGP.
std::vector<RouterPlan> plan_routers(const Topology& topology);

struct RouterFile {
  std::string name;
  std::string text;
};
// Into the router's folder.
std::vector<RouterFile> router_files(const RouterPlan& plan);

struct RouterProgram {
  std::string name;                    // "bird"
  std::vector<std::string> arguments;  // without the program itself
  std::string package;                 // of Debian; "": one of ours
  std::string ready_file;              // there once it serves; "": nobody waits for it
};
// In the order in which they start.
std::vector<RouterProgram> router_programs(const RouterPlan& plan, const std::string& folder);

}  // namespace margay::lab
