// Time as values. Nothing in the tree reads a clock but the loop (base/loop) and the log sink: time is an argument.
#pragma once

#include <chrono>
#include <cstdint>

namespace margay {

using Duration = std::chrono::nanoseconds;

// Steady time of a loop; never goes back, has no relation to the calendar.
struct SteadyClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SteadyClock>;
  static constexpr bool is_steady = true;
};
using TimePoint = SteadyClock::time_point;

// Calendar time (UTC) for what people and other programs read: timestamps of objects, logs, certificates.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

}  // namespace margay
