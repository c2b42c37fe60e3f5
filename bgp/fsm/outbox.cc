#include "bgp/fsm/outbox.h"

namespace margay::bgp::fsm {

void Outbox::arm(TimerKind kind, Duration after) {
  armed_[static_cast<std::size_t>(kind)] = true;
  outputs_.emplace_back(Arm{kind, after});
}

void Outbox::disarm(TimerKind kind) {
  if (!std::exchange(armed_[static_cast<std::size_t>(kind)], false)) return;
  outputs_.emplace_back(Disarm{kind});
}

void Outbox::disarm_all() {
  for (std::size_t kind = 0; kind < kTimerKinds; ++kind) disarm(static_cast<TimerKind>(kind));
}

bool Outbox::note_fired(TimerKind kind) { return std::exchange(armed_[static_cast<std::size_t>(kind)], false); }

Duration jittered(Duration base, Random& random) {
  const auto quarter = static_cast<std::uint64_t>((base / 4).count());
  return base - Duration(static_cast<Duration::rep>(random.below(quarter + 1)));
}

}  // namespace margay::bgp::fsm
