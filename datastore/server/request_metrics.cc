#include "datastore/server/request_metrics.h"

#include "base/core/text.h"

namespace margay::server {

RequestMetrics::RequestMetrics(telemetry::Registry& registry, loop::Loop& loop, const Requests& requests)
    : registry_(registry),
      loop_(loop),
      long_answers_(registry.callback_gauge({"margay_apiserver_long_answers", "Lists and watches under way.", ""}, {},
                                            [&requests] { return static_cast<double>(requests.long_answers()); })) {}

std::function<void(int status)> RequestMetrics::on_status(std::string_view verb, std::string_view plural,
                                                          std::string_view group) {
  const TimePoint begin = loop_.now();
  return [this, begin, verb = std::string(verb), plural = std::string(plural), group = std::string(group)](int status) {
    const std::string resource = group.empty() ? plural : concat(plural, ".", group);
    registry_
        .counter({"margay_apiserver_requests_total", "Requests for objects, by outcome.", ""},
                 {{"verb", verb}, {"resource", resource}, {"code", concat(status)}})
        .increment();
    registry_
        .histogram({"margay_apiserver_request_duration_seconds", "Time until the head of the answer.", "seconds"},
                   telemetry::exponential_bounds(0.0001, 4, 9), {{"verb", verb}})
        .observe(std::chrono::duration<double>(loop_.now() - begin).count());
  };
}

}  // namespace margay::server
