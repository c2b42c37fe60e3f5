// KeyQueue<Key>: keys to look at: several at once, each in one place only; what failed is looked at again, less and
// less often. Level-based: a key says where to look, never what happened.
//
//   add(key) ─▶ waiting ─▶ in work ─kDone─▶ nothing        added again while in work: looked at once more
//                  ▲          ╰────kRetry─▶ after a backoff with full jitter, waiting
//                  ╰──────────────────────────╯
//
// Thread: the loop's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/core/random.h"
#include "base/loop/loop.h"

namespace margay::controllers {

struct QueueLimits {
  std::size_t in_work_max = 16;
  Duration backoff_min = std::chrono::milliseconds(50);
  Duration backoff_max = std::chrono::seconds(30);
};

enum class Verdict { kDone, kRetry };

template <class Key>
class KeyQueue {
 public:
  // Calls `done` once: at once, or from a later turn.
  using Work = std::function<void(const Key& key, std::function<void(Verdict)> done)>;

  KeyQueue(loop::Loop& loop, Random& random, QueueLimits limits, Work work)
      : loop_(loop),
        random_(random),
        limits_(limits),
        work_(std::move(work)),
        turn_(loop.make_timer([this] { run(); })),
        again_(loop.make_timer([this] { release(); })) {}

  void add(const Key& key) {
    if (in_work_.contains(key)) {
      changed_in_work_.insert(key);
      return;
    }
    // News are looked at now, and not once more when the backoff ends.
    if (const auto due = due_.extract(key); !due.empty()) postponed_.erase({due.mapped(), key});
    if (waiting_.insert(key).second) {
      line_.push_back(key);
      schedule();
    }
  }
  // While it is held nothing begins; what is in work goes on.
  void hold() { is_held_ = true; }
  void release_all() {
    is_held_ = false;
    schedule();
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::size_t in_work() const { return in_work_.size(); }
  // Keys that failed when they were last looked at.
  [[nodiscard]] std::size_t failing() const { return failures_.size(); }
  [[nodiscard]] bool is_idle() const { return waiting_.empty() && in_work_.empty() && failures_.empty(); }

 private:
  void schedule() {
    if (!is_held_ && !line_.empty() && !turn_->is_armed()) turn_->arm({});
  }

  void run() {
    while (!is_held_ && !line_.empty() && in_work_.size() < limits_.in_work_max) {
      const Key key = std::move(line_.front());
      line_.pop_front();
      waiting_.erase(key);
      in_work_.insert(key);
      work_(key, [this, key](Verdict verdict) { finish(key, verdict); });
    }
  }

  void finish(const Key& key, Verdict verdict) {
    in_work_.erase(key);
    const bool has_changed = changed_in_work_.erase(key) > 0;
    if (verdict == Verdict::kDone) {
      failures_.erase(key);
      if (has_changed) add(key);
    } else {
      postpone(key);
    }
    schedule();
  }

  void postpone(const Key& key) {
    const int failures = std::min(failures_[key]++, 30);
    const Duration longest = std::min(limits_.backoff_max, limits_.backoff_min * (std::int64_t{1} << failures));
    const auto share = static_cast<Duration::rep>(static_cast<double>(longest.count()) * (0.5 + random_.unit() / 2));
    const TimePoint at = loop_.now() + Duration(share);
    due_[key] = at;
    postponed_.emplace(at, key);
    arm();
  }

  void arm() {
    if (!postponed_.empty()) again_->arm(postponed_.begin()->first - loop_.now());
  }

  void release() {
    while (!postponed_.empty() && postponed_.begin()->first <= loop_.now()) {
      add(Key(postponed_.begin()->second));  // which takes it out
    }
    arm();
  }

  loop::Loop& loop_;
  Random& random_;
  QueueLimits limits_;
  Work work_;
  std::deque<Key> line_;
  std::set<Key> waiting_, in_work_, changed_in_work_;
  std::map<Key, int> failures_;
  std::map<Key, TimePoint> due_;  // of those postponed
  std::set<std::pair<TimePoint, Key>> postponed_;
  bool is_held_ = false;
  std::unique_ptr<loop::Timer> turn_;
  std::unique_ptr<loop::Timer> again_;
};

}  // namespace margay::controllers
