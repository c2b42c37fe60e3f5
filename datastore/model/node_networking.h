// NodeNetworking: what Margay knows and says of a node, kept in annotations of its Node object. They are those of
// Calico, projectcalico.org/IPv4Address and so on, so that nodes can be moved over. codec/node_annotations.h reads and
// writes them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/ip/address.h"
#include "base/ip/asn.h"
#include "base/ip/mac.h"
#include "base/ip/prefix.h"

namespace margay::model {

// A Curve25519 public key; base64 as text.
struct WireguardKey {
  std::array<std::uint8_t, 32> bytes{};

  static Result<WireguardKey> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const WireguardKey&, const WireguardKey&) = default;
};

struct NodeNetworking {
  std::optional<InterfaceAddress> ipv4_address;  // of BGP and tunnels, with the length of its link's prefix
  std::optional<InterfaceAddress> ipv6_address;
  std::optional<Asn> as_number;                        // BGPConfiguration's
  std::optional<RouterId> route_reflector_cluster_id;  // given: the node reflects routes (RFC 4456)
  std::optional<IpAddress> ipv4_ipip_tunnel_address;
  std::optional<IpAddress> ipv4_vxlan_tunnel_address;
  std::optional<Mac> vxlan_tunnel_mac;
  std::optional<IpAddress> ipv6_vxlan_tunnel_address;
  std::optional<Mac> vxlan_tunnel_mac_v6;
  std::optional<IpAddress> ipv4_wireguard_interface_address;
  std::optional<IpAddress> ipv6_wireguard_interface_address;
  std::optional<WireguardKey> wireguard_public_key;
  std::optional<WireguardKey> wireguard_public_key_v6;

  friend bool operator==(const NodeNetworking&, const NodeNetworking&) = default;
};

}  // namespace margay::model
