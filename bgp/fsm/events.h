// Input and Output of the machine of a peer, as values.
//
// Connections have numbers. Those the machine opens are numbered by it; for those accepted, the owner takes the next
// one from Peer::next_connection_id(). None is used twice within a peer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/core/time.h"
#include "bgp/fsm/negotiated.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/message.h"

namespace margay::bgp::fsm {

using ConnectionId = std::uint32_t;

enum class TimerKind : std::uint8_t {
  kIdleHold,
  kConnectRetry,
  kOutgoingHold,  // hold time of a connection; two kinds, since two can be open at once
  kIncomingHold,  //   (a second one accepted while one is established takes the kind that is free)
  kKeepalive,
  kSendHold,
};
inline constexpr std::size_t kTimerKinds = 6;
std::string_view to_string(TimerKind kind);  // "IdleHold", …

// --- inputs ---
struct Start {};  // administratively up (again); also after set_config() made a passive peer active
struct Stop {
  Notification reason;
};                        // administratively down; stays Idle until Start
struct TimersChanged {};  // after set_config(): the keepalives of the session that runs follow it at once
struct Reset {
  Notification reason;
};  // ends the session and begins anew at once; nothing while stopped
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
};  // by the peer, an error, or whoever knows that it is dead (BFD): as RFC 4724 §4.2 sees a lost connection
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
// The send hold timer runs from the first SendBlocked and looks, when it fires, at the last BytesSent (or note_sent):
// an owner that knows the time of the last progress may tell it just before it hands in TimerFired.
struct BytesSent {
  ConnectionId id;
};  // the socket took something: the send hold timer starts again
struct SendBlocked {
  ConnectionId id;
};  // the socket takes nothing although something waits
struct TimerFired {
  TimerKind kind;
};

using Input =
    std::variant<Start, Stop, TimersChanged, Reset, Connected, ConnectFailed, Accepted, Closed, OpenReceived,
                 KeepaliveReceived, DataReceived, NotificationReceived, BadMessage, BytesSent, SendBlocked, TimerFired>;

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
};  // a connection, after what was sent has left; or an attempt
struct Arm {
  TimerKind kind;
  Duration after;
};  // replaces what was armed of this kind
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
  std::optional<Notification> notification;  // sent or received
  std::string text;                          // "hold time of 90 s expired"
  // RFC 4724 §4.2, RFC 8538 §4: the peer's routes are kept as stale until it is back.
  bool keeps_routes = false;
  friend bool operator==(const DownReason&, const DownReason&) = default;
};
std::string_view to_string(DownReason::Kind kind);  // "hold-time-expired", for metrics
struct SessionDown {
  ConnectionId id;
  DownReason reason;
};
struct AttemptFailed {
  DownReason reason;
};

using Output = std::variant<Connect, Send, Close, Arm, Disarm, SessionUp, SessionDown, AttemptFailed>;

}  // namespace margay::bgp::fsm
