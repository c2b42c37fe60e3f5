// For tests: kinds of sets and their members from texts, which must be right.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "dataplane/ipset/ip_set.h"

namespace margay::ipset::test {

inline constexpr TimePoint kStart{};
inline constexpr SetSpec kNet4{SetType::kHashNet, IpFamily::kV4};
inline constexpr SetSpec kNet6{SetType::kHashNet, IpFamily::kV6};
inline constexpr SetSpec kIp4{SetType::kHashIp, IpFamily::kV4};

inline Member net(std::string_view text, std::uint8_t protocol = 0, std::uint16_t port = 0) {
  return Member{IpPrefix::parse_cidr_or_address(text).value(), protocol, port};
}
// 10.0.0.0 and so on.
inline std::vector<Member> hosts(std::uint32_t count, std::uint32_t first = 0) {
  std::vector<Member> out;
  for (std::uint32_t i = 0; i < count; ++i) out.push_back({IpPrefix::host(IpAddress::v4(0x0a000000U + first + i))});
  return out;
}

}  // namespace margay::ipset::test
