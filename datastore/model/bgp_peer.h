// BGPPeer (projectcalico.org/v3): whom some or all nodes peer with.
//
//   which nodes   node, or nodeSelector, or neither: all
//   which peers   peerIP (and asNumber): a router; peerSelector: other nodes; localWorkloadSelector: the node's own
//   pods
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/asn.h"
#include "datastore/model/meta.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class NextHopMode { kAuto, kSelf, kKeep };
template <>
struct EnumText<NextHopMode> {
  static constexpr std::string_view kWords[] = {"Auto", "Self", "Keep"};
};

enum class BgpSourceAddress { kUseNodeIp, kNone };
template <>
struct EnumText<BgpSourceAddress> {
  static constexpr std::string_view kWords[] = {"UseNodeIP", "None"};
};

enum class ReversePeering { kAuto, kManual };
template <>
struct EnumText<ReversePeering> {
  static constexpr std::string_view kWords[] = {"Auto", "Manual"};
};

struct BgpPeerSpec {
  std::string node;
  std::string node_selector;
  std::optional<PeerAddress> peer_ip;
  std::optional<Asn> as_number;
  std::optional<Asn> local_as_number;  // shown to this peer instead of the node's own
  std::string peer_selector;
  std::string local_workload_selector;
  bool keep_original_next_hop = false;  // old form of next_hop_mode Keep
  std::optional<NextHopMode> next_hop_mode;
  std::optional<SecretReference> password;                   // TCP MD5 (RFC 2385)
  std::optional<BgpSourceAddress> source_address;            // UseNodeIP
  std::optional<Duration> max_restart_time;                  // graceful restart (RFC 4724); 120 s
  std::optional<Duration> keepalive_time;                    // a third of the hold time
  std::optional<std::int32_t> num_allowed_local_as_numbers;  // of our own in a path; 0
  std::optional<std::uint8_t> ttl_security;                  // hops (RFC 5082); 0: off
  std::optional<IpAddress> reachable_by;                     // gateway for a static route to the peer
  std::vector<std::string> filters;                          // names of BGPFilter, in order
  std::optional<ReversePeering> reverse_peering;             // Auto: peers of peerSelector peer back

  friend bool operator==(const BgpPeerSpec&, const BgpPeerSpec&) = default;
};

struct BgpPeer {
  static constexpr Kind kKind = Kind::kBgpPeer;

  ObjectMeta metadata;
  BgpPeerSpec spec;
  ConditionsStatus status;

  friend bool operator==(const BgpPeer&, const BgpPeer&) = default;
};

}  // namespace margay::model
