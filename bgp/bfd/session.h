// Session: the machine of one BFD session in asynchronous mode (RFC 5880 §6), without I/O.
//
//              ┌──── Down received, detection time, AdminDown received ────┐
//              ▼                                                           │
//   AdminDown  Down ──Down received──▶ Init ──Init or Up received──▶ Up ───┤
//              └────────────Init received─────────────────────────────▲    │
//                                                  Init, detection time ───┘
//
// After each call the owner sends what came out and calls on_time() at next_deadline(). Until it is Up the session
// sends at most one packet a second (§6.8.3); a change of intervals while Up is agreed on with a Poll sequence. Demand
// mode is never asked for; a peer in it is sent nothing periodic while both are Up (§6.8.6).
// It reads no clock, opens no socket, logs nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/core/random.h"
#include "base/core/time.h"
#include "bgp/bfd/packet.h"

namespace margay::bgp::bfd {

struct SessionConfig {
  Duration transmit_min = std::chrono::milliseconds(300);
  Duration receive_min = std::chrono::milliseconds(300);
  std::uint8_t multiplier = 3;             // at least 1
  bool control_plane_independent = false;  // C: lives on when the control plane restarts
  friend bool operator==(const SessionConfig&, const SessionConfig&) = default;
};

struct StateChange {
  State from = State::kDown;
  State to = State::kDown;
  Diagnostic diagnostic = Diagnostic::kNone;  // ours: why
  State remote = State::kDown;  // AdminDown: the peer's admin ended it; the path may be fine (RFC 5882 §4.2)
  friend bool operator==(const StateChange&, const StateChange&) = default;
};

struct Outcome {
  std::vector<ControlPacket> packets;  // to be sent in order
  std::optional<StateChange> change;
};

class Session {
 public:
  // `discriminator`: ours, not 0, unique on this machine. `random` is for jitter and outlives the session.
  Session(std::uint32_t discriminator, SessionConfig config, Random& random, TimePoint now);

  Outcome receive(const ControlPacket& packet, TimePoint now);
  Outcome on_time(TimePoint now);
  Outcome set_config(SessionConfig config, TimePoint now);
  Outcome set_admin_down(bool is_down, TimePoint now);
  // nullopt: nothing to do until something arrives.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const;

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] State remote_state() const { return remote_state_; }
  [[nodiscard]] Diagnostic diagnostic() const { return diagnostic_; }
  [[nodiscard]] std::uint32_t discriminator() const { return discriminator_; }
  [[nodiscard]] std::uint32_t remote_discriminator() const { return remote_discriminator_; }
  [[nodiscard]] bool remote_is_independent() const { return remote_is_independent_; }  // C bit last received
  [[nodiscard]] Duration transmit_interval() const;                                    // agreed, before jitter
  [[nodiscard]] Duration detection_time() const;                                       // 0 until something was received

 private:
  void move_to(State state, Diagnostic diagnostic, Outcome& outcome);
  void advance_state(State received, Outcome& outcome);
  void take_over(const ControlPacket& packet);
  void forget_remote();
  void end_poll();
  void begin_poll();
  [[nodiscard]] Duration wanted_transmit_min() const;
  [[nodiscard]] bool sends_periodically() const;
  [[nodiscard]] ControlPacket packet() const;
  void emit(Outcome& outcome, TimePoint now);
  void keep_up(TimePoint now);
  [[nodiscard]] Duration jittered(Duration interval) const;

  std::uint32_t discriminator_;
  SessionConfig config_;
  Random& random_;
  State state_ = State::kDown;
  State remote_state_ = State::kDown;
  Diagnostic diagnostic_ = Diagnostic::kNone;
  std::uint32_t remote_discriminator_ = 0;
  Duration remote_transmit_min_{};
  Duration remote_receive_min_ = std::chrono::microseconds(1);  // RFC 5880 §6.8.1
  std::uint8_t remote_multiplier_ = 0;                          // 0: nothing received yet
  bool remote_demand_ = false;
  bool remote_is_independent_ = false;
  bool is_polling_ = false;
  Duration transmit_min_in_use_;  // the smaller one while a larger is being agreed on (§6.8.3)
  Duration receive_min_in_use_;   // the larger one while a smaller is
  TimePoint last_received_;
  TimePoint last_sent_;
  TimePoint next_send_;
  std::optional<TimePoint> detection_deadline_;
};

}  // namespace margay::bgp::bfd
