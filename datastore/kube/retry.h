// When and after how long a request is sent again. Pure.
//
//   the server refused (429)                   any request, after its Retry-After
//   the request never left                     any request
//   401 and the token has changed since        any request, at once, one time
//   5xx, lost connection, no answer in time    reads only: a write may have happened
#pragma once

#include <optional>

#include "base/core/random.h"
#include "base/core/time.h"
#include "datastore/kube/client.h"

namespace margay::kube {

struct RetryPolicy {
  int attempts_max = 6;
  Duration backoff_min = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(5);
};

struct Attempt {
  int number = 1;  // the one that failed; the first is 1
  bool is_write = false;
  bool may_have_been_sent = true;
};

[[nodiscard]] bool is_retryable(const ApiError& error, const Attempt& attempt);

// How long to wait before the next attempt; nullopt: give up with this error. Full jitter between backoff_min and the
// doubled step; never less than the server's Retry-After.
std::optional<Duration> retry_delay(const RetryPolicy& policy, const ApiError& error, const Attempt& attempt,
                                    Random& random);

// Uniform in [min, min(max, min * 2^step)], for steps from 1.
Duration jittered_backoff(Duration min, Duration max, int step, Random& random);

}  // namespace margay::kube
