#include "base/loop/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "base/core/text.h"

namespace margay::loop {
namespace {

// A dead peer is noticed after about a minute, whether or not bytes are under way (tcp(7)).
constexpr int kKeepAliveIdleSeconds = 30;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;
constexpr int kUserTimeoutMs = 60'000;

void set_option(int fd, int level, int name, int value) { (void)setsockopt(fd, level, name, &value, sizeof value); }

// "%eth0", "%3" when the interface has gone, "" for an address that needs none.
std::string zone_of(const sockaddr_in6& address) {
  if (address.sin6_scope_id == 0) return "";
  char name[IF_NAMESIZE] = "";
  if (if_indextoname(address.sin6_scope_id, name) != nullptr) return concat('%', std::string_view(name));
  return concat('%', address.sin6_scope_id);
}

// The interface of "fe80::1%eth0" when there is none of that name or number, else "".
std::string_view missing_interface(const std::string& host) {
  const std::size_t mark = host.find('%');
  if (mark == std::string::npos) return {};
  const std::string_view zone = std::string_view(host).substr(mark + 1);
  const bool is_there = if_nametoindex(host.c_str() + mark + 1) != 0 || parse_number<std::uint32_t>(zone).has_value();
  return is_there ? std::string_view() : zone;
}

ErrorCode code_of(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM: return ErrorCode::kPermissionDenied;
    case EADDRINUSE: return ErrorCode::kAlreadyExists;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL: return ErrorCode::kInvalid;
    case EMFILE:
    case ENFILE: return ErrorCode::kLimitExceeded;
    default: return ErrorCode::kUnavailable;
  }
}

}  // namespace

Endpoint SocketAddress::to_endpoint() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    sockaddr_in6 address{};
    std::memcpy(&address, &storage, sizeof address);
    const std::uint16_t port = ntohs(address.sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&address.sin6_addr)) {
      inet_ntop(AF_INET, &address.sin6_addr.s6_addr[12], text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    }
    return Endpoint{.kind = Endpoint::Kind::kTcp,
                    .host = concat(std::string_view(text), zone_of(address)),
                    .port = port,
                    .path = {}};
  }
  sockaddr_in address{};
  std::memcpy(&address, &storage, sizeof address);
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return Endpoint{.kind = Endpoint::Kind::kTcp, .host = text, .port = ntohs(address.sin_port), .path = {}};
}

std::string SocketAddress::to_string() const {
  if (family() == AF_UNIX) return "unix";
  return to_endpoint().to_string().substr(std::string_view("tcp://").size());
}

Result<std::vector<SocketAddress>> look_up(const std::string& host, std::uint16_t port, bool is_numeric_only) {
  // An interface may appear later; as a listener's it is an error of whoever wrote it.
  if (const std::string_view zone = missing_interface(host); !zone.empty())
    return Error{ErrorCode::kUnavailable, concat(quoted(host), ": there is no network interface ", quoted(zone),
                                                 zone.starts_with("25") ? " (%25 is for URLs)" : "")};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (is_numeric_only ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), concat(port).c_str(), &hints, &found);
  if (failure != 0) {
    const ErrorCode code = is_numeric_only ? ErrorCode::kInvalid : ErrorCode::kUnavailable;
    return Error{code, concat("look up ", quoted(host), ": ", std::string_view(gai_strerror(failure)))};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    SocketAddress address;
    if (each->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, each->ai_addr, each->ai_addrlen);
    address.size = each->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

SocketAddress unix_address(const std::string& path) {
  SocketAddress address;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  std::memcpy(&address.storage, &name, sizeof name);
  address.size = sizeof name;
  return address;
}

Result<UniqueFd> open_socket(int family) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return socket_error(errno, "open a socket");
  return fd;
}

void set_connection_options(int fd, int family) {
  if (family == AF_UNIX) return;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdleSeconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveIntervalSeconds);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

Error socket_error(int error_number, std::string_view what) {
  return Error{code_of(error_number), concat(what, ": ", std::generic_category().message(error_number))};
}

}  // namespace margay::loop
