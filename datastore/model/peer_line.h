// A BGP session in one line: CalicoNodeStatus has no fields for AS numbers, prefixes and reasons, so the message of its
// condition BGPReady says them, for people who read the object and for netctl. Pure.
//
//   192.0.2.2 AS64512 received 3 accepted 3 sent 1
//   192.0.2.3 AS? received 0 accepted 0 sent 0: connect: Connection refused
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace margay::model {

struct PeerLine {
  std::string peer;
  std::optional<std::uint32_t> asn;
  std::uint64_t received = 0, accepted = 0, sent = 0;  // prefixes
  std::string problem;                                 // why there is no session; one line

  friend bool operator==(const PeerLine&, const PeerLine&) = default;
};

std::string to_string(const PeerLine& line);
std::optional<PeerLine> parse_peer_line(std::string_view text);

}  // namespace margay::model
