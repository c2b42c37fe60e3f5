// The socket calls of this folder: addresses, and the options BGP wants (tcp(7), ip(7), ipv6(7), linux/tcp.h).
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/ip/prefix.h"
#include "base/loop/unique_fd.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

struct RawAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage); }
};

RawAddress to_raw(const SocketAddress& address);
SocketAddress from_raw(const RawAddress& raw);
SocketAddress local_of(int fd);
SocketAddress remote_of(int fd);

// "listen on 10.0.0.1:179: Address already in use", with a code that says whether trying again can help.
Error socket_error(int error_number, std::string_view what);

// Non-blocking, close-on-exec.
Result<loop::UniqueFd> open_tcp(IpFamily family);
// No delay, DSCP CS6 (RFC 4271 appendix E: network control).
void set_connection_options(int fd, IpFamily family);
// RFC 5082 when it has ttl_security; else the TTL, where one is given. An error when whoever has connected is too far.
Status set_ttl(int fd, IpFamily family, const PeerSocketOptions& options);
// RFC 2385. An empty password removes the key. Of the whole prefix on a listener.
Status set_md5_key(int fd, const IpPrefix& peers, std::string_view password);
// For one who listens: all that must be said before bind(2).
Status set_listener_options(int fd, IpFamily family);

}  // namespace margay::bgp::session
