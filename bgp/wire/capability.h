// Capabilities of an OPEN (RFC 5492), as one value. Encoding writes those that are set; decoding takes the union of
// repeated ones (the last where they contradict each other) and keeps the numbers of unknown ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ip/asn.h"
#include "bgp/wire/family.h"

namespace margay::bgp {

// RFC 4724, with the N bit of RFC 8538.
struct GracefulRestart {
  bool restarting = false;             // R
  bool notification = false;           // N: a NOTIFICATION keeps routes too
  std::uint16_t restart_time_s = 0;    // 12 bits
  std::map<AfiSafi, bool> forwarding;  // families, and whether forwarding state was kept (F)
  friend bool operator==(const GracefulRestart&, const GracefulRestart&) = default;
};

// RFC 9494.
struct LongLivedFamily {
  bool forwarding = false;
  std::uint32_t stale_time_s = 0;  // 24 bits
  friend bool operator==(const LongLivedFamily&, const LongLivedFamily&) = default;
};

// RFC 7911.
struct AddPath {
  bool receive = false;
  bool send = false;
  friend constexpr bool operator==(const AddPath&, const AddPath&) = default;
};

struct Capabilities {
  std::set<AfiSafi> multiprotocol;                  // 1, RFC 4760
  bool route_refresh = false;                       // 2, RFC 2918
  std::set<AfiSafi> extended_next_hop;              // 5, RFC 8950: families whose next hop may be IPv6 (AFI 2)
  bool extended_message = false;                    // 6, RFC 8654
  std::optional<GracefulRestart> graceful_restart;  // 64
  std::optional<Asn> four_octet_asn;                // 65, RFC 6793
  std::map<AfiSafi, AddPath> add_path;              // 69
  bool enhanced_route_refresh = false;              // 70, RFC 7313
  std::map<AfiSafi, LongLivedFamily> long_lived;    // 71
  std::string hostname;                             // 73, FQDN; for people
  std::string software_version;                     // 75; for people
  std::set<std::uint8_t> unknown;                   // codes, for display; never encoded

  // "multiprotocol ipv4-unicast", "route-refresh", …: one a line of `show peers`.
  [[nodiscard]] std::vector<std::string> to_strings() const;
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

}  // namespace margay::bgp
