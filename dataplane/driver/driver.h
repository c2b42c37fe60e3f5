// Driver: owns one kind of kernel object. It is told what should be there, finds out what is, and makes the difference
// go away; what fails stays due and is tried again.
//
// Every driver: writes nothing before its owner said so, removes nothing it (or an earlier life of it) did not create,
// and can be called at any time: apply() without anything to do costs nothing. Thread: the dataplane's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/core/error.h"
#include "base/core/time.h"

namespace margay::dataplane {

// An object that could not be brought to its desired state.
struct ObjectFailure {
  std::string object;  // "route 10.0.0.0/26 metric 1024 table 254"
  Error error;
};

struct ApplyReport {
  std::size_t updated = 0;
  std::size_t removed = 0;
  std::size_t failed = 0;
  std::vector<ObjectFailure> failures;    // the first ones; `failed` counts all
  std::optional<TimePoint> try_again_at;  // call apply() then even if nothing changes; nullopt: no need

  [[nodiscard]] bool is_in_sync() const { return failed == 0 && !try_again_at; }
};
inline constexpr std::size_t kFailuresReportedMax = 20;

class Driver {
 public:
  virtual ~Driver() = default;
  // The next apply() reads the kernel's state first.
  virtual void queue_resync() = 0;
  virtual ApplyReport apply(TimePoint now) = 0;
};

// Waiting times after failures: doubles from the first to the longest, back to the first after a success.
class Backoff {
 public:
  Backoff(Duration first, Duration longest) : first_(first), longest_(longest), next_(first) {}
  Duration next() {
    const Duration now = next_;
    next_ = next_ * 2 > longest_ ? longest_ : next_ * 2;
    return now;
  }
  void succeed() { next_ = first_; }

 private:
  Duration first_, longest_, next_;
};

}  // namespace margay::dataplane
