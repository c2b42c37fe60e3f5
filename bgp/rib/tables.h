// Tables: what all parts of the RIB share: attribute sets, next hops, prefixes, paths, and who the peers are.
//
// A path is what one peer (or we ourselves) says of a prefix. Paths of a prefix form a chain that begins in its entry;
// once decided, the best comes first. A path holds a reference to each of its attribute sets and to its next hop.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip/address.h"
#include "base/ip/asn.h"
#include "bgp/rib/attribute_store.h"
#include "bgp/rib/ids.h"
#include "bgp/rib/next_hop_store.h"
#include "bgp/rib/paged_vector.h"
#include "bgp/rib/prefix_table.h"
#include "bgp/wire/family.h"

namespace margay::bgp::rib {

// Why a received route is not used; 0: it is.
enum class Rejection : std::uint8_t {
  kNone,
  kNoPolicy,        // RFC 8212
  kAsLoop,          // RFC 4271 §9.1.2
  kOriginatorLoop,  // RFC 4456 §8
  kClusterLoop,     // RFC 4456 §8
  kNextHop,         // RFC 4271 §5.1.3: our own, or no address of a host
  kFilter,
};
std::string_view to_string(Rejection rejection);

struct Path {
  AttributeId received = kNoId;    // as the peer sent them
  AttributeId attributes = kNoId;  // after import
  NextHopId next_hop = kNoId;      // kNoId: our own route
  PathId next = kNoId;
  std::uint32_t path_id = 0;  // of add-path; of our own routes: place in Tables::interfaces
  PeerId peer = kNoPeer;
  Rejection rejection = Rejection::kNone;
  bool is_stale : 1 = false;          // RFC 4724: of a session that has gone
  bool is_long_lived : 1 = false;     // RFC 9494: and for long
  bool awaits_refresh : 1 = false;    // RFC 7313: not seen since the peer's BoRR
  bool is_priority_ours : 1 = false;  // a filter set it: LOCAL_PREF stands for it whoever the peer is
  bool is_multipath : 1 = false;      // used beside the best
  bool is_counted : 1 = false;        // only while PeerPrefixes is being tidied

  [[nodiscard]] bool is_usable() const { return rejection == Rejection::kNone; }
  [[nodiscard]] bool is_local() const { return peer == kLocalPeer; }
};
static_assert(sizeof(Path) == 24, "there are millions");

// A peer as its routes are judged by; kept while routes of it are, also when its session is gone.
struct PeerFacts {
  bool is_internal = false;
  bool is_client = false;
  bool is_directly_connected = false;
  bool calico_local_pref = true;
  RouterId router_id;
  Asn asn;
  IpAddress address;
  IpAddress local_address;
};

struct Tables {
  AttributeStore attributes;
  NextHopStore next_hops;
  PerFamily<PrefixTable> prefixes{PrefixTable(Family::kIpv4Unicast), PrefixTable(Family::kIpv6Unicast)};
  PagedPool<Path> paths;
  std::vector<PeerFacts> facts;         // by PeerId
  std::vector<std::string> interfaces;  // of our own routes

  [[nodiscard]] const AttributeRecord& record(const Path& path) const { return attributes[path.attributes]; }
  // The kernel metric that a route stands for (calico.md: 2147483647 - LOCAL_PREF), normal where LOCAL_PREF says none.
  [[nodiscard]] std::uint32_t priority(const Path& path) const;
  // The best path of a prefix that has been decided, or nullptr.
  [[nodiscard]] const Path* best(const PrefixEntry& entry) const {
    if (entry.first_path == kNoId) return nullptr;
    const Path& first = paths[entry.first_path];
    return first.is_usable() ? &first : nullptr;
  }
  [[nodiscard]] std::size_t memory_bytes() const;
};

inline constexpr std::uint32_t kNormalPriority = 1024;

}  // namespace margay::bgp::rib
