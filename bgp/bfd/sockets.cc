#include "bgp/bfd/sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <string_view>
#include <system_error>

#include "base/core/text.h"

namespace margay::bgp::bfd {
namespace {

constexpr int kTtl = 255;
constexpr std::uint16_t kSourcePortMin = 49152;
constexpr std::uint16_t kSourcePorts = 65535 - 49152 + 1;
constexpr int kPortAttempts = 64;
constexpr std::size_t kDatagramMax = 512;  // a control packet with the longest authentication has 52 bytes

// What bind() and friends take.
struct Raw {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Raw raw_of(const IpAddress& address, std::uint16_t port) {
  Raw raw;
  const std::array<std::uint8_t, 16> bytes = address.bytes();
  if (address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, bytes.data(), 4);
    std::memcpy(&raw.storage, &v4, raw.size = sizeof v4);
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, bytes.data(), 16);
    std::memcpy(&raw.storage, &v6, raw.size = sizeof v6);
  }
  return raw;
}

IpAddress address_of(const void* bytes, std::size_t size) {
  return IpAddress::from_bytes(std::span(static_cast<const std::uint8_t*>(bytes), size)).value_or(IpAddress());
}

Error failure(std::string_view what) {
  const int number = errno;
  const ErrorCode code = number == EADDRINUSE ? ErrorCode::kAlreadyExists
                         : number == EACCES   ? ErrorCode::kPermissionDenied
                         : number == EMFILE   ? ErrorCode::kLimitExceeded
                                              : ErrorCode::kUnavailable;
  return Error{code, concat("BFD: ", what, ": ", std::generic_category().message(number))};
}

bool set_option(const loop::UniqueFd& socket, int level, int name, int value) {
  return setsockopt(socket.get(), level, name, &value, sizeof value) == 0;
}

Result<loop::UniqueFd> open_udp(IpFamily family) {
  const int domain = family == IpFamily::kV4 ? AF_INET : AF_INET6;
  loop::UniqueFd socket(::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return failure("open a socket");
  if (family == IpFamily::kV6 && !set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return failure("IPV6_V6ONLY");
  return socket;
}

// Where the datagram went and with what TTL (ip(7), ipv6(7)).
void read_control(msghdr& message, Datagram& datagram) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    const bool is_v4 = each->cmsg_level == IPPROTO_IP;
    if ((is_v4 && each->cmsg_type == IP_TTL) ||
        (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_HOPLIMIT)) {
      std::memcpy(&datagram.ttl, CMSG_DATA(each), sizeof datagram.ttl);
    } else if (is_v4 && each->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(each), sizeof info);
      datagram.destination = address_of(&info.ipi_addr, 4);
    } else if (each->cmsg_level == IPPROTO_IPV6 && each->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(each), sizeof info);
      datagram.destination = address_of(&info.ipi6_addr, 16);
    }
  }
}

IpAddress source_of(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    return address_of(&v6.sin6_addr, 16);
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &storage, sizeof v4);
  return address_of(&v4.sin_addr, 4);
}

}  // namespace

Result<loop::UniqueFd> open_receiver(IpFamily family, std::uint16_t port) {
  MARGAY_ASSIGN_OR_RETURN(loop::UniqueFd socket, open_udp(family));
  const bool is_v4 = family == IpFamily::kV4;
  const bool has_options =
      is_v4 ? set_option(socket, IPPROTO_IP, IP_RECVTTL, 1) && set_option(socket, IPPROTO_IP, IP_PKTINFO, 1)
            : set_option(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
                  set_option(socket, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (!has_options) return failure("ask for TTL and destination");
  const Raw any = raw_of(is_v4 ? IpAddress::v4(0) : IpAddress::v6(0, 0), port);
  if (bind(socket.get(), any.data(), any.size) != 0) return failure(concat("listen on UDP port ", port));
  return socket;
}

Result<std::uint16_t> port_of(const loop::UniqueFd& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return failure("getsockname");
  std::uint16_t port = 0;  // at the same place in both families
  std::memcpy(&port, reinterpret_cast<const char*>(&storage) + offsetof(sockaddr_in, sin_port), sizeof port);
  return static_cast<std::uint16_t>(ntohs(port));
}

Result<loop::UniqueFd> open_sender(const IpAddress& local, Random& random) {
  MARGAY_ASSIGN_OR_RETURN(loop::UniqueFd socket, open_udp(local.family()));
  const bool has_ttl = local.is_v4() ? set_option(socket, IPPROTO_IP, IP_TTL, kTtl)
                                     : set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, kTtl);
  if (!has_ttl) return failure("set the TTL");
  // Network control, as routing protocols mark what they send (RFC 4594 §3.1).
  constexpr int kClassSelector6 = 0xc0;
  (void)(local.is_v4() ? set_option(socket, IPPROTO_IP, IP_TOS, kClassSelector6)
                       : set_option(socket, IPPROTO_IPV6, IPV6_TCLASS, kClassSelector6));
  for (int attempt = 0; attempt < kPortAttempts; ++attempt) {
    const auto port = static_cast<std::uint16_t>(kSourcePortMin + random.below(kSourcePorts));
    const Raw raw = raw_of(local, port);
    if (bind(socket.get(), raw.data(), raw.size) == 0) return socket;
    if (errno != EADDRINUSE) return failure(concat("send from ", local.to_string()));
  }
  return failure(concat("find a source port of ", local.to_string()));
}

bool send_to(const loop::UniqueFd& socket, const IpAddress& peer, std::uint16_t port, bytes::View packet) {
  const Raw raw = raw_of(peer, port);
  const ssize_t sent = sendto(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL, raw.data(), raw.size);
  return sent == static_cast<ssize_t>(packet.size());
}

bool receive_some(const loop::UniqueFd& socket, int count_max,
                  const std::function<void(const Datagram&)>& on_datagram) {
  std::array<std::uint8_t, kDatagramMax> buffer;
  for (int count = 0; count < count_max; ++count) {
    alignas(cmsghdr) std::array<char, 256> control;
    sockaddr_storage from{};
    iovec piece = {buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = recvmsg(socket.get(), &message, 0);
    if (size < 0) return errno == EINTR;  // errors of earlier packets come up here too; the next turn reads on
    Datagram datagram;
    datagram.bytes = bytes::View(buffer.data(), static_cast<std::size_t>(size));
    datagram.source = source_of(from);
    read_control(message, datagram);
    on_datagram(datagram);
  }
  return true;
}

}  // namespace margay::bgp::bfd
