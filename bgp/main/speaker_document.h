// The object `kind: Speaker` (margay.dev/v1) of a configuration file: who the speaker is, and of its peers what
// BGPPeer has no field for. docs/examples/bgpd/README.md explains every field.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/time.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "base/json/value.h"
#include "bgp/rib/rib.h"
#include "bgp/speaker/config.h"
#include "bgp/wire/family.h"

namespace margay::bgpd {

// What is not given leaves what was there.
struct PeerExtras {
  std::optional<Duration> hold_time, connect_retry, connect_delay, delay_open, long_lived_stale_time, restart_time;
  std::optional<bool> passive, graceful_restart, extended_next_hop, extended_message, require_policy, enforce_first_as,
      allow_as_set, is_client, calico_local_pref, graceful_shutdown, shut_down;
  std::optional<std::string> shutdown_text;
  std::optional<std::uint8_t> multihop_ttl;
  std::optional<bgp::PerFamily<bool>> families;
  std::optional<bool> add_path_receive, add_path_send;
  std::optional<std::uint32_t> send_paths_max;
  std::optional<bgp::BfdConfig> bfd;
  std::optional<bgp::rib::PrefixLimit> prefix_limit;
};

struct RangeDocument {
  std::string name;
  IpPrefix range;
  std::uint32_t peers_max = 100;
  std::optional<Asn> asn, local_asn;
  std::vector<std::string> filters;
  std::string password;  // its name in `passwords`
  PeerExtras extras;
  std::string path;  // "spec.listenRanges[0]"
};

struct SpeakerDocument {
  std::optional<Asn> asn;
  std::optional<RouterId> router_id;
  std::vector<IpAddress> listen_addresses;
  std::optional<std::uint16_t> listen_port;
  std::vector<bgp::rib::LocalRoute> local_routes;
  std::optional<RouterId> cluster_id;
  bool install_routes = true;
  std::uint32_t route_table = 254;
  std::string node_name;  // BGPPeers of other nodes are left out; empty: none are
  std::optional<bool> multipath, multipath_relax, always_compare_med;
  std::optional<Duration> selection_deferral;
  PeerExtras defaults;                      // of every peer
  std::map<std::string, PeerExtras> peers;  // by the name of the BGPPeer
  std::vector<RangeDocument> ranges;
  std::map<std::string, std::string> passwords;  // name to file
};

SpeakerDocument read_speaker(const json::Value& object, FieldErrors& errors);

}  // namespace margay::bgpd
