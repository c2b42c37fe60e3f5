#include "ipip/ebpf/packets.h"

namespace margay::ipip {
namespace {

void put16(Bytes& bytes, std::size_t at, std::uint16_t value) {
  bytes[at] = static_cast<std::uint8_t>(value >> 8U);
  bytes[at + 1] = static_cast<std::uint8_t>(value & 0xffU);
}

void put_address(Bytes& bytes, std::size_t at, const IpAddress& address) {
  const auto raw = address.bytes();
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = raw[i];
}

}  // namespace

std::uint16_t checksum_of(const Bytes& packet, std::size_t begin) {
  return checksum_of(packet, begin, begin + kIpv4Bytes);
}

std::uint16_t checksum_of(const Bytes& packet, std::size_t begin, std::size_t end) {
  std::uint32_t sum = 0;
  for (std::size_t at = begin; at < end; at += 2)
    sum += static_cast<std::uint32_t>(packet[at] << 8U) + (at + 1 < end ? packet[at + 1] : 0U);
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

Bytes ipv4(const Ipv4Packet& header, const Bytes& payload) {
  Bytes out(kIpv4Bytes);
  out[0] = header.first_byte;
  out[1] = header.tos;
  put16(out, 2, header.length.value_or(static_cast<std::uint16_t>(kIpv4Bytes + payload.size())));
  put16(out, 4, header.id);
  put16(out, 6, header.fragment);
  out[8] = header.ttl;
  out[9] = header.protocol;
  put_address(out, 12, header.from);
  put_address(out, 16, header.to);
  put16(out, 10, header.checksum.value_or(checksum_of(out, 0)));
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Bytes ethernet(const Bytes& packet, std::uint16_t protocol) {
  Bytes out(kEthernetBytes);
  put16(out, 12, protocol);
  out.insert(out.end(), packet.begin(), packet.end());
  return out;
}

}  // namespace margay::ipip
