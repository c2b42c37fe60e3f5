// The machine of one peer: its connections, the sessions on them, and which one survives (RFC 4271 §8, RFC 6286).
// No I/O: step() takes what happened and returns what to do, in order.
//
//            ┌────────────── Stop, fault, hold time ──────────────┐
//            ▼                                                    │
//   Idle ─Start▶ Connect ⇄ Active ─connected▶ OpenSent ─OPEN▶ OpenConfirm ─KEEPALIVE▶ Established
//    ▲             (retry timer)                 each connection has its own OpenSent…Established;
//    └─ idle hold, doubling after each fault     at most one survives OpenConfirm (§6.8)
//
// Invariants
//   1. Deterministic: same configuration, inputs, times and random numbers give the same outputs.
//   2. After SessionUp comes exactly one SessionDown before the next SessionUp; both name the connection.
//   3. Every connection it was told of is closed by it (Close) or was reported closed (Closed), never both needed.
//   4. A Received input for a connection already closed is ignored.
// It reads no clock, opens no socket, throws nothing, logs nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/core/random.h"
#include "base/core/time.h"
#include "base/ip/asn.h"
#include "bgp/fsm/negotiated.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"
#include "bgp/wire/message.h"

namespace margay::bgp::fsm {

// A connection, numbered by whoever opens or accepts it; never used again within one peer.
using ConnectionId = std::uint32_t;

enum class State : std::uint8_t { kIdle, kConnect, kActive, kOpenSent, kOpenConfirm, kEstablished };
std::string_view to_string(State state);  // "Idle", "Connect", …

struct Timers {
  Duration connect_retry = std::chrono::seconds(5);
  Duration connect_delay{};                          // before the first attempt
  Duration hold = std::chrono::seconds(90);          // offered; 0: none
  std::optional<Duration> keepalive;                 // nullopt: a third of the agreed hold time
  Duration open_hold = std::chrono::minutes(4);      // for the peer's OPEN (RFC 4271 §8.2.2: "large value")
  Duration idle_hold_min = std::chrono::seconds(1);  // after a fault; doubles up to the maximum
  Duration idle_hold_max = std::chrono::seconds(60);
  std::optional<Duration> send_hold;  // RFC 9687; nullopt: the larger of 8 minutes and twice the hold time
};

struct PeerConfig {
  Asn local_asn;  // shown to this peer
  RouterId router_id;
  std::optional<Asn> remote_asn;  // nullopt: any but our own (dynamic peers)
  bool passive = false;           // never connects
  bool allows_internal = true;    // with remote_asn nullopt: whether our own number is fine too
  Timers timers;
  Capabilities capabilities;  // offered, as they stand; restarting flag by the owner before each start
  PerFamily<bool> families{true, false};
};

// --- inputs ---
struct Start {};  // administratively up (again)
struct Stop {
  Notification reason;
};  // administratively down; stays Idle until Start
struct Reset {
  Notification reason;
};  // ends the session and begins anew at once
struct Connected {
  ConnectionId id;
};  // the Connect output succeeded
struct ConnectFailed {
  ConnectionId id;
  std::string why;
};
struct Accepted {
  ConnectionId id;
};  // the peer connected to us
struct Closed {
  ConnectionId id;
  std::string why;
};  // by the peer or an error
struct OpenReceived {
  ConnectionId id;
  Open open;
};
struct KeepaliveReceived {
  ConnectionId id;
};
// An UPDATE or ROUTE-REFRESH arrived whole. Content is not the machine's business; the outputs tell whether it may be
// used (nothing: yes, if Established) or is an error of this state (RFC 6608).
struct DataReceived {
  ConnectionId id;
  MessageType type;
};
struct NotificationReceived {
  ConnectionId id;
  Notification notification;
};
struct BadMessage {
  ConnectionId id;
  DecodeError error;
};
struct BytesSent {
  ConnectionId id;
};  // the socket took something: the send hold timer starts again
struct SendBlocked {
  ConnectionId id;
};  // the socket takes nothing although something waits
enum class TimerKind : std::uint8_t {
  kIdleHold,
  kConnectRetry,
  kOutgoingHold,
  kIncomingHold,
  kKeepalive,
  kSendHold,
};
struct TimerFired {
  TimerKind kind;
};

using Input =
    std::variant<Start, Stop, Reset, Connected, ConnectFailed, Accepted, Closed, OpenReceived, KeepaliveReceived,
                 DataReceived, NotificationReceived, BadMessage, BytesSent, SendBlocked, TimerFired>;

// --- outputs, to be done in order ---
struct Connect {
  ConnectionId id;
};  // begin a connection attempt
struct Send {
  ConnectionId id;
  std::variant<Open, Keepalive, Notification> message;
};
struct Close {
  ConnectionId id;
};  // after what was sent has left
struct Arm {
  TimerKind kind;
  Duration after;
};
struct Disarm {
  TimerKind kind;
};
struct SessionUp {
  ConnectionId id;
  Negotiated session;
};
// Why a session ended, or an attempt failed; kept for people (`show peers`, lastError).
struct DownReason {
  enum class Kind : std::uint8_t {
    kNotificationSent,
    kNotificationReceived,
    kHoldTimeExpired,
    kSendHoldTimeExpired,
    kConnectionClosed,
    kConnectFailed,
    kAdministrative,
  };
  Kind kind = Kind::kConnectionClosed;
  std::optional<Notification> notification;
  std::string text;  // "hold time of 90 s expired"
  // RFC 4724 §4.2, RFC 8538 §4: the peer's routes are kept as stale until it is back.
  bool keeps_routes = false;
};
struct SessionDown {
  ConnectionId id;
  DownReason reason;
};
struct AttemptFailed {
  DownReason reason;
};

using Output = std::variant<Connect, Send, Close, Arm, Disarm, SessionUp, SessionDown, AttemptFailed>;

class Peer {
 public:
  // `random` is for jitter (RFC 4271 §10) and outlives the peer.
  Peer(PeerConfig config, Random& random);

  std::vector<Output> step(const Input& input, TimePoint now);

  // For the next connection; the owner decides whether a change needs a Reset.
  void set_config(PeerConfig config);

  // A message of an established session arrived, or bytes left: the cheap way to say DataReceived and BytesSent for
  // every UPDATE. True if `id` is the established connection, and the message may be used.
  bool note_data(ConnectionId id, TimePoint now);
  void note_sent(ConnectionId id, TimePoint now);

  [[nodiscard]] State state() const;
  [[nodiscard]] const Negotiated* session() const;  // while Established
  [[nodiscard]] std::optional<DownReason> last_error() const;
  [[nodiscard]] std::uint64_t times_established() const;
  [[nodiscard]] std::optional<TimePoint> since() const;  // of the present state
};

}  // namespace margay::bgp::fsm
