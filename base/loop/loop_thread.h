// LoopThread: a loop with a thread of its own, for work that may take long and must not delay anybody else's.
//
// Made and destroyed by one other thread. What lives on the loop is made, used and destroyed inside of call().
// Signals: the thread has the mask of the thread that made it.
#pragma once

#include <thread>

#include "base/core/task.h"
#include "base/loop/asio_loop.h"

namespace margay::loop {

class LoopThread {
 public:
  LoopThread();
  // What was posted before still runs.
  ~LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  [[nodiscard]] AsioLoop& loop() { return loop_; }
  // Runs `task` on the thread, after what was posted before, and waits for it. Not from the thread itself.
  void call(Task task);

 private:
  AsioLoop loop_;
  std::thread thread_;
};

}  // namespace margay::loop
