// The part of FelixConfiguration (projectcalico.org/v3) about IP-in-IP, VXLAN and WireGuard. A comment is the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/core/time.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"
#include "datastore/model/felix_values.h"

namespace margay::model {

struct FelixTunnels {
  std::optional<bool> ipip_enabled;
  std::optional<std::int32_t> ipip_mtu;  // 0
  std::optional<bool> vxlan_enabled;
  std::optional<std::int32_t> vxlan_mtu;                        // 0
  std::optional<std::int32_t> vxlan_mtu_v6;                     // 0
  std::optional<Port> vxlan_port;                               // 4789
  std::optional<std::int32_t> vxlan_vni;                        // 4096
  std::optional<bool> wireguard_enabled;                        // false
  std::optional<bool> wireguard_enabled_v6;                     // false
  std::optional<bool> wireguard_host_encryption_enabled;        // false
  std::optional<Port> wireguard_listening_port;                 // 51820
  std::optional<Port> wireguard_listening_port_v6;              // 51821
  std::string wireguard_interface_name;                         // wireguard.cali
  std::string wireguard_interface_name_v6;                      // wg-v6.cali
  std::optional<std::int32_t> wireguard_mtu;                    // 0
  std::optional<std::int32_t> wireguard_mtu_v6;                 // 0
  std::optional<std::int32_t> wireguard_routing_rule_priority;  // 99
  std::optional<Duration> wireguard_keep_alive;                 // 0
  std::optional<bool> wireguard_threading_enabled;              // false

  friend bool operator==(const FelixTunnels&, const FelixTunnels&) = default;
};

}  // namespace margay::model
