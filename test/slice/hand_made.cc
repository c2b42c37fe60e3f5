#include "test/slice/hand_made.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <string>

#include "base/core/check.h"
#include "base/core/text.h"
#include "test/support/patience.h"

namespace margay::test {
namespace {

constexpr std::size_t kDestinationOffset = 16;  // in an IPv4 header

void add_number(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void add_address(Bytes& out, const std::string& text) {
  in_addr address{};
  MARGAY_CHECK(inet_pton(AF_INET, text.c_str(), &address) == 1);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address);
  out.insert(out.end(), bytes, bytes + sizeof(address));
}

}  // namespace

Bytes ipv4_packet(const std::string& from, const std::string& to, std::uint8_t protocol, const Bytes& payload) {
  Bytes out{0x45, 0};
  add_number(out, 20 + payload.size());
  out.insert(out.end(), {0, 1, 0, 0, 64, protocol, 0, 0});
  add_address(out, from);
  add_address(out, to);
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < out.size(); at += 2) sum += static_cast<std::uint32_t>(out[at] << 8 | out[at + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  out[10] = static_cast<std::uint8_t>(~sum >> 8);
  out[11] = static_cast<std::uint8_t>(~sum);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Bytes udp(std::uint16_t to, const Bytes& payload) {
  Bytes out;
  add_number(out, 5555);
  add_number(out, to);
  add_number(out, 8 + payload.size());
  add_number(out, 0);
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

Bytes vxlan(const std::string& mac, const Bytes& packet) {
  Bytes out{8, 0, 0, 0, 0, 0x10, 0, 0};
  for (const std::string_view pair : split(mac, ':')) {
    out.push_back(static_cast<std::uint8_t>(std::stoul(std::string(pair), nullptr, 16)));
  }
  out.insert(out.end(), {2, 0, 0, 0, 0, 1, 8, 0});
  out.insert(out.end(), packet.begin(), packet.end());
  return out;
}

void send_raw(const NetSpace& from, const Bytes& packet) {
  from.call([&] {
    const Socket raw(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    std::copy_n(packet.data() + kDestinationOffset, sizeof(to.sin_addr), reinterpret_cast<std::uint8_t*>(&to.sin_addr));
    MARGAY_CHECK(sendto(raw.fd(), packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                        sizeof(to)) == static_cast<ssize_t>(packet.size()));
  });
}

Mailbox::Mailbox(const NetSpace& where, std::uint16_t port) : socket_(-1) {
  int fd = -1;
  where.call([&] { fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0); });
  socket_ = Socket(fd);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  const timeval limit{.tv_sec = 5L * patience(), .tv_usec = 0};
  MARGAY_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0);
  MARGAY_CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
}

int Mailbox::next() const {
  std::uint8_t word = 0;
  return recv(socket_.fd(), &word, 1, 0) == 1 ? word : -1;
}

bool Mailbox::is_empty() const {
  std::uint8_t word = 0;
  return recv(socket_.fd(), &word, 1, MSG_DONTWAIT | MSG_PEEK) == -1;
}

long packets_at(const std::string& rules, std::string_view comment) {
  for (const std::string_view line : split(rules, '\n')) {
    if (!line.starts_with('[') || line.find(comment) == std::string_view::npos) continue;
    return parse_number<long>(line.substr(1, line.find(':') - 1)).value_or(-1);
  }
  return -1;
}

}  // namespace margay::test
