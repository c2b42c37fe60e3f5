// Routes of the kernel as values, and their form in rtnetlink messages.
//
// Key: what the kernel tells routes apart by (table, prefix, metric; IPv6 takes several next hops of one key as one
// route). Route: where packets go. Source: linux/rtnetlink.h, linux/nexthop.h. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/ip/address.h"
#include "base/ip/ids.h"
#include "base/ip/prefix.h"
#include "dataplane/netlink/message.h"

namespace margay::route {

inline constexpr RouteTableId kMainTable{254};
inline constexpr RouteTableId kLocalTable{255};  // addresses of this host

struct RouteKey {
  RouteTableId table = kMainTable;
  IpPrefix prefix;
  std::uint32_t metric = 0;  // 0: the family's default (IPv4 0, IPv6 1024, which is how it reads back)
  friend constexpr auto operator<=>(const RouteKey&, const RouteKey&) = default;
  [[nodiscard]] std::string to_string() const;  // "10.0.0.0/26 metric 1024 table 254"
};

enum class RouteType : std::uint8_t { kUnicast, kLocal, kBlackhole, kUnreachable, kProhibit, kThrow };
std::string_view to_string(RouteType type);

struct RouteHop {
  std::optional<IpAddress> gateway{};  // nullopt: straight out of the interface; may be of the other family (RTA_VIA)
  IfIndex interface {};                // 0: the kernel finds it by the gateway
  bool is_onlink = false;              // the gateway is on that link whatever the link's addresses say
  int weight = 1;                      // 1 to 256, among several
  friend constexpr auto operator<=>(const RouteHop&, const RouteHop&) = default;
};

struct Route {
  RouteType type = RouteType::kUnicast;
  std::vector<RouteHop> hops{};  // in order; empty for types that lead nowhere
  std::optional<IpAddress> preferred_source{};
  std::uint32_t mtu = 0;  // 0: that of the path
  friend bool operator==(const Route&, const Route&) = default;
  friend auto operator<=>(const Route&, const Route&) = default;
  [[nodiscard]] std::string to_string() const;  // "via 10.0.0.2 dev 3"
};

// A route as the kernel has it.
struct KernelRoute {
  RouteKey key;
  Route route;
  std::uint8_t protocol = 0;
};

// kNew fails with EEXIST where the key is taken, by whomever; kReplace takes the place of what has the key.
enum class Write : std::uint8_t { kNew, kReplace };
// Adds the request that makes the route, with `protocol` as its origin mark.
void add_route_request(netlink::Batch& batch, const RouteKey& key, const Route& route, std::uint8_t protocol,
                       Write write);
void add_delete_request(netlink::Batch& batch, const RouteKey& key, const Route& route, std::uint8_t protocol);
// A dump of one family; kernels that can filter send only this protocol and table.
void add_dump_request(netlink::Batch& batch, IpFamily family, std::uint8_t protocol, std::optional<RouteTableId> table);
// nullopt for what is no route of ours to care about: cached clones, multicast, malformed.
std::optional<KernelRoute> parse_route(const netlink::MessageView& message);
// The answer to a look-up of one address (RTM_GETROUTE without a dump), which the kernel marks as a clone.
std::optional<Route> parse_lookup(const netlink::MessageView& message);

}  // namespace margay::route
