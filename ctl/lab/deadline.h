// Deadline: an end that the kernel keeps time of, for code that waits for several things in one poll(2).
#pragma once

#include <sys/timerfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/core/check.h"
#include "base/core/time.h"

namespace margay::lab {

class Deadline {
 public:
  explicit Deadline(Duration after) : fd_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    MARGAY_CHECK(fd_ >= 0);
    // Zero would disarm it.
    const std::int64_t nanoseconds = after.count() > 0 ? after.count() : 1;
    constexpr std::int64_t kSecond = 1'000'000'000;
    const itimerspec once{{0, 0}, {nanoseconds / kSecond, nanoseconds % kSecond}};
    MARGAY_CHECK(timerfd_settime(fd_, 0, &once, nullptr) == 0);
  }
  ~Deadline() { close(fd_); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Readable once it has passed.
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool has_passed() {
    std::uint64_t count = 0;
    if (!has_passed_) has_passed_ = read(fd_, &count, sizeof(count)) == sizeof(count);
    return has_passed_;
  }

 private:
  int fd_;
  bool has_passed_ = false;
};

}  // namespace margay::lab
