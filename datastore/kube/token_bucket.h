// TokenBucket: a client-side rate limit. Reservations are granted in order: each says how long its owner has to wait.
// Pure: time is an argument.
#pragma once

#include <algorithm>

#include "base/core/time.h"

namespace margay::kube {

class TokenBucket {
 public:
  // `per_second` 0: no limit. `burst`: how many may go at once after a rest; at least 1.
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(std::max(burst, 1.0)), tokens_(burst_) {}

  // Takes a token and says how long to wait before using it; zero: now.
  Duration reserve(TimePoint now) {
    if (per_second_ <= 0) return Duration::zero();
    refill(now);
    tokens_ -= 1;
    if (tokens_ >= 0) return Duration::zero();
    return std::chrono::ceil<Duration>(std::chrono::duration<double>(-tokens_ / per_second_));
  }

 private:
  void refill(TimePoint now) {
    const std::chrono::duration<double> elapsed = now - refilled_;
    if (elapsed.count() <= 0) return;
    tokens_ = std::min(burst_, tokens_ + elapsed.count() * per_second_);
    refilled_ = now;
  }

  double per_second_;
  double burst_;
  double tokens_;  // below zero: so many reservations wait
  TimePoint refilled_{};
};

}  // namespace margay::kube
