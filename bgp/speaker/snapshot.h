// SpeakerSnapshot: what the speaker looks like from outside, as values. One model for JSON, tables, metrics and netctl.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "bgp/fsm/peer.h"
#include "bgp/rib/rib.h"
#include "bgp/session/message_counts.h"

namespace margay::bgp {

using session::MessageCounts;

struct PeerSnapshot {
  IpAddress address;
  std::uint16_t port = 179;
  std::string name;
  std::optional<Asn> remote_asn;
  Asn local_asn;
  fsm::State state = fsm::State::kIdle;
  bool is_dynamic = false;
  bool is_passive = false;
  bool is_internal = false;
  std::optional<Duration> since;  // in this state
  std::optional<fsm::Negotiated> session;
  std::optional<Duration> hold_time_left;
  std::string local_address;  // "10.0.0.1:179"; empty without a connection
  rib::PeerCounts routes;
  MessageCounts received, sent;
  std::uint64_t times_established = 0;
  std::uint64_t times_dropped = 0;
  std::optional<fsm::DownReason> last_error;
  std::optional<Duration> last_error_age;
  std::optional<fsm::DownReason> last_attempt_error;  // of the attempts since the last session came up
  std::optional<Duration> last_attempt_error_age;
  // Hex of the message that was wrong, cut; empty when no message was.
  std::string last_error_bytes, last_attempt_error_bytes;
  std::map<std::string, std::uint64_t> faults;  // RFC 7606 outcomes by what
  std::string socket_error;                     // why it cannot connect to us; empty: it can
  std::size_t queued_bytes = 0;
  std::string bfd_state;        // empty: no BFD
  std::uint64_t bfd_downs = 0;  // sessions that BFD ended
};

// A route as it is shown; owned.
struct RouteSnapshot {
  IpPrefix prefix;
  std::uint32_t path_id = 0;
  std::optional<IpAddress> peer;  // nullopt: our own
  NextHop next_hop;
  std::string as_path;
  Origin origin = Origin::kIncomplete;
  std::optional<std::uint32_t> med, local_pref;
  std::vector<std::string> communities;  // "64512:100", "64512:1:2", "no-export"
  std::optional<RouterId> originator_id;
  bool best = false, multipath = false, stale = false, filtered = false;
  std::string reason;  // "best", "lost: AS path length", "rejected by filter x rule 2"
};

struct SnapshotQuery {
  enum class Routes : std::uint8_t { kNone, kBest, kReceived, kSent };
  Routes routes = Routes::kNone;
  std::optional<IpAddress> peer;  // needed for received and sent
  enum class Match : std::uint8_t { kExact, kInside, kHolding };
  std::optional<IpPrefix> prefix;  // this one alone, or as `match` says
  Match match = Match::kExact;     // kInside: and those inside of it; kHolding: and those it is inside of
};

struct SpeakerSnapshot {
  Asn asn;
  RouterId router_id;
  bool restarting = false;
  Duration uptime{};
  std::vector<std::string> problems;  // that are tried again: "listen on 10.0.0.1:179: Cannot assign requested address"
  std::vector<PeerSnapshot> peers;    // by address
  std::vector<RouteSnapshot> routes;
};

}  // namespace margay::bgp
