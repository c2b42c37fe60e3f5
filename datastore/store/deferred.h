// Deferred: runs tasks on the loop's next turn, in order; destroying it drops those that have not run. It is what keeps
// a store's callbacks out of the call that asked, and from running after the store is gone.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "base/core/task.h"
#include "base/loop/loop.h"

namespace margay::store {

class Deferred {
 public:
  explicit Deferred(loop::Loop& loop) : timer_(loop.make_timer([this] { run_all(); })) {}

  void run(Task task) {
    tasks_.push_back(std::move(task));
    if (!timer_->is_armed()) timer_->arm(Duration::zero());
  }

 private:
  // Tasks added meanwhile wait for the next turn, so that sockets get theirs in between.
  void run_all() {
    std::deque<Task> batch = std::move(tasks_);
    tasks_.clear();
    for (Task& task : batch) task();
  }

  std::deque<Task> tasks_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::store
