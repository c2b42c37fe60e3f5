// Packets made by hand, as somebody who is no node would send them, and where they end: a socket, or a rule that
// counts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "test/slice/traffic.h"
#include "test/support/net_space.h"

namespace margay::test {

using Bytes = std::vector<std::uint8_t>;

// `protocol`: IPPROTO_….
Bytes ipv4_packet(const std::string& from, const std::string& to, std::uint8_t protocol, const Bytes& payload);
// Without a checksum.
Bytes udp(std::uint16_t to, const Bytes& payload);
// VNI 4096. `mac`: of the device that shall take it.
Bytes vxlan(const std::string& mac, const Bytes& packet);

// A whole IPv4 packet as it is, to whom it says.
void send_raw(const NetSpace& from, const Bytes& packet);

// Takes datagrams of one byte.
class Mailbox {
 public:
  Mailbox(const NetSpace& where, std::uint16_t port);
  // -1: none came in time.
  [[nodiscard]] int next() const;
  [[nodiscard]] bool is_empty() const;

 private:
  Socket socket_;
};

// How many packets met the rule of that comment, in what iptables-save -c says; -1: there is no such rule.
long packets_at(const std::string& rules, std::string_view comment);

}  // namespace margay::test
