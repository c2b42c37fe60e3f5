// WorkQueue: keys to look at, one after the other, each once however often it was added; with a pause before a key is
// looked at again. Level-based: a key says where to look, never what happened.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/core/task.h"
#include "base/loop/loop.h"

namespace margay::server {

class WorkQueue {
 public:
  enum class Verdict { kDone, kAgain };  // kAgain: look once more, after the pause
  // Must call `done` once, not necessarily at once.
  using Work = std::function<void(const std::string& key, std::function<void(Verdict)> done)>;

  WorkQueue(loop::Loop& loop, Duration pause, Work work)
      : pause_(pause),
        work_(std::move(work)),
        turn_(loop.make_timer([this] { next(); })),
        again_(loop.make_timer([this] { release(); })) {}

  void add(const std::string& key) {
    if (!queued_.insert(key).second) return;
    keys_.push_back(key);
    schedule();
  }
  void clear() {
    keys_.clear();
    queued_.clear();
    postponed_.clear();
  }

 private:
  void schedule() {
    if (!is_busy_ && !keys_.empty() && !turn_->is_armed()) turn_->arm(Duration::zero());
  }
  void next() {
    if (is_busy_ || keys_.empty()) return;
    const std::string key = std::move(keys_.front());
    keys_.pop_front();
    queued_.erase(key);
    is_busy_ = true;
    work_(key, [this, key](Verdict verdict) {
      is_busy_ = false;
      if (verdict == Verdict::kAgain) {
        postponed_.insert(key);
        if (!again_->is_armed()) again_->arm(pause_);
      }
      schedule();
    });
  }
  void release() {
    for (const std::string& key : std::exchange(postponed_, {})) add(key);
  }

  Duration pause_;
  Work work_;
  std::deque<std::string> keys_;
  std::set<std::string> queued_;
  std::set<std::string> postponed_;
  bool is_busy_ = false;
  std::unique_ptr<loop::Timer> turn_;
  std::unique_ptr<loop::Timer> again_;
};

}  // namespace margay::server
