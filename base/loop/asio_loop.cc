#include "base/loop/asio_loop.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <thread>
#include <utility>

#include "base/core/text.h"

namespace margay::loop {
namespace {

namespace asio = boost::asio;
using ErrorCodeAsio = boost::system::error_code;
using Descriptor = asio::posix::stream_descriptor;

constexpr Duration kLongestWait = std::chrono::hours(24 * 365);

// A wait is not moved when the timer is armed to a later time or disarmed: it fires, sees that it is early and waits
// again. Re-arming for every packet is then an assignment.
struct TimerState : std::enable_shared_from_this<TimerState> {
  TimerState(asio::io_context& context, const bool& ending, Task task)
      : timer(context), is_loop_ending(ending), on_fire(std::move(task)) {}

  void arm(Duration after) {
    deadline = std::chrono::steady_clock::now() + std::clamp(after, Duration::zero(), kLongestWait);
    if (is_waiting && timer.expiry() <= *deadline) return;
    wait();
  }

  void wait() {
    is_waiting = true;
    timer.expires_at(*deadline);
    timer.async_wait([self = shared_from_this(), mine = ++generation](ErrorCodeAsio) { self->expired(mine); });
  }

  void expired(std::uint64_t mine) {
    if (is_dead || is_loop_ending || mine != generation) return;
    is_waiting = false;
    if (!deadline) return;
    if (std::chrono::steady_clock::now() < *deadline) return wait();
    deadline.reset();
    on_fire();
  }

  asio::steady_timer timer;
  const bool& is_loop_ending;
  Task on_fire;
  std::optional<std::chrono::steady_clock::time_point> deadline;
  std::uint64_t generation = 0;
  bool is_waiting = false;
  bool is_dead = false;
};

class AsioTimer final : public Timer {
 public:
  explicit AsioTimer(std::shared_ptr<TimerState> state) : state_(std::move(state)) {}
  ~AsioTimer() override {
    state_->is_dead = true;
    state_->timer.cancel();
  }
  void arm(Duration after) override { state_->arm(after); }
  void disarm() override { state_->deadline.reset(); }
  [[nodiscard]] bool is_armed() const override { return state_->deadline.has_value(); }

 private:
  std::shared_ptr<TimerState> state_;
};

struct WatchState : std::enable_shared_from_this<WatchState> {
  WatchState(asio::io_context& context, const bool& ending, Task readable, Task writable)
      : descriptor(context),
        is_loop_ending(ending),
        on_readable(std::move(readable)),
        on_writable(std::move(writable)) {}

  void want(Descriptor::wait_type type, bool WatchState::*is_waiting, Task WatchState::*on_ready) {
    if (this->*is_waiting) return;
    this->*is_waiting = true;
    descriptor.async_wait(type, [self = shared_from_this(), is_waiting, on_ready](ErrorCodeAsio) {
      if (self->is_dead || self->is_loop_ending) return;
      (*self).*is_waiting = false;
      ((*self).*on_ready)();
    });
  }

  Descriptor descriptor;
  const bool& is_loop_ending;
  Task on_readable;
  Task on_writable;
  Task on_end;
  bool is_reading = false;
  bool is_writing = false;
  bool is_awaiting_end = false;
  bool is_dead = false;
};

class AsioWatch final : public FdWatch {
 public:
  explicit AsioWatch(std::shared_ptr<WatchState> state) : state_(std::move(state)) {}
  ~AsioWatch() override {
    state_->is_dead = true;
    state_->descriptor.release();
  }
  void want_readable() override {
    state_->want(Descriptor::wait_read, &WatchState::is_reading, &WatchState::on_readable);
  }
  void want_writable() override {
    state_->want(Descriptor::wait_write, &WatchState::is_writing, &WatchState::on_writable);
  }
  void want_end(Task task) override {
    if (state_->is_awaiting_end) return;
    state_->on_end = std::move(task);
    state_->want(Descriptor::wait_error, &WatchState::is_awaiting_end, &WatchState::on_end);
  }

 private:
  std::shared_ptr<WatchState> state_;
};

}  // namespace

class AsioLoop::Impl {
 public:
  // The hint only saves wake-ups: posting from other threads stays safe.
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::atomic<std::thread::id> thread{std::this_thread::get_id()};
  bool is_ending = false;
};

AsioLoop::AsioLoop() : impl_(std::make_unique<Impl>()) {}

// Tasks that never ran are destroyed while everything that they may own, or post, still works.
AsioLoop::~AsioLoop() {
  impl_->is_ending = true;
  impl_->context.restart();
  impl_->context.poll();
}

void AsioLoop::run() {
  impl_->thread = std::this_thread::get_id();
  impl_->context.restart();
  impl_->context.run();
}

void AsioLoop::run_for(Duration duration) {
  impl_->thread = std::this_thread::get_id();
  impl_->context.restart();
  if (duration <= Duration::zero()) {
    impl_->context.poll();  // its run_for() would not run anything
  } else {
    impl_->context.run_for(duration);
  }
}

bool AsioLoop::run_until(const std::function<bool()>& condition, Duration limit) {
  impl_->thread = std::this_thread::get_id();
  impl_->context.restart();
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (impl_->context.run_one_until(end) == 0) return condition();
  }
  return true;
}

void AsioLoop::stop() {
  post([this] { impl_->context.stop(); });
}

void AsioLoop::post(Task task) {
  asio::post(impl_->context, [impl = impl_.get(), task = std::move(task)]() mutable {
    if (!impl->is_ending) task();
  });
}

std::unique_ptr<Timer> AsioLoop::make_timer(Task on_fire) {
  return std::make_unique<AsioTimer>(
      std::make_shared<TimerState>(impl_->context, impl_->is_ending, std::move(on_fire)));
}

TimePoint AsioLoop::now() const { return TimePoint(std::chrono::steady_clock::now().time_since_epoch()); }

WallTime AsioLoop::wall_now() const { return std::chrono::system_clock::now(); }

bool AsioLoop::in_loop_thread() const { return impl_->thread.load() == std::this_thread::get_id(); }

Result<std::unique_ptr<FdWatch>> AsioLoop::watch(int fd, Task on_readable, Task on_writable) {
  auto state =
      std::make_shared<WatchState>(impl_->context, impl_->is_ending, std::move(on_readable), std::move(on_writable));
  ErrorCodeAsio error;
  state->descriptor.assign(fd, error);
  if (error) return Error{ErrorCode::kInternal, concat("cannot watch descriptor ", fd, ": ", error.message())};
  return std::unique_ptr<FdWatch>(std::make_unique<AsioWatch>(std::move(state)));
}

}  // namespace margay::loop
