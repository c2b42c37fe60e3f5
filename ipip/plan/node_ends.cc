#include "ipip/plan/node_ends.h"

#include <algorithm>
#include <array>

#include "base/core/text.h"
#include "base/digest/digest.h"
#include "datastore/codec/node_annotations.h"

namespace margay::ipip {

Mac mac_of_name(const std::string& node, IpFamily family) {
  const auto digest = digest::sha1(family == IpFamily::kV4 ? node : concat(node, "-v6"));
  std::array<std::uint8_t, 6> bytes{0x66};  // locally administered, unicast
  std::copy_n(digest.begin(), 5, bytes.begin() + 1);
  return Mac(bytes);
}

std::optional<Vtep> NodeEnds::vtep(IpFamily family) const {
  const bool is_v4 = family == IpFamily::kV4;
  const auto& tunnel = is_v4 ? vxlan_tunnel_v4 : vxlan_tunnel_v6;
  const auto& outer = address(family);
  if (!tunnel || !outer) return std::nullopt;
  return Vtep{*tunnel, is_v4 ? mac_v4 : mac_v6, outer->address};
}

bool NodeEnds::is_near(const IpAddress& other) const {
  const auto& ours = address(other.family());
  return ours && ours->prefix().contains(other);
}

NodeEnds ends_of(const model::Node& node, FieldErrors& errors) {
  model::NodeNetworking networking;
  errors = codec::read_node_annotations(node.metadata.annotations, networking);
  NodeEnds ends;
  ends.ipv4 = networking.ipv4_address;
  ends.ipv6 = networking.ipv6_address;
  ends.ipip_tunnel = networking.ipv4_ipip_tunnel_address;
  ends.vxlan_tunnel_v4 = networking.ipv4_vxlan_tunnel_address;
  ends.vxlan_tunnel_v6 = networking.ipv6_vxlan_tunnel_address;
  const std::string& name = node.metadata.name;
  ends.mac_v4 = networking.vxlan_tunnel_mac ? *networking.vxlan_tunnel_mac : mac_of_name(name, IpFamily::kV4);
  ends.mac_v6 = networking.vxlan_tunnel_mac_v6 ? *networking.vxlan_tunnel_mac_v6 : mac_of_name(name, IpFamily::kV6);
  return ends;
}

}  // namespace margay::ipip
