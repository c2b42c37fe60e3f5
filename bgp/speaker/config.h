// Config: all that a speaker is told, as one value. The speaker compares the new with the old and touches only what
// changed; each field says what changing it does:
//   [live]     applied without a word to the peer's session
//   [routes]   routes are filtered or sent again, the session stays
//   [session]  the session of this peer starts anew (with Graceful Restart where both sides have it)
//   [all]      every session starts anew
// Names come from the objects of the user: errors and `show` speak of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/time.h"
#include "base/ip/address.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/filter/filter.h"
#include "bgp/rib/rib.h"
#include "bgp/rib/route.h"
#include "bgp/wire/family.h"

namespace margay::bgp {

// RFC 5880; one per peer that wants it. Intervals as offered; what both want is agreed on.
struct BfdConfig {
  Duration transmit_min = std::chrono::milliseconds(300);
  Duration receive_min = std::chrono::milliseconds(300);
  int multiplier = 3;
  friend bool operator==(const BfdConfig&, const BfdConfig&) = default;
};

struct PeerKey {
  IpAddress address;
  std::uint16_t port = 179;  // where we connect to
  friend auto operator<=>(const PeerKey&, const PeerKey&) = default;
};

// "10.0.0.2", with a port of its own "10.0.0.2#1179".
std::string to_string(const PeerKey& key);

struct PeerSettings {
  std::string name;                                  // [live]    "Global peer tor-1": for people
  std::optional<Asn> remote_asn;                     // [session] nullopt: any other than ours
  std::optional<Asn> local_asn;                      // [session] nullopt: the speaker's
  std::optional<IpAddress> source_address;           // [session]
  bool passive = false;                              // [live]    for the next connection
  std::optional<std::uint8_t> ttl_security;          // [session] hops, 1 to 254 (RFC 5082); nullopt: off
  std::optional<std::uint8_t> multihop_ttl;          // [session] of packets to an eBGP peer; nullopt: 255, any distance
  std::string password;                              // [session] TCP MD5 (RFC 2385), at most 80 bytes; empty: none
  Duration hold_time = std::chrono::seconds(90);     // [session] 0, or 3 s and more
  std::optional<Duration> keepalive_time;            // [live]    also of the session that runs
  Duration connect_retry = std::chrono::seconds(5);  // [live]
  Duration connect_delay{};                          // [live]
  Duration delay_open{};                             // [live]    RFC 4271 §8.1.1; for the next connection; 0: off
  std::optional<Duration> restart_time = std::chrono::seconds(120);  // [session] RFC 4724; nullopt: no Graceful Restart
  std::optional<Duration> long_lived_stale_time;                     // [session] RFC 9494; nullopt: none
  PerFamily<bool> families{true, false};                             // [session]
  PerFamily<bool> add_path_receive;                                  // [session]
  PerFamily<bool> add_path_send;                                     // [session]
  bool extended_next_hop = false;                                    // [session] RFC 8950
  bool extended_message = true;                                      // [session] RFC 8654
  bool enforce_first_as = true;                                      // [live]    for what arrives from now on
  bool allow_as_set = false;                                         // [live]
  bool is_shut_down = false;                                         // [session] administratively; with the text below
  std::string shutdown_text;                                         // RFC 9003
  std::optional<BfdConfig> bfd;                                      // [live]
  rib::PeerPolicy policy;                                            // [routes]
};

// Peers that are not listed but may connect from a range (RFC has none; as "dynamic neighbours" elsewhere).
struct ListenRange {
  std::string name;
  IpPrefix range;
  std::uint32_t peers_max = 100;
  PeerSettings settings;  // as above, for each
};

struct SpeakerConfig {
  Asn asn{64512};                           // [all]
  RouterId router_id;                       // [all]
  std::vector<IpAddress> listen_addresses;  // [live] empty: all, both families
  std::uint16_t listen_port = kBgpPort;     // [live] 0: does not listen
  bool always_compare_med = false;          // [routes]
  bool multipath = true;                    // [routes]
  bool multipath_relax = false;             // [routes]
  std::size_t multipath_max = 16;           // [routes]
  // How long a restarting speaker waits for its peers' End-of-RIB before it sends its own (RFC 4724 §4.1).
  Duration selection_deferral = std::chrono::seconds(5);  // [live]
  std::vector<rib::LocalRoute> local_routes;              // [routes]
  std::map<PeerKey, PeerSettings> peers;
  std::vector<ListenRange> listen_ranges;
};

// All that is wrong with it, each with its place ("peers[10.0.0.1].hold_time"); empty: it can be applied.
std::vector<FieldError> validate(const SpeakerConfig& config);

}  // namespace margay::bgp
