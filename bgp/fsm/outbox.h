// Outbox: the outputs of one step, and which timers run, so that only those are stopped and late firings are ignored.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/time.h"
#include "bgp/fsm/events.h"

namespace margay::bgp::fsm {

class Outbox {
 public:
  void push(Output output) { outputs_.push_back(std::move(output)); }
  void arm(TimerKind kind, Duration after);
  void disarm(TimerKind kind);
  void disarm_all();
  [[nodiscard]] bool is_armed(TimerKind kind) const { return armed_[static_cast<std::size_t>(kind)]; }
  // False for a timer that was stopped before its firing arrived; it does not run afterwards.
  bool note_fired(TimerKind kind);
  std::vector<Output> take() { return std::exchange(outputs_, {}); }

 private:
  std::vector<Output> outputs_;
  std::array<bool, kTimerKinds> armed_{};
};

// RFC 4271 §10: 75 to 100 % of it.
Duration jittered(Duration base, Random& random);

}  // namespace margay::bgp::fsm
