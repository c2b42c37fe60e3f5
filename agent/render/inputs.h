// What the renderer must know besides policy and settings: the kernel's abilities, the node's interfaces, networks.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/ip/address.h"
#include "base/ip/prefix.h"
#include "dataplane/iptables/features.h"

namespace margay::render {

// What this kernel and its iptables can do, found by trying.
using KernelFeatures = iptables::KernelFeatures;

// Addresses of this node's interfaces: host endpoints may be named by address.
using InterfaceAddresses = std::map<std::string, std::set<IpAddress>>;

// kube-proxy makes it in IPVS mode only; it has the addresses of Services, and no host endpoint.
inline constexpr std::string_view kIpvsDevice = "kube-ipvs0";

// Networks the tables must know besides policy.
struct NodeNetworks {
  std::set<IpPrefix> pools;             // of all enabled IPPools: destinations that are not masqueraded
  std::set<IpPrefix> masquerade_pools;  // of those with natOutgoing: sources that are
  std::set<IpPrefix> service_blocks;    // advertised service addresses: service loop prevention
  std::set<IpAddress> hosts;            // of all nodes; not masqueraded with IPPoolsAndHostIPs
  std::set<IpAddress> ipip_peers;       // nodes that may send IP-in-IP; only looked at when it is on
  std::set<IpAddress> vxlan_peers;
  bool ipip_enabled = false;
  bool vxlan_enabled = false;
  // Tunnel devices of this node: what the host itself sends through one gets its address as source.
  std::set<std::string> tunnel_devices;
  // Addresses of Services that IPVS rewrites on their way into this host. The renderer's own; nullopt: there is no
  // IPVS.
  std::optional<std::set<IpAddress>> ipvs_services;
  friend bool operator==(const NodeNetworks&, const NodeNetworks&) = default;
};

}  // namespace margay::render
