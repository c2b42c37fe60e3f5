// Sets of the kernel (ipset) as values: what a renderer wants and ip_set_driver.h puts into the kernel.
//
// Source: ipset(8), linux/netfilter/ipset/ip_set.h. Pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ip/address.h"
#include "base/ip/prefix.h"

namespace margay::ipset {

// Names of sets are shorter than this many bytes (IPSET_MAXNAMELEN, the final zero included).
inline constexpr std::size_t kSetNameMax = 32;

enum class SetType : std::uint8_t { kHashIp, kHashNet, kHashIpPort, kHashNetPort };

// What a set is; another type under the same name is another set that takes its place.
struct SetSpec {
  SetType type = SetType::kHashNet;
  IpFamily family = IpFamily::kV4;
  friend constexpr auto operator<=>(const SetSpec&, const SetSpec&) = default;
};

// A member; of the set's family. hash:net has no member of length 0 in the kernel: the driver splits such a one in two.
struct Member {
  IpPrefix net;
  std::uint8_t protocol = 0;  // IPPROTO_TCP, …; 0 in sets without ports
  std::uint16_t port = 0;
  friend auto operator<=>(const Member&, const Member&) = default;
};

}  // namespace margay::ipset
