// TunnelCounters: what this node's tunnels have carried and dropped, as values. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/ip/address.h"
#include "ipip/devices/device_counters.h"

namespace margay::agent {

// Traffic with one other node. Bytes are those of inner packets.
struct NodeCounters {
  std::uint64_t packets_in = 0, bytes_in = 0, packets_out = 0, bytes_out = 0;
  std::uint64_t drops_in = 0, drops_out = 0;
  std::uint64_t too_big_on_the_way = 0;  // a router between had a smaller MTU; the sender was told
  friend bool operator==(const NodeCounters&, const NodeCounters&) = default;
};

using ipip::DeviceCounters;

struct TunnelCounters {
  // IP-in-IP by eBPF, which counts nodes one by one: those there was traffic with, by their address; drops by reason.
  std::map<IpAddress, NodeCounters> nodes;
  std::map<std::string, std::uint64_t> drops;
  // The kernel's devices, which do not; by name.
  std::map<std::string, DeviceCounters> devices;
  friend bool operator==(const TunnelCounters&, const TunnelCounters&) = default;
};

}  // namespace margay::agent
