// Next hops as bytes of MP_REACH_NLRI (RFC 4760, RFC 2545 §3, RFC 8950 §4). For bgp/wire's own use.
#pragma once

#include <cstddef>
#include <optional>

#include "base/bytes/reader.h"
#include "bgp/wire/family.h"
#include "bgp/wire/nlri.h"

namespace margay::bgp::wire {

// 4 bytes (IPv4 routes only), 16, or 32: a global address and a link-local one. nullopt for any other length.
std::optional<NextHop> decode_next_hop(Family family, bytes::View bytes);
// An address that no packet can be sent to through a neighbour: unspecified or 0/8, loopback, multicast, class E.
bool is_martian(const NextHop& next_hop);
std::size_t encoded_size(const NextHop& next_hop);
char* encode_next_hop(const NextHop& next_hop, char* at);

}  // namespace margay::bgp::wire
