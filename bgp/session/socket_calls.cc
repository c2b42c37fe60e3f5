#include "bgp/session/socket_calls.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/ip.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/core/text.h"

namespace margay::bgp::session {
namespace {

constexpr int kDscpCs6 = 0xc0;
constexpr int kTtlMax = 255;

Status set_int(int fd, int level, int name, int value, std::string_view what) {
  if (::setsockopt(fd, level, name, &value, sizeof value) == 0) return ok_status();
  return socket_error(errno, what);
}

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM: return ErrorCode::kPermissionDenied;
    case EADDRINUSE: return ErrorCode::kAlreadyExists;
    case ETIMEDOUT: return ErrorCode::kTimeout;
    case ENOPROTOOPT:
    case EAFNOSUPPORT: return ErrorCode::kUnsupported;
    default: return ErrorCode::kUnavailable;
  }
}

}  // namespace

RawAddress to_raw(const SocketAddress& address) {
  RawAddress raw;
  const auto bytes = address.address.bytes();
  if (address.address.is_v4()) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&raw.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    std::memcpy(&v4->sin_addr, bytes.data(), 4);
    raw.size = sizeof(sockaddr_in);
  } else {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&raw.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    std::memcpy(&v6->sin6_addr, bytes.data(), 16);
    raw.size = sizeof(sockaddr_in6);
  }
  return raw;
}

SocketAddress from_raw(const RawAddress& raw) {
  const auto bytes_at = [](const void* at, std::size_t size) {
    return IpAddress::from_bytes({static_cast<const std::uint8_t*>(at), size}).value_or(IpAddress());
  };
  if (raw.storage.ss_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(&raw.storage);
    return {bytes_at(&v4->sin_addr, 4), ntohs(v4->sin_port)};
  }
  if (raw.storage.ss_family == AF_INET6) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(&raw.storage);
    return {bytes_at(&v6->sin6_addr, 16).unmapped(), ntohs(v6->sin6_port)};
  }
  return {};
}

SocketAddress local_of(int fd) {
  RawAddress raw;
  raw.size = sizeof raw.storage;
  return ::getsockname(fd, raw.data(), &raw.size) == 0 ? from_raw(raw) : SocketAddress{};
}

SocketAddress remote_of(int fd) {
  RawAddress raw;
  raw.size = sizeof raw.storage;
  return ::getpeername(fd, raw.data(), &raw.size) == 0 ? from_raw(raw) : SocketAddress{};
}

Error socket_error(int error_number, std::string_view what) {
  char buffer[128];
  return Error{code_of(error_number), concat(what, ": ", ::strerror_r(error_number, buffer, sizeof buffer))};
}

Result<loop::UniqueFd> open_tcp(IpFamily family) {
  const int domain = family == IpFamily::kV4 ? AF_INET : AF_INET6;
  loop::UniqueFd fd(::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return socket_error(errno, "socket");
  return fd;
}

void set_connection_options(int fd, IpFamily family) {
  // Neither is worth failing for.
  (void)set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
  if (family == IpFamily::kV4) {
    (void)set_int(fd, IPPROTO_IP, IP_TOS, kDscpCs6, "IP_TOS");
  } else {
    (void)set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, kDscpCs6, "IPV6_TCLASS");
  }
}

namespace {

// What the SYN of an accepted connection had left; nullopt: nobody connected to this socket, or the kernel kept none.
std::optional<int> ttl_of_syn(int fd, IpFamily family) {
  std::array<std::uint8_t, 256> headers{};
  socklen_t size = headers.size();
  constexpr socklen_t kIpHeaderMin = 20;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, headers.data(), &size) != 0 || size < kIpHeaderMin) return {};
  return headers[family == IpFamily::kV4 ? 8 : 7];
}

}  // namespace

Status set_ttl(int fd, IpFamily family, const PeerSocketOptions& options) {
  const bool is_v4 = family == IpFamily::kV4;
  const int level = is_v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6};
  const int sent = options.ttl_security ? kTtlMax : options.ttl.value_or(kTtlMax);
  MARGAY_RETURN_IF_ERROR(set_int(fd, level, is_v4 ? IP_TTL : IPV6_UNICAST_HOPS, sent, "set TTL"));
  if (!options.ttl_security) return ok_status();
  // RFC 5082 §3: with one hop nothing below 255 is taken.
  const int least = kTtlMax + 1 - std::max<int>(1, *options.ttl_security);
  constexpr int kIpv6MinHopCount = 73;  // linux/in6.h, which cannot be included beside netinet/in.h
  MARGAY_RETURN_IF_ERROR(set_int(fd, level, is_v4 ? IP_MINTTL : kIpv6MinHopCount, least, "set TTL security"));
  // The listener serves all peers and takes every SYN; what came between it and here nobody has looked at.
  const std::optional<int> arrived = ttl_of_syn(fd, family);
  if (arrived && *arrived < least) return invalid(concat("came with a TTL of ", *arrived));
  return ok_status();
}

Status set_md5_key(int fd, const IpPrefix& peers, std::string_view password) {
  tcp_md5sig signature{};
  const RawAddress raw = to_raw({peers.first(), 0});
  std::memcpy(&signature.tcpm_addr, &raw.storage, raw.size);
  if (password.size() > sizeof signature.tcpm_key) {
    return invalid(concat("password for ", peers.to_string(), " is longer than ", sizeof signature.tcpm_key, " bytes"));
  }
  signature.tcpm_keylen = static_cast<std::uint16_t>(password.size());
  std::copy(password.begin(), password.end(), signature.tcpm_key);
  int name = TCP_MD5SIG;
  if (!peers.is_host()) {
    name = TCP_MD5SIG_EXT;
    signature.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    signature.tcpm_prefixlen = static_cast<std::uint8_t>(peers.length());
  }
  if (::setsockopt(fd, IPPROTO_TCP, name, &signature, sizeof signature) == 0) return ok_status();
  if (password.empty() && errno == ENOENT) return ok_status();
  return socket_error(errno, concat("TCP MD5 key for ", peers.to_string()));
}

Status set_listener_options(int fd, IpFamily family) {
  MARGAY_RETURN_IF_ERROR(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"));
  if (family == IpFamily::kV6) {
    MARGAY_RETURN_IF_ERROR(set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY"));
  }
  set_connection_options(fd, family);
  (void)set_int(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1, "TCP_SAVE_SYN");
  // The SYN-ACK leaves before the peer is known; one with TTL security takes it only with 255.
  return set_ttl(fd, family, {});
}

}  // namespace margay::bgp::session
