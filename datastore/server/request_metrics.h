// RequestMetrics: how many requests, by what, with which outcome and how fast; how many watches.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/loop/loop.h"
#include "base/telemetry/metrics.h"
#include "datastore/server/requests.h"

namespace margay::server {

class RequestMetrics {
 public:
  RequestMetrics(telemetry::Registry& registry, loop::Loop& loop, const Requests& requests);
  // What to call with the status of the answer to a request that begins now.
  std::function<void(int status)> on_status(std::string_view verb, std::string_view plural, std::string_view group);

 private:
  telemetry::Registry& registry_;
  loop::Loop& loop_;
  telemetry::CallbackHandle long_answers_;
};

}  // namespace margay::server
