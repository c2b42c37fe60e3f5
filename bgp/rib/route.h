// Routes as they go in and out of the RIB.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/wire/attributes.h"
#include "bgp/wire/nlri.h"

namespace margay::bgp::rib {

// A peer's place in the RIB's tables.
using PeerId = std::uint16_t;

// A prefix of our own: a block, a service, what the configuration lists.
struct LocalRoute {
  IpPrefix prefix;
  std::uint32_t priority = 1024;  // kernel metric; LOCAL_PREF stands for it in Calico's dialect
  std::vector<std::uint32_t> communities;
  std::vector<LargeCommunity> large_communities;
  std::string_view interface;  // constant text for filters; usually empty
  friend bool operator==(const LocalRoute&, const LocalRoute&) = default;
};

// Where the kernel should send packets; several when paths tie (ECMP), in order.
struct BestRoute {
  std::vector<NextHop> next_hops;
  std::uint32_t priority = 1024;  // kernel metric
  bool is_external = false;       // best path came by eBGP
  bool is_elevated = false;       // Calico's dialect: LOCAL_PREF above normal, beats a local workload route
  friend bool operator==(const BestRoute&, const BestRoute&) = default;
};
struct RouteChange {
  IpPrefix prefix;
  std::optional<BestRoute> route;  // nullopt: no route from a peer any more
  friend bool operator==(const RouteChange&, const RouteChange&) = default;
};

// RFC 4271 §9.1.2.2 and its companions, in the order they are taken: the step that told a path from the best one.
enum class DecisionStep : std::uint8_t {
  kNone,               // the only path, or the best
  kUnusable,           // rejected: loop, next hop, filter
  kStale,              // RFC 9494: long-lived stale loses to all others
  kLocalPref,          // higher
  kLocalRoute,         // our own
  kAsPathLength,       // shorter
  kOrigin,             // IGP, EGP, incomplete
  kMed,                // lower, of one neighbour AS
  kExternal,           // eBGP before iBGP
  kRouterId,           // lower (ORIGINATOR_ID in its place)
  kClusterListLength,  // RFC 4456 §9: shorter, after the router ID
  kPeerAddress,        // lower
  kPathId,             // lower (add-path)
};
std::string_view to_string(DecisionStep step);  // "local preference", …

// A path as people see it; views last as long as the call.
struct RouteView {
  IpPrefix prefix;
  std::uint32_t path_id = 0;
  std::optional<PeerId> peer;  // nullopt: our own
  NextHop next_hop;
  AttributeView attributes;
  bool is_best = false;
  bool is_multipath = false;  // used beside the best
  bool is_stale = false;
  bool is_filtered = false;  // by an import or export rule
  DecisionStep lost_at = DecisionStep::kNone;
  std::string_view filter;  // that decided, if any
  std::string_view reason;  // in words
};

}  // namespace margay::bgp::rib
