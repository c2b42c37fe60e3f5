// Channel: hands values from one thread to a loop, merging what the loop has not taken yet.
//
//   producer ──send()──▶ [ at most one pending T ] ──on_value on the consumer's loop──▶
//
// T has `void merge(T&& later)`: the effect of both, in order. However slow the consumer, one T is pending.
//
// The two halves belong to different threads. Either may be destroyed first; the receiver before its loop. What was
// sent before the sender ended is delivered, then on_closed runs. After the receiver has ended, send() returns false.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "base/core/check.h"
#include "base/core/task.h"
#include "base/loop/loop.h"

namespace margay::loop {

template <class T>
concept Mergeable = requires(T earlier, T later) {
  earlier.merge(std::move(later));
};

template <Mergeable T>
class Channel {
 public:
  struct Events {
    Callback<void(T)> on_value;
    Callback<void()> on_closed;  // once, last: the sender has ended
  };

 private:
  struct Core {
    std::mutex mutex;
    Loop* loop = nullptr;  // null once the receiver has ended
    std::optional<T> pending;
    bool is_scheduled = false;  // deliver() is queued on the loop
    bool is_sender_gone = false;
    // The consumer's thread only, their end included: what they own may belong to that thread.
    Events events;
    bool is_delivering = false;
  };

 public:
  // The producer's half. One thread at a time.
  class Sender {
   public:
    explicit Sender(std::shared_ptr<Core> core) : core_(std::move(core)) {}
    Sender(Sender&&) noexcept = default;
    Sender& operator=(Sender&& other) noexcept {
      close();
      core_ = std::move(other.core_);
      return *this;
    }
    ~Sender() { close(); }

    // False: nobody will ever receive it.
    bool send(T value) {
      if (core_ == nullptr) return false;
      const std::lock_guard lock(core_->mutex);
      if (core_->loop == nullptr) return false;
      if (core_->pending) {
        core_->pending->merge(std::move(value));
      } else {
        core_->pending = std::move(value);
      }
      schedule(core_);
      return true;
    }

    void close() {
      if (core_ == nullptr) return;
      const std::shared_ptr<Core> core = std::exchange(core_, nullptr);
      const std::lock_guard lock(core->mutex);
      core->is_sender_gone = true;
      if (core->loop != nullptr) schedule(core);
    }

   private:
    std::shared_ptr<Core> core_;
  };

  // The consumer's half, on its loop's thread. No callback runs after its destructor.
  class Receiver {
   public:
    explicit Receiver(std::shared_ptr<Core> core) : core_(std::move(core)) {}
    Receiver(Receiver&&) noexcept = default;
    Receiver& operator=(Receiver&& other) noexcept {
      end();
      core_ = std::move(other.core_);
      return *this;
    }
    ~Receiver() { end(); }

   private:
    void end() {
      if (core_ == nullptr) return;
      std::optional<T> dropped;  // ends outside of the lock
      {
        const std::lock_guard lock(core_->mutex);
        core_->loop = nullptr;
        dropped = std::exchange(core_->pending, std::nullopt);
      }
      if (!core_->is_delivering) core_->events = {};
    }

    std::shared_ptr<Core> core_;
  };

  static std::pair<Sender, Receiver> make(Loop& consumer, Events events) {
    auto core = std::make_shared<Core>();
    core->loop = &consumer;
    core->events = std::move(events);
    return {Sender(core), Receiver(core)};
  }

 private:
  // Under the lock: the receiver's end, and so the loop's, cannot come meanwhile.
  static void schedule(const std::shared_ptr<Core>& core) {
    if (std::exchange(core->is_scheduled, true)) return;
    core->loop->post([core] { deliver(core); });
  }

  static void deliver(const std::shared_ptr<Core>& core) {
    std::optional<T> value;
    bool is_last = false;
    {
      const std::lock_guard lock(core->mutex);
      core->is_scheduled = false;
      if (core->loop == nullptr) return;
      value = std::exchange(core->pending, std::nullopt);
      is_last = core->is_sender_gone;
    }
    core->is_delivering = true;
    if (value) core->events.on_value(std::move(*value));
    // The callback may have ended the receiver; only this thread does.
    if (is_last && core->loop != nullptr && core->events.on_closed) std::exchange(core->events.on_closed, nullptr)();
    core->is_delivering = false;
    if (core->loop == nullptr) core->events = {};
  }
};

}  // namespace margay::loop
