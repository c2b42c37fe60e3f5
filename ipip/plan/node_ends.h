// NodeEnds: a node as tunnels see it: its addresses with their real prefix lengths, and the ends of its tunnels. Pure.
#pragma once

#include <optional>
#include <string>

#include "base/core/field_error.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"
#include "datastore/model/kubernetes.h"
#include "ipip/plan/plan.h"

namespace margay::ipip {

// What VXLAN devices have where the node says none: made from its name, as Calico makes it, so that nodes of both
// agree on it.
Mac mac_of_name(const std::string& node, IpFamily family);

struct NodeEnds {
  std::optional<InterfaceAddress> ipv4, ipv6;
  std::optional<IpAddress> ipip_tunnel, vxlan_tunnel_v4, vxlan_tunnel_v6;
  Mac mac_v4, mac_v6;
  friend bool operator==(const NodeEnds&, const NodeEnds&) = default;

  [[nodiscard]] const std::optional<InterfaceAddress>& address(IpFamily family) const {
    return family == IpFamily::kV4 ? ipv4 : ipv6;
  }
  // nullopt: the tunnel or the node has no address.
  [[nodiscard]] std::optional<Vtep> vtep(IpFamily family) const;
  // Whether a packet to that address stays on our link.
  [[nodiscard]] bool is_near(const IpAddress& address) const;
};

// Errors name annotations that cannot be read; they count as absent.
NodeEnds ends_of(const model::Node& node, FieldErrors& errors);

}  // namespace margay::ipip
