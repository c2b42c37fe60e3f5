// Rib: everything learnt, the best of it, and what each peer is told. Pure: messages in, packets and route changes out.
//
//   receive() ─▶ Adj-RIB-In ─import filter▶ paths of a prefix ─decision▶ Loc-RIB ─▶ routes for the kernel
//                                                                   │
//                              update group (equal policy, equal encoding): export filter, Adj-RIB-Out
//                                                                   │ packed by attributes, encoded once
//                                        one queue of shared packets a peer ◀─ take()
//
// Changes are collected (a prefix that changes five times is decided once) and worked off by run(). Nothing waits for a
// timer: the owner calls run() when it has handled the input that is there.
//
// Invariants
//   1. After run() returned true, Loc-RIB and every Adj-RIB-Out are what the present Adj-RIB-Ins and policies give,
//      whatever the order in which they came (test: incremental equals from scratch).
//   2. A peer's queue never names a destination it was not told of, except withdrawals that follow a reset of its view.
//   3. A route is never sent to the peer it came from, nor to the one whose ORIGINATOR_ID it carries (RFC 4456 §8).
//   4. Attributes are stored once, however many routes have them.
// Thread: one. No clock: time comes with the calls.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "base/ip/asn.h"
#include "base/ip/prefix.h"
#include "bgp/filter/filter.h"
#include "bgp/fsm/negotiated.h"
#include "bgp/rib/route.h"
#include "bgp/rib/route_walk.h"
#include "bgp/wire/message.h"

namespace margay::bgp::rib {

enum class NextHopMode : std::uint8_t {
  kAuto,  // RFC 4271 §5.1.3: self on eBGP (unless the peer's own link has it) and for local routes, kept on iBGP
  kSelf,
  kKeep,
};

struct PrefixLimit {
  std::uint32_t max = 0;                  // of prefixes of a family that the peer tells of, before any filter; 0: none
  std::uint32_t max_accepted = 0;         // of those that import leaves; 0: none
  int warn_percent = 75;                  // of either
  std::optional<Duration> restart_after;  // nullopt: stays down until an admin says otherwise
  friend bool operator==(const PrefixLimit&, const PrefixLimit&) = default;
};

// What of a peer's configuration concerns its routes. Changing it never resets the session: import rules are applied to
// the Adj-RIB-In again, export rules to the Loc-RIB.
struct PeerPolicy {
  PerFamily<FilterChain> import_chain;
  PerFamily<FilterChain> export_chain;
  bool requires_policy = false;        // RFC 8212: eBGP without a chain takes and sends nothing
  bool is_client = false;              // route reflector client (RFC 4456)
  std::optional<RouterId> cluster_id;  // ours towards it; nullopt: we reflect nothing
  NextHopMode next_hop_mode = NextHopMode::kAuto;
  int own_asn_allowed = 0;  // times our own number may be in a path
  PerFamily<PrefixLimit> prefix_limit;
  bool calico_local_pref = true;          // LOCAL_PREF carries the kernel metric on iBGP
  std::uint32_t send_paths_max = 1;       // with add-path: paths of a prefix that are sent
  bool graceful_shutdown = false;         // RFC 8326: everything is sent with the community, LOCAL_PREF 0
  bool accepts_graceful_shutdown = true;  // RFC 8326 §4.1: such routes get LOCAL_PREF 0
};

// A session as its routes see it.
struct PeerSession {
  fsm::Negotiated negotiated;
  IpAddress peer_address;
  IpAddress local_address;                 // of the connection
  PerFamily<std::optional<NextHop>> self;  // our address as a next hop; nullopt: the family cannot be sent with self
  bool is_directly_connected = true;       // one hop away
};

struct RibConfig {
  Asn local_asn;
  RouterId router_id;
  bool always_compare_med = false;
  bool multipath = true;         // ECMP of paths that tie up to the router ID
  bool multipath_relax = false;  // paths of equal length through different ASes tie too
  std::size_t multipath_max = 16;
  // Unsent bytes of a peer, beyond which its changes are kept as prefixes to tell of, not as messages.
  std::size_t queue_bytes = std::size_t{1} << 20;
};

// Prefixes, for people and metrics. With add-path there are more paths than prefixes.
struct PeerCounts {
  PerFamily<std::uint64_t> received;  // in Adj-RIB-In
  PerFamily<std::uint64_t> accepted;  // with a path that import left
  PerFamily<std::uint64_t> paths;     // in Adj-RIB-In
  PerFamily<std::uint64_t> ignored;   // announcements of more paths of a prefix than are kept; all so far
  PerFamily<std::uint64_t> sent;      // in Adj-RIB-Out
  PerFamily<std::uint64_t> stale;
  std::uint64_t updates_sent = 0, bytes_sent = 0;
};

// Encoded messages, shared by all peers that get them.
using Packet = std::shared_ptr<const std::string>;

struct Events {
  // The best routes changed; a batch a run(). Absent routes: removed.
  std::function<void(std::vector<RouteChange>)> on_routes;
  // Something waits in this peer's queue (said once until it has been emptied).
  std::function<void(PeerId)> on_output;
  // It must end: prefix limit (Cease 1).
  std::function<void(PeerId, Notification)> on_overrun;
  // So many prefixes: near the limit, said once until there are fewer again.
  std::function<void(PeerId, Family, std::uint64_t prefixes)> on_limit_warning;
  // It tells of more paths of this prefix than are kept; said once a session.
  std::function<void(PeerId, const IpPrefix&)> on_paths_ignored;
};

class Rib {
 public:
  Rib(RibConfig config, Events events);
  ~Rib();

  // --- peers ---
  // Dense small numbers: the owner uses them again after remove_peer().
  void add_peer(PeerId peer, PeerPolicy policy);
  void remove_peer(PeerId peer);
  void set_policy(PeerId peer, PeerPolicy policy);
  void set_config(RibConfig config);

  // The session is there: its view is dumped to it, packed as well as a whole view can be, End-of-RIB last (held back
  // while defer_end_of_rib()). Stale routes of before are kept until End-of-RIB or drop_stale().
  void session_up(PeerId peer, const PeerSession& session);
  // Its routes go, or (`keep_stale`) stay and count as stale (RFC 4724 §4.2).
  void session_down(PeerId peer, bool keep_stale);
  // RFC 9494: what is stale is marked LLGR_STALE and depreferenced; what carries NO_LLGR goes.
  void begin_long_lived(PeerId peer, Family family);
  void drop_stale(PeerId peer, Family family);

  void receive(PeerId peer, const Update& update);
  void receive(PeerId peer, const RouteRefresh& refresh);
  // End-of-RIB goes out only when the owner says so (RFC 4724 §4.1: a restarting speaker defers its selection).
  void defer_end_of_rib(bool deferred);

  // --- own routes: replaces all of them ---
  void set_local_routes(const std::vector<LocalRoute>& routes);

  // Works off what has changed, `steps` prefixes at most (a step is well under a microsecond). True when nothing is
  // left.
  bool run(std::size_t steps);

  // All best routes through on_routes once more, for an owner that has begun to listen.
  void tell_routes_again();

  // The next packets for the peer, in order, of `bytes_max` together (at least one). Empty: nothing waits.
  std::vector<Packet> take(PeerId peer, std::size_t bytes_max);
  [[nodiscard]] bool has_output(PeerId peer) const;

  // --- for people (bgp/speaker/snapshot): ordered by prefix ---
  [[nodiscard]] PeerCounts counts(PeerId peer) const;
  // What all routes take together, without what waits in queues; returns to nothing with the last route.
  [[nodiscard]] std::size_t memory_bytes() const;
  void visit_routes(const std::function<void(const RouteView&)>& visit) const;                 // Loc-RIB, all paths
  void visit_received(PeerId peer, const std::function<void(const RouteView&)>& visit) const;  // Adj-RIB-In
  void visit_sent(PeerId peer, const std::function<void(const RouteView&)>& visit) const;      // Adj-RIB-Out
  // One of these three, a piece at a time. `peer` counts for kReceived and kSent.
  [[nodiscard]] std::unique_ptr<RouteWalk> walk(RouteList list, PeerId peer) const;
  // Says for each path of a prefix whether it is best, and if not which step of the decision it lost.
  [[nodiscard]] std::vector<RouteView> explain(const IpPrefix& prefix) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::bgp::rib
