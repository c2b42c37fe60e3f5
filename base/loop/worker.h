// Worker: lets one thing at a time that blocks (writing and flushing a large file) run beside a loop.
//
//   run(job, done) ──▶ job on a thread of its own ──▶ done on the loop's thread
//
// All calls on the loop's thread; destroy it before the loop. `job` shares nothing with the loop's thread but what it
// was given; what it owns ends on its own thread.
#pragma once

#include <memory>
#include <thread>

#include "base/core/task.h"
#include "base/loop/loop.h"

namespace margay::loop {

class Worker {
 public:
  explicit Worker(Loop& loop) : loop_(loop) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Waits for the job under way; its `done` does not run.
  ~Worker();

  // Not while is_busy(). Without a thread to be had the job runs here and now; `done` never does.
  void run(Task job, Task done);
  // From run() until `done` begins.
  [[nodiscard]] bool is_busy() const { return current_ != nullptr; }
  // Blocks until the job under way is over and runs its `done`, which may run() the next one; nothing without a job.
  void wait();

 private:
  struct Current {
    std::thread thread;
    Task done;
  };
  void finish();

  Loop& loop_;
  std::shared_ptr<Current> current_;
};

}  // namespace margay::loop
