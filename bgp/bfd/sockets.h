// The UDP sockets of BFD (RFC 5881 §4, §5; RFC 5883 §5). Packets leave with TTL 255; what arrives comes with the TTL it
// had, so that the owner can refuse what was forwarded.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/bytes/reader.h"
#include "base/core/random.h"
#include "base/core/result.h"
#include "base/ip/address.h"
#include "base/loop/unique_fd.h"

namespace margay::bgp::bfd {

struct Datagram {
  bytes::View bytes;
  IpAddress source;
  IpAddress destination;  // of ours
  int ttl = 0;            // or hop limit; 0: the kernel did not say
};

// Listens on all addresses of the family; port 0: any.
Result<loop::UniqueFd> open_receiver(IpFamily family, std::uint16_t port);
Result<std::uint16_t> port_of(const loop::UniqueFd& socket);
// Bound to `local` with a port from 49152 to 65535 of its own (RFC 5881 §4).
Result<loop::UniqueFd> open_sender(const IpAddress& local, Random& random);

// False: nothing was sent, for any reason; BFD tries again by itself.
bool send_to(const loop::UniqueFd& socket, const IpAddress& peer, std::uint16_t port, bytes::View packet);
// Hands over what waits, `count_max` datagrams at most; true: there may be more.
bool receive_some(const loop::UniqueFd& socket, int count_max, const std::function<void(const Datagram&)>& on_datagram);

}  // namespace margay::bgp::bfd
