// SimLoop: a Loop in virtual time, for tests and simulations. Time moves only when told to; the same calls give the
// same order of events: tasks as they were posted, timers by time and then as they were armed, tasks before timers.
//
// post() may come from any thread; everything else from the thread that made the loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/loop/loop.h"

namespace margay::loop {

class SimLoop final : public Loop {
 public:
  // 2026-01-01T00:00:00Z unless said otherwise.
  explicit SimLoop(WallTime start = WallTime(std::chrono::seconds(1'767'225'600)));
  ~SimLoop() override;

  // Runs what is due now, and what that makes due, without moving time. Aborts after a million turns: something posts
  // itself for ever.
  void run_until_idle();
  // Moves time on; everything that falls due on the way runs at its own time.
  void advance(Duration by);
  // Moves from timer to timer until the condition, looked at after every turn, holds (true), or nothing is left to
  // happen within `limit` (false; time then stands at the limit).
  bool run_until(const std::function<bool()>& condition, Duration limit);
  [[nodiscard]] std::optional<TimePoint> next_timer() const;

  void post(Task task) override;
  std::unique_ptr<Timer> make_timer(Task on_fire) override;
  [[nodiscard]] TimePoint now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return start_ + now_.time_since_epoch(); }
  [[nodiscard]] bool in_loop_thread() const override { return std::this_thread::get_id() == thread_; }

 private:
  struct TimerState;
  class SimTimer;
  using Key = std::pair<TimePoint, std::uint64_t>;

  bool run_one_due();
  std::optional<Task> take_task();

  const std::thread::id thread_ = std::this_thread::get_id();
  const WallTime start_;
  TimePoint now_{};
  std::uint64_t armed_count_ = 0;
  std::map<Key, std::shared_ptr<TimerState>> timers_;
  std::mutex mutex_;
  std::deque<Task> tasks_;  // under mutex_
};

}  // namespace margay::loop
