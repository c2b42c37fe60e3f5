// RequestMetrics: what a client tells the metrics registry about its requests. Without a registry it does nothing.
#pragma once

#include <string>

#include "base/core/text.h"
#include "base/core/time.h"
#include "base/telemetry/metrics.h"

namespace margay::kube {

class RequestMetrics {
 public:
  // `registry` outlives this.
  explicit RequestMetrics(telemetry::Registry* registry) : registry_(registry) {
    if (registry_ == nullptr) return;
    retries_ = registry_->counter({"margay_kube_retries_total", "Requests that were sent again.", ""});
    failovers_ = registry_->counter({"margay_kube_failovers_total", "Changes of the API server in use.", ""});
  }

  // One attempt is over. `status` 0: no answer. `method` "WATCH" stands for itself: it takes as long as it takes.
  void on_answer(const std::string& method, int status, Duration took) {
    if (registry_ == nullptr) return;
    const std::string code = status == 0 ? std::string("none") : concat(status);
    registry_
        ->counter({"margay_kube_requests_total", "Requests by method and status of the answer.", ""},
                  {{"method", method}, {"code", code}})
        .increment();
    static constexpr double kFirstBound = 0.001;
    registry_
        ->histogram({"margay_kube_request_seconds", "From sending a request to the end of its answer.", "seconds"},
                    telemetry::exponential_bounds(kFirstBound, 4, 8), {{"method", method}})
        .observe(std::chrono::duration<double>(took).count());
  }
  void on_retry() { retries_.increment(); }
  void on_failover() { failovers_.increment(); }

 private:
  telemetry::Registry* registry_;
  telemetry::Counter retries_;
  telemetry::Counter failovers_;
};

}  // namespace margay::kube
