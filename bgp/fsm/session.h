// Session: one connection of a peer from the attempt to its end (RFC 4271 §8.2.2), without I/O. Peer owns up to two
// and decides which survives.
//
//   Connect ─on_connected▶ OpenSent ─confirm▶ OpenConfirm ─on_keepalive▶ Established
//      └────────────────────┴───────── Ending ─────┴───────────────────────┘
//
// What ends it comes back as an Ending and changes nothing here: Peer carries it out and destroys the session.
#pragma once

#include <optional>
#include <string>

#include "base/core/random.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "bgp/fsm/config.h"
#include "bgp/fsm/events.h"
#include "bgp/fsm/outbox.h"

namespace margay::bgp::fsm {

enum class Direction : std::uint8_t { kOutgoing, kIncoming };

// How a connection ended, and when the next is tried.
struct Ending {
  enum class Next : std::uint8_t {
    kRetry,      // to Active: no fault
    kIdleBrief,  // waits the minimum: there is another way to try
    kIdleHold,   // a fault: waits, longer each time
    kIdleLong,   // trying again is of little use before someone changes something: waits the maximum
  };
  DownReason reason;
  Next next = Next::kIdleHold;
  bool is_closed = false;  // by the peer already
};

class Session {
 public:
  struct Identity {
    ConnectionId id = 0;
    Direction direction = Direction::kOutgoing;
    TimerKind hold_timer = TimerKind::kOutgoingHold;
  };
  // Keeps the configuration: the OPEN received is judged by the one the OPEN sent was made from.
  Session(Identity identity, PeerConfig config);

  // The connection stands: sends our OPEN, or waits with it.
  void on_connected(TimePoint now, Outbox& out);
  // Judges the peer's OPEN; nothing changes until confirm().
  Result<Negotiated, Ending> check_open(const Open& open) const;
  void confirm(Negotiated session, TimePoint now, Random& random, Outbox& out);
  std::optional<Ending> on_keepalive(TimePoint now, Outbox& out);
  std::optional<Ending> on_data(MessageType type, TimePoint now);
  [[nodiscard]] Ending on_notification(const Notification& notification) const;
  [[nodiscard]] Ending on_bad_message(const DecodeError& error) const;
  [[nodiscard]] Ending on_closed(const std::string& why) const;

  std::optional<Ending> on_hold_timer(TimePoint now, Outbox& out);
  std::optional<Ending> on_send_hold_timer(TimePoint now, Outbox& out) const;
  void on_keepalive_timer(Random& random, Outbox& out) const;
  // Another interval for the session that runs: begins with a KEEPALIVE now, so that no gap grows.
  void set_keepalive(const Timers& timers, Random& random, Outbox& out);
  void on_send_blocked(TimePoint now, Outbox& out) const;
  void note_received(TimePoint now) { last_received_ = now; }
  void note_sent(TimePoint now) { last_sent_ = now; }

  [[nodiscard]] ConnectionId id() const { return identity_.id; }
  [[nodiscard]] Direction direction() const { return identity_.direction; }
  [[nodiscard]] TimerKind hold_timer() const { return identity_.hold_timer; }
  [[nodiscard]] State state() const { return state_; }  // kConnect while connecting, and while the OPEN is delayed
  [[nodiscard]] bool is_connected() const { return is_connected_; }
  [[nodiscard]] bool has_sent_open() const { return state_ != State::kConnect; }
  [[nodiscard]] bool is_established() const { return state_ == State::kEstablished; }
  [[nodiscard]] bool is_confirmed() const { return is_established() || state_ == State::kOpenConfirm; }
  [[nodiscard]] const Negotiated& negotiated() const { return negotiated_; }  // once confirmed
  [[nodiscard]] TimePoint connected_at() const { return connected_at_; }
  [[nodiscard]] TimePoint established_at() const { return established_at_; }

 private:
  void send_open(Outbox& out);
  [[nodiscard]] bool is_delaying() const { return is_connected_ && !has_sent_open(); }
  [[nodiscard]] Ending fsm_error(MessageType unexpected) const;
  [[nodiscard]] Ending fault(DownReason reason) const;
  [[nodiscard]] std::optional<Duration> hold_time() const;
  [[nodiscard]] std::optional<Duration> send_hold_time() const;

  Identity identity_;
  PeerConfig config_;
  State state_ = State::kConnect;
  bool is_connected_ = false;
  Negotiated negotiated_;
  TimePoint last_received_;
  TimePoint last_sent_;
  TimePoint connected_at_;
  TimePoint established_at_;
};

}  // namespace margay::bgp::fsm
