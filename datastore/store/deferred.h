// Deferred: runs tasks on the loop's next turn, in order; destroying it drops those that have not run. It is what keeps
// a store's callbacks out of the call that asked, and from running after the store is gone.
#pragma once

#include <cstddef>
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
  // Tasks added meanwhile wait for the next turn, so that sockets get theirs in between. Any of them may end this.
  void run_all() {
    const std::weak_ptr<const int> alive = alive_;
    for (std::size_t left = tasks_.size(); left > 0 && !alive.expired(); --left) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

  std::shared_ptr<const int> alive_ = std::make_shared<int>();
  std::deque<Task> tasks_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::store
