// Destinations as bytes: [path identifier] length prefix-bytes (RFC 4271 §4.3, RFC 4760 §5, RFC 7911 §3).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/bytes/reader.h"
#include "bgp/wire/family.h"
#include "bgp/wire/nlri.h"

namespace margay::bgp::wire {

struct NlriForm {
  Family family = Family::kIpv4Unicast;
  bool has_path_id = false;
};

// Appends all destinations in `bytes`; bits after a prefix's length are dropped. False when a length is too large or a
// prefix runs past the end; what was appended until then stays.
bool decode_nlri(bytes::View bytes, const NlriForm& form, std::vector<Nlri>& out);

constexpr std::size_t encoded_size(const Nlri& nlri, bool has_path_id) {
  return (has_path_id ? 5U : 1U) + (static_cast<std::size_t>(nlri.prefix.length()) + 7) / 8;
}
// How many of the first of `nlri` fit `room` bytes, and the bytes they take.
struct Fit {
  std::size_t count = 0;
  std::size_t bytes = 0;
};
Fit fit_nlri(std::span<const Nlri> nlri, bool has_path_id, std::size_t room);
// Writes them and returns the place after.
char* encode_nlri(std::span<const Nlri> nlri, bool has_path_id, char* at);

// A prefix that no route can lead to: multicast, loopback, IPv6 link-local (RFC 4271 §6.3: such are ignored).
inline bool is_unroutable(const IpPrefix& prefix) {
  const std::uint64_t high = prefix.bits().high;
  if (prefix.is_v4()) return high >> 60 == 0xe || (high >> 56 == 127 && prefix.length() >= 8);
  return high >> 56 == 0xff || (high >> 54 == 0xfe80 >> 6 && prefix.length() >= 10) ||
         (prefix.is_host() && high == 0 && prefix.bits().low == 1);
}

}  // namespace margay::bgp::wire
