#include "test/slice/capture.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/core/check.h"

namespace margay::test {
namespace {

using Frame = std::vector<std::uint8_t>;

constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kUdpSize = 8;
constexpr std::size_t kVxlanSize = 8;
constexpr std::uint16_t kVxlanPort = 4789;

std::uint16_t number_at(const Frame& frame, std::size_t at) {
  return static_cast<std::uint16_t>(frame[at] << 8 | frame[at + 1]);
}

std::string address_at(const Frame& frame, std::size_t at, int family) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, frame.data() + at, text.data(), text.size());
  return text.data();
}

struct Header {
  std::string from, to;
  std::uint8_t protocol = 0;
  std::size_t end = 0;
};

// Of a packet without options and extension headers, which nobody here makes.
std::optional<Header> header_at(const Frame& frame, std::size_t at) {
  if (frame.size() <= at) return std::nullopt;
  if (frame[at] >> 4 == 4 && frame.size() >= at + 20) {
    const std::size_t size = (frame[at] & 15U) * std::size_t{4};
    return Header{address_at(frame, at + 12, AF_INET), address_at(frame, at + 16, AF_INET), frame[at + 9], at + size};
  }
  if (frame[at] >> 4 == 6 && frame.size() >= at + 40) {
    return Header{address_at(frame, at + 8, AF_INET6), address_at(frame, at + 24, AF_INET6), frame[at + 6], at + 40};
  }
  return std::nullopt;
}

}  // namespace

std::optional<SeenPacket> take_apart(const Frame& frame) {
  if (frame.size() < kEthernetSize) return std::nullopt;
  const std::uint16_t type = number_at(frame, 12);
  if (type != ETH_P_IP && type != ETH_P_IPV6) return std::nullopt;
  const auto outer = header_at(frame, kEthernetSize);
  if (!outer) return std::nullopt;
  SeenPacket out{
      .from = outer->from, .to = outer->to, .protocol = outer->protocol, .inner_from = {}, .inner_to = {}, .vni = {}};
  std::size_t inner_at = outer->end;
  const bool is_vxlan = outer->protocol == IPPROTO_UDP && frame.size() >= outer->end + kUdpSize + kVxlanSize &&
                        number_at(frame, outer->end + 2) == kVxlanPort;
  if (is_vxlan) {
    const std::size_t vxlan = outer->end + kUdpSize;
    out.vni = static_cast<std::uint32_t>(frame[vxlan + 4] << 16 | frame[vxlan + 5] << 8 | frame[vxlan + 6]);
    inner_at = vxlan + kVxlanSize + kEthernetSize;
  } else if (outer->protocol != IPPROTO_IPIP) {
    return out;
  }
  if (const auto inner = header_at(frame, inner_at)) {
    out.inner_from = inner->from;
    out.inner_to = inner->to;
  }
  return out;
}

Capture::Capture(const NetSpace& where) {
  int fd = -1;
  where.call([&fd] { fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)); });
  MARGAY_CHECK(fd >= 0);
  socket_ = Socket(fd);
  thread_ = std::thread([this] { receive(); });
}

Capture::~Capture() {
  is_stopping_ = true;
  thread_.join();
}

void Capture::receive() {
  Frame buffer(65536);
  while (!is_stopping_) {
    pollfd watched{socket_.fd(), POLLIN, 0};
    if (poll(&watched, 1, 20) != 1) continue;
    const ssize_t size = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
    if (size <= 0) continue;
    auto packet = take_apart(Frame(buffer.begin(), buffer.begin() + size));
    if (!packet) continue;
    const std::lock_guard lock(guard_);
    seen_.push_back(std::move(*packet));
  }
}

std::size_t Capture::count(const std::function<bool(const SeenPacket&)>& which) const {
  const std::lock_guard lock(guard_);
  return static_cast<std::size_t>(std::count_if(seen_.begin(), seen_.end(), which));
}

void Capture::clear() {
  const std::lock_guard lock(guard_);
  seen_.clear();
}

}  // namespace margay::test
