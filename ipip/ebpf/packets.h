// Packets as bytes, built field by field, good and bad; for the probe and for tests.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip/address.h"

namespace margay::ipip {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolIpip = 4;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint16_t kDontFragment = 0x4000;
inline constexpr std::size_t kEthernetBytes = 14;
inline constexpr std::size_t kIpv4Bytes = 20;

struct Ipv4Packet {
  IpAddress from, to;
  std::uint8_t protocol = kProtocolUdp;
  std::uint8_t tos = 0;
  std::uint8_t ttl = 63;
  std::uint16_t id = 7;
  std::uint16_t fragment = kDontFragment;
  std::uint8_t first_byte = 0x45;           // version and header length
  std::optional<std::uint16_t> length{};    // nullopt: the right one
  std::optional<std::uint16_t> checksum{};  // nullopt: the right one
};

// RFC 1071 from `begin` to before `end`; 0 for what has a checksum in it that is right.
std::uint16_t checksum_of(const Bytes& packet, std::size_t begin, std::size_t end);
// Over an IPv4 header.
std::uint16_t checksum_of(const Bytes& packet, std::size_t begin);
Bytes ipv4(const Ipv4Packet& header, const Bytes& payload);
// A frame from and to nobody, which a loopback interface takes for its own.
Bytes ethernet(const Bytes& packet, std::uint16_t protocol = 0x0800);

}  // namespace margay::ipip
