// Which devices our tunnels need, from the plan and what settings say of them. Pure.
//
//   tunl0             IP-in-IP, IPv4 in IPv4    no FDB: the route's gateway is the outer destination
//   vxlan.calico      VXLAN over IPv4           one FDB entry and neighbour for each remote node
//   vxlan-v6.calico   VXLAN over IPv6           the same
//
// The names are Calico's, so that its nodes, tools and admins' habits fit.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/mac.h"
#include "ipip/plan/plan.h"

namespace margay::ipip {

enum class DeviceKind : std::uint8_t { kIpip, kVxlanV4, kVxlanV6 };
inline constexpr DeviceKind kDeviceKinds[] = {DeviceKind::kIpip, DeviceKind::kVxlanV4, DeviceKind::kVxlanV6};
std::string_view name_of(DeviceKind kind);
DeviceKind vxlan_of(IpFamily family);

struct TunnelSettings {
  std::uint32_t ipip_mtu = 1480;
  std::uint32_t vxlan_mtu_v4 = 1450;
  std::uint32_t vxlan_mtu_v6 = 1430;
  std::uint32_t vni = 4096;
  std::uint16_t port = 4789;
  std::optional<bool> is_checksum_offload_broken{};  // nullopt: as this kernel's release says
  // Whatever pools say; nullopt: as they say.
  std::optional<bool> ipip{};
  std::optional<bool> vxlan{};
  // A device that is not wanted any more stays so long (D-035).
  Duration linger = std::chrono::minutes(5);
  friend bool operator==(const TunnelSettings&, const TunnelSettings&) = default;
};

struct DeviceSpec {
  std::uint32_t mtu = 0;
  std::optional<IpAddress> address{};  // nullopt: none has been assigned yet; packets of pods pass all the same
  // VXLAN
  std::uint32_t vni = 0;
  std::uint16_t port = 0;
  Mac mac{};
  std::optional<IpAddress> local{};  // the outer source
  std::optional<bool> is_checksum_offload_broken{};
  friend bool operator==(const DeviceSpec&, const DeviceSpec&) = default;
};
using DeviceSpecs = std::map<DeviceKind, DeviceSpec>;

// Those that are wanted and can be made: VXLAN needs the node's own address.
DeviceSpecs devices_of(const LocalTunnels& local, const TunnelSettings& settings);

}  // namespace margay::ipip
