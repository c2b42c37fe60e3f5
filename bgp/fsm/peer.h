// The machine of one peer: its connections, the sessions on them, and which one survives (RFC 4271 §8, RFC 6286).
// No I/O: step() takes what happened and returns what to do, in order.
//
//            ┌────────────── Stop, fault, hold time ──────────────┐
//            ▼                                                    │
//   Idle ─Start▶ Connect ⇄ Active ─connected▶ OpenSent ─OPEN▶ OpenConfirm ─KEEPALIVE▶ Established
//    ▲             (retry timer)                 each connection has its own OpenSent…Established;
//    └─ idle hold, doubling after each fault     at most one survives OpenConfirm (§6.8)
//
// Which of two connections survives is decided when an OPEN arrives on one of them:
//   the other is only an attempt          the attempt is given up
//   the other is OpenSent or OpenConfirm  the one begun by the higher (BGP identifier, AS number) stays; also in
//                                         OpenSent, so that both sides decide alike whatever arrives first (unless
//                                         the OPEN has been awaited for so long that it will not come)
//   the other is Established              it stays, and a KEEPALIVE finds out whether it is dead; but with Graceful
//                                         Restart the new one replaces it and routes are kept (RFC 4724 §5), unless
//                                         it is so young that both sides may have connected at once
//
// Idle hold: the first fault after a stable session lets the peer connect to us at once; from the second on its
// connections are refused too until the time is over. A session is stable once it lasted idle_hold_max.
//
// Where this differs from the letter of RFC 4271 §8.2.2: a connection attempt that fails leads to Active, not Idle; a
// NOTIFICATION is never answered with one; none is sent where no OPEN was (SendNOTIFICATIONwithoutOPEN is off).
//
// DelayOpen (RFC 4271 §8.1.1): with a delay, a connection stays in Connect until the time is over or the peer's OPEN is
// there; its hold timer serves as the DelayOpenTimer.
//
// Invariants
//   1. Deterministic: same configuration, inputs, times and random numbers give the same outputs.
//   2. After SessionUp comes exactly one SessionDown before the next SessionUp; both name the connection.
//   3. Every connection it was told of is closed by it (Close) or was reported closed (Closed), never both needed.
//   4. A Received input for a connection already closed is ignored.
// It reads no clock, opens no socket, throws nothing, logs nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/core/random.h"
#include "base/core/time.h"
#include "bgp/fsm/config.h"
#include "bgp/fsm/events.h"
#include "bgp/fsm/outbox.h"
#include "bgp/fsm/session.h"

namespace margay::bgp::fsm {

class Peer {
 public:
  // `random` is for jitter (RFC 4271 §10) and outlives the peer.
  Peer(PeerConfig config, Random& random);

  std::vector<Output> step(const Input& input, TimePoint now);

  // For the next connection, and with TimersChanged the keepalives of this one; the owner decides whether a change
  // needs a Reset.
  void set_config(PeerConfig config);

  // For a connection accepted, before step(Accepted): the next number of those that Connect outputs carry.
  ConnectionId next_connection_id() { return ++last_id_; }

  // A message of an established session arrived, or bytes left: the cheap way to say DataReceived and BytesSent for
  // every UPDATE. True if `id` is the established connection, and the message may be used.
  bool note_data(ConnectionId id, TimePoint now);
  void note_sent(ConnectionId id, TimePoint now);

  [[nodiscard]] State state() const;
  [[nodiscard]] const Negotiated* session() const;  // while Established
  // Why the last session ended, whatever becomes of the attempts to begin another; of the last attempt, if there never
  // was one.
  [[nodiscard]] const std::optional<DownReason>& last_error() const { return last_error_; }
  // Of the attempts since the last session came up.
  [[nodiscard]] const std::optional<DownReason>& last_attempt_error() const { return last_attempt_error_; }
  [[nodiscard]] std::uint64_t times_established() const { return times_established_; }
  [[nodiscard]] std::optional<TimePoint> since() const { return since_; }  // of the present state

 private:
  enum class Mode : std::uint8_t { kStopped, kIdleHold, kRunning };
  using Lane = std::optional<Session>;

  void on(const Start&, TimePoint now);
  void on(const Stop& stop, TimePoint now);
  void on(const TimersChanged&, TimePoint now);
  void on(const Reset& reset, TimePoint now);
  void on(const Connected& connected, TimePoint now);
  void on(const ConnectFailed& failed, TimePoint now);
  void on(const Accepted& accepted, TimePoint now);
  void on(const Closed& closed, TimePoint now);
  void on(const OpenReceived& received, TimePoint now);
  void on(const KeepaliveReceived& received, TimePoint now);
  void on(const DataReceived& received, TimePoint now);
  void on(const NotificationReceived& received, TimePoint now);
  void on(const BadMessage& bad, TimePoint now);
  void on(const BytesSent& sent, TimePoint now);
  void on(const SendBlocked& blocked, TimePoint now);
  void on(const TimerFired& fired, TimePoint now);
  void on_hold_timer(Lane& lane, TimePoint now);

  // Towards a connection.
  void run(Duration delay, TimePoint now);
  void retry_later();
  void retry_now(TimePoint now);
  [[nodiscard]] PeerConfig config_for_attempt() const;

  // Between two connections.
  Lane* lane_for_accepted();
  bool survives_collision(const Lane& fresh, const Negotiated& session, TimePoint now);
  static Notification collision();

  // The end of one: without a report; with one; and with what follows from it.
  void drop(Lane& lane, const std::optional<Notification>& farewell);
  void end(Lane& lane, Ending ending, TimePoint now);
  void finish(Lane& lane, Ending ending, TimePoint now);
  void finish_all(const Notification& reason, bool may_keep_routes, TimePoint now);
  void after_end(Ending::Next next);
  void hold_idle(Duration time);
  [[nodiscard]] Duration back_off() const;

  Lane* find(ConnectionId id);  // of a connection that stands
  Lane* find_attempt();
  Lane* find_confirmed();
  [[nodiscard]] bool has_outgoing() const;
  [[nodiscard]] bool is_empty() const { return !lanes_[0] && !lanes_[1]; }
  [[nodiscard]] bool has_two() const { return lanes_[0] && lanes_[1]; }
  void note_state(TimePoint now);

  PeerConfig config_;
  Random& random_;
  Outbox out_;
  Mode mode_ = Mode::kStopped;
  std::array<Lane, 2> lanes_;
  ConnectionId last_id_ = 0;
  int faults_ = 0;                     // since the last stable session
  bool accepts_while_held_ = false;    // in the idle hold
  Duration refused_retry_{};           // before the next attempt, should this one be refused
  bool without_capabilities_ = false;  // RFC 5492 §3: the peer did not understand them
  std::optional<DownReason> last_error_;
  std::optional<DownReason> last_attempt_error_;
  std::uint64_t times_established_ = 0;
  State last_state_ = State::kIdle;
  std::optional<TimePoint> since_;
};

}  // namespace margay::bgp::fsm
