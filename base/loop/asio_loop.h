// AsioLoop: a Loop in real time, on Boost.Asio. The thread that calls run() becomes the loop's own; until then it is
// the one that made the loop.
//
// Everything made from a loop (timers, watches, networks, streams) is destroyed before it, on its thread. Tasks still
// queued when the loop is destroyed are dropped without running.
#pragma once

#include <functional>
#include <memory>

#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"

namespace margay::loop {

class AsioLoop final : public Loop, public FdWatcher {
 public:
  AsioLoop();
  ~AsioLoop() override;

  // Until stop().
  void run();
  // Until stop() or so much time has passed. Zero: until nothing is ready, and what is posted already has run.
  void run_for(Duration duration);
  // Until the condition, looked at after every turn, holds (true) or the limit has passed (false).
  bool run_until(const std::function<bool()>& condition, Duration limit);
  // Thread-safe. What is queued already still runs. Stopping a loop that is not running ends its next run() at once.
  void stop();

  void post(Task task) override;
  std::unique_ptr<Timer> make_timer(Task on_fire) override;
  [[nodiscard]] TimePoint now() const override;
  [[nodiscard]] WallTime wall_now() const override;
  [[nodiscard]] bool in_loop_thread() const override;

  Result<std::unique_ptr<FdWatch>> watch(int fd, Task on_readable, Task on_writable) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::loop
