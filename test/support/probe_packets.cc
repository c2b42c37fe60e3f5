#include "test/support/probe_packets.h"

#include <cstddef>

namespace margay::test {
namespace {

constexpr std::uint8_t kInit = 1, kInitAck = 2;
constexpr std::size_t kCommonHeader = 12;
constexpr std::uint32_t kTagBase = 1;  // a tag is never 0

void put16(std::string& out, std::uint32_t value) {
  out.push_back(static_cast<char>(value >> 8U & 0xffU));
  out.push_back(static_cast<char>(value & 0xffU));
}
void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 0xffffU);
}

std::uint32_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }
std::uint16_t get16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8U | byte_at(bytes, at + 1));
}
std::uint32_t get32(std::string_view bytes, std::size_t at) {
  return std::uint32_t{get16(bytes, at)} << 16U | get16(bytes, at + 2);
}

// CRC-32C, RFC 9260 appendix A; little-endian on the wire.
std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
  }
  return ~crc;
}

std::string sctp_packet(SctpPorts ports, std::uint32_t verification_tag, std::uint8_t type, std::uint32_t tag,
                        std::string_view parameters) {
  std::string out;
  put16(out, ports.source);
  put16(out, ports.destination);
  put32(out, verification_tag);
  put32(out, 0);  // the checksum
  put16(out, std::uint32_t{type} << 8U);
  put16(out, static_cast<std::uint32_t>(20 + parameters.size()));
  put32(out, tag);
  put32(out, 65536);       // receiver window
  put32(out, 0x00010001);  // streams out, in
  put32(out, tag);         // first TSN
  out += parameters;
  const std::uint32_t crc = crc32c(out);
  for (std::size_t i = 0; i < 4; ++i) out[8 + i] = static_cast<char>(crc >> 8U * i & 0xffU);
  return out;
}

std::uint16_t internet_checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::string sctp_init(SctpPorts ports, std::uint32_t number) {
  return sctp_packet(ports, 0, kInit, number + kTagBase, "");
}

std::string sctp_init_ack(SctpPorts ports, std::uint32_t number) {
  std::string cookie;  // parameter 7, which an INIT ACK must have
  put16(cookie, 7);
  put16(cookie, 8);
  put32(cookie, number);
  return sctp_packet(ports, number + kTagBase, kInitAck, number + kTagBase, cookie);
}

std::optional<SctpPacket> read_sctp(std::string_view payload) {
  if (payload.size() < kCommonHeader + 20) return std::nullopt;
  const std::uint32_t type = byte_at(payload, kCommonHeader);
  if (type != kInit && type != kInitAck) return std::nullopt;
  return SctpPacket{.ports = {get16(payload, 0), get16(payload, 2)},
                    .is_answer = type == kInitAck,
                    .number = get32(payload, kCommonHeader + 4) - kTagBase};
}

std::string echo_request(IpFamily family, std::uint32_t number) {
  const bool is_v4 = family == IpFamily::kV4;
  std::string out;
  put16(out, is_v4 ? 8U << 8U : 128U << 8U);
  put16(out, 0);
  put32(out, number);  // identifier and sequence number
  if (!is_v4) return out;
  const std::uint16_t sum = internet_checksum(out);
  out[2] = static_cast<char>(sum >> 8U);
  out[3] = static_cast<char>(sum & 0xffU);
  return out;
}

std::optional<std::uint32_t> read_echo_reply(IpFamily family, std::string_view payload) {
  if (payload.size() < 8) return std::nullopt;
  const std::uint32_t reply = family == IpFamily::kV4 ? 0 : 129;
  if (byte_at(payload, 0) != reply) return std::nullopt;
  return get32(payload, 4);
}

std::string_view payload_of(IpFamily family, std::string_view packet) {
  if (family == IpFamily::kV6 || packet.empty()) return packet;
  const std::size_t header = std::size_t{byte_at(packet, 0) & 0xfU} * 4;
  return header > packet.size() ? std::string_view() : packet.substr(header);
}

}  // namespace margay::test
