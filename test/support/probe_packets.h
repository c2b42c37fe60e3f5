// Packets that a prober makes itself, and reads: SCTP (RFC 9260 section 3) and ICMP echo (RFC 792, RFC 4443), without
// their IP header. Each carries a number that comes back in the answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip/address.h"

namespace margay::test {

struct SctpPorts {
  std::uint16_t source = 0, destination = 0;
};
// INIT with `number` in its tag.
std::string sctp_init(SctpPorts ports, std::uint32_t number);
std::string sctp_init_ack(SctpPorts ports, std::uint32_t number);

struct SctpPacket {
  SctpPorts ports;
  bool is_answer = false;
  std::uint32_t number = 0;
};
// nullopt: neither INIT nor INIT ACK.
std::optional<SctpPacket> read_sctp(std::string_view payload);

// The kernel fills in the checksum of ICMPv6.
std::string echo_request(IpFamily family, std::uint32_t number);
// The number of an echo reply; nullopt: something else.
std::optional<std::uint32_t> read_echo_reply(IpFamily family, std::string_view payload);

// What a raw socket received, without the header that IPv4's ones hand over.
std::string_view payload_of(IpFamily family, std::string_view packet);

}  // namespace margay::test
