#include "datastore/kube/retry.h"

#include <algorithm>

namespace margay::kube {

bool is_retryable(const ApiError& error, const Attempt& attempt) {
  const bool was_refused = error.http_status == 429 || (error.http_status == 0 && !attempt.may_have_been_sent);
  if (error.code != ErrorCode::kUnavailable && error.code != ErrorCode::kTimeout) return false;
  return was_refused || !attempt.is_write;
}

Duration jittered_backoff(Duration min, Duration max, int step, Random& random) {
  Duration top = min;
  for (int i = 0; i < step && top < max; ++i) top *= 2;
  top = std::min(top, max);
  return min + Duration(static_cast<Duration::rep>(random.unit() * static_cast<double>((top - min).count())));
}

std::optional<Duration> retry_delay(const RetryPolicy& policy, const ApiError& error, const Attempt& attempt,
                                    Random& random) {
  if (attempt.number >= policy.attempts_max || !is_retryable(error, attempt)) return std::nullopt;
  const Duration backoff = jittered_backoff(policy.backoff_min, policy.backoff_max, attempt.number, random);
  return std::max(backoff, error.retry_after.value_or(Duration::zero()));
}

}  // namespace margay::kube
