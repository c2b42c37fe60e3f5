// RateLimit: lets the first of many equal events through, then one per interval, and says how many it held back.
//
//   if (const auto suppressed = limit_.admit(loop.now())) {
//     log.warn("unknown message", {{"peer", peer}, {"suppressed", *suppressed}});
//   }
//
// Belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/core/time.h"

namespace margay::telemetry {

class RateLimit {
 public:
  explicit RateLimit(Duration interval) : interval_(interval) {}

  // nullopt: hold it back. Otherwise how many were held back since the last one let through.
  std::optional<std::uint64_t> admit(TimePoint now) {
    if (last_ && now - *last_ < interval_) {
      ++suppressed_;
      return std::nullopt;
    }
    last_ = now;
    return std::exchange(suppressed_, 0);
  }

 private:
  Duration interval_;
  std::optional<TimePoint> last_;
  std::uint64_t suppressed_ = 0;
};

}  // namespace margay::telemetry
