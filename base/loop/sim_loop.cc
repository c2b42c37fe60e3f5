#include "base/loop/sim_loop.h"

#include <algorithm>

#include "base/core/check.h"

namespace margay::loop {
namespace {

constexpr int kTurnsMax = 1'000'000;

}  // namespace

struct SimLoop::TimerState {
  explicit TimerState(Task task) : on_fire(std::move(task)) {}
  Task on_fire;
  std::optional<Key> key;  // its place in timers_ while it is armed
};

class SimLoop::SimTimer final : public Timer {
 public:
  SimTimer(SimLoop& loop, Task on_fire) : loop_(loop), state_(std::make_shared<TimerState>(std::move(on_fire))) {}
  ~SimTimer() override { disarm(); }
  void arm(Duration after) override {
    disarm();
    state_->key = Key{loop_.now_ + std::max(after, Duration::zero()), loop_.armed_count_++};
    loop_.timers_.emplace(*state_->key, state_);
  }
  void disarm() override {
    if (state_->key) loop_.timers_.erase(*state_->key);
    state_->key.reset();
  }
  [[nodiscard]] bool is_armed() const override { return state_->key.has_value(); }

 private:
  SimLoop& loop_;
  std::shared_ptr<TimerState> state_;
};

SimLoop::SimLoop(WallTime start) : start_(start) {}

// Tasks that never ran may own timers, and may post more as they are destroyed.
SimLoop::~SimLoop() {
  while (take_task()) {
  }
}

void SimLoop::post(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
}

std::unique_ptr<Timer> SimLoop::make_timer(Task on_fire) {
  return std::make_unique<SimTimer>(*this, std::move(on_fire));
}

std::optional<TimePoint> SimLoop::next_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

std::optional<Task> SimLoop::take_task() {
  const std::lock_guard lock(mutex_);
  if (tasks_.empty()) return std::nullopt;
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

bool SimLoop::run_one_due() {
  if (auto task = take_task()) {
    (*task)();
    return true;
  }
  if (timers_.empty() || timers_.begin()->first.first > now_) return false;
  const std::shared_ptr<TimerState> timer = timers_.begin()->second;
  timers_.erase(timers_.begin());
  timer->key.reset();
  timer->on_fire();
  return true;
}

void SimLoop::run_until_idle() {
  for (int turns = 0; run_one_due(); ++turns) MARGAY_CHECK(turns < kTurnsMax);
}

void SimLoop::advance(Duration by) {
  const TimePoint end = now_ + by;
  run_until_idle();
  for (auto next = next_timer(); next && *next <= end; next = next_timer()) {
    now_ = *next;
    run_until_idle();
  }
  now_ = end;
}

bool SimLoop::run_until(const std::function<bool()>& condition, Duration limit) {
  const TimePoint end = now_ + limit;
  for (int turns = 0; !condition(); ++turns) {
    MARGAY_CHECK(turns < kTurnsMax);
    if (run_one_due()) continue;
    const auto next = next_timer();
    now_ = next ? std::min(*next, end) : end;
    if (!next || *next > end) return false;
  }
  return true;
}

}  // namespace margay::loop
