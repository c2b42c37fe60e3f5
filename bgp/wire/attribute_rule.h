// What each path attribute's own specification says of its flags. For bgp/wire's own use.
#pragma once

#include <cstdint>

#include "bgp/wire/attributes.h"

namespace margay::bgp::wire {

struct AttributeRule {
  bool is_known = false;
  std::uint8_t flags = kFlagOptional | kFlagTransitive;  // the Optional and Transitive bits
  // Wrong flags discard the attribute instead of withdrawing the routes: RFC 7311 §3.2, RFC 9552 §8.2.2, RFC 8669 §6,
  // RFC 6793 §6.
  bool discards_wrong_flags = false;
};

constexpr AttributeRule rule_of(std::uint8_t type) {
  constexpr std::uint8_t kWellKnown = kFlagTransitive;
  constexpr std::uint8_t kNonTransitive = kFlagOptional;
  constexpr std::uint8_t kOptionalTransitive = kFlagOptional | kFlagTransitive;
  switch (type) {
    case 1:  // ORIGIN
    case 2:  // AS_PATH
    case 3:  // NEXT_HOP
    case 5:  // LOCAL_PREF
    case 6:  // ATOMIC_AGGREGATE
      return {true, kWellKnown, false};
    case 4:   // MULTI_EXIT_DISC
    case 9:   // ORIGINATOR_ID
    case 10:  // CLUSTER_LIST
    case 14:  // MP_REACH_NLRI
    case 15:  // MP_UNREACH_NLRI
      return {true, kNonTransitive, false};
    case 26:  // AIGP
    case 29:  // BGP-LS
      return {true, kNonTransitive, true};
    case 7:   // AGGREGATOR
    case 8:   // COMMUNITIES
    case 16:  // EXTENDED COMMUNITIES
    case 22:  // PMSI_TUNNEL
    case 23:  // Tunnel Encapsulation
    case 25:  // IPv6 Address Specific Extended Community
    case 32:  // LARGE_COMMUNITY
    case 35:  // Only to Customer
      return {true, kOptionalTransitive, false};
    case 17:  // AS4_PATH
    case 18:  // AS4_AGGREGATOR
    case 40:  // BGP Prefix-SID
      return {true, kOptionalTransitive, true};
    default: return {};
  }
}

}  // namespace margay::bgp::wire
