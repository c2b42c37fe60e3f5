// Loop: one thread's event loop. Timers, tasks and (in stream.h) sockets report here, one at a time.
//
// Everything but post() must be called on the loop's own thread. AsioLoop (asio_loop.h) runs in real time, SimLoop
// (sim_loop.h) in virtual time for tests and simulations; logic sees only this interface.
//
// Handles: destroying a Timer cancels it. After the destructor returns, its callback never runs.
#pragma once

#include <memory>

#include "base/core/task.h"
#include "base/core/time.h"

namespace margay::loop {

class Timer {
 public:
  virtual ~Timer() = default;
  // Fires once, `after` from now; arming again replaces the earlier time. Zero or less fires on the next turn.
  virtual void arm(Duration after) = 0;
  virtual void disarm() = 0;
  [[nodiscard]] virtual bool is_armed() const = 0;
};

class Loop {
 public:
  virtual ~Loop() = default;

  // Runs `task` on the loop's thread, after what is queued already. Thread-safe.
  virtual void post(Task task) = 0;
  // `on_fire` runs each time the timer fires; it may destroy or re-arm the timer.
  virtual std::unique_ptr<Timer> make_timer(Task on_fire) = 0;
  [[nodiscard]] virtual TimePoint now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
  [[nodiscard]] virtual bool in_loop_thread() const = 0;
};

}  // namespace margay::loop
