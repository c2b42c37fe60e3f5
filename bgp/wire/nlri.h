// Nlri: one destination in an UPDATE. The path identifier (RFC 7911) is 0 where add-path was not negotiated.
//
// NextHop: where a route leads. An IPv6 next hop may carry a link-local address beside the global one (RFC 2545 §3); an
// IPv4 route may have an IPv6 next hop (RFC 8950).
#pragma once

#include <cstdint>
#include <optional>

#include "base/ip/address.h"
#include "base/ip/prefix.h"

namespace margay::bgp {

struct Nlri {
  IpPrefix prefix;
  std::uint32_t path_id = 0;
  friend constexpr auto operator<=>(const Nlri&, const Nlri&) = default;
};

struct NextHop {
  IpAddress address;
  std::optional<IpAddress> link_local;
  friend constexpr auto operator<=>(const NextHop&, const NextHop&) = default;
};

}  // namespace margay::bgp
