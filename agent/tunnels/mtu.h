// How large packets may be: of the links to other nodes, of tunnels over them, of workloads. Pure.
//
// A workload's packet must fit into the tunnel with the largest overhead that any pool uses, as the pool of the other
// end decides which one it goes through. Source: Calico's documentation "Configure MTU".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/ip/address.h"
#include "datastore/model/felix_tunnels.h"
#include "ipip/devices/device_spec.h"
#include "ipip/plan/plan.h"

namespace margay::agent {

inline constexpr std::uint32_t kDefaultMtu = 1500;
inline constexpr std::uint32_t kMtuMin = 576;  // smaller ones are mistakes: no IPv4 host need take more (RFC 791 §3.1)

struct HostLink {
  std::string name;
  std::uint32_t mtu = 0;
  std::vector<IpAddress> addresses;
};

// The smallest of the links whose names match and that have addresses; where none matches, of those that have an
// address of this node, over which its peers reach it; else the usual one of Ethernet.
std::uint32_t host_mtu(const std::vector<HostLink>& links, const std::function<bool(std::string_view)>& matches,
                       const std::vector<IpAddress>& node_addresses);

// What a regular expression says of names. kInvalid: it is none.
Result<std::function<bool(std::string_view)>> name_matcher(std::string_view expression);

struct Mtus {
  std::uint32_t ipip = 0, vxlan_v4 = 0, vxlan_v6 = 0;
  std::uint32_t workload = 0;
  friend bool operator==(const Mtus&, const Mtus&) = default;
};
// What settings say counts as it is; 0 there: by the host's.
Mtus mtus_of(std::uint32_t host, const model::FelixTunnels& settings, const ipip::LocalTunnels& local);

// All that ipip/devices must know besides the plan.
ipip::TunnelSettings tunnel_settings(const model::FelixTunnels& settings, const Mtus& mtus);

}  // namespace margay::agent
