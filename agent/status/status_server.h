// StatusServer: what probes and Prometheus ask for, at the places the settings say.
//
//   healthHost:healthPort (localhost:9099)            GET /livez /readyz [?verbose] /liveness /readiness
//   prometheusMetricsHost:prometheusMetricsPort       GET /metrics
//
// 200 "ok", or 503; with ?verbose, or when something fails, one line a check ("[+]name ok", "[-]name detail"), as
// kube-apiserver's probes have. Settings may change at any time. One loop.
#pragma once

#include <functional>
#include <optional>

#include "agent/config/configuration.h"
#include "agent/status/health.h"
#include "agent/status/live_server.h"
#include "base/telemetry/metrics.h"

namespace margay::status {

class StatusServer {
 public:
  // `before_scrape` runs before metrics are rendered: for those computed on demand.
  StatusServer(const LiveServer::Parts& parts, Health& health, const telemetry::Registry& metrics,
               std::function<void()> before_scrape = {});

  void apply(const config::Settings& settings);

  // For the local API as well.
  [[nodiscard]] http::Response health(const http::Request& request) const;
  [[nodiscard]] http::Response metrics(const http::Request& request) const;
  [[nodiscard]] const LiveServer& health_server() const { return health_server_; }
  [[nodiscard]] const LiveServer& metrics_server() const { return metrics_server_; }

 private:
  Health& health_;
  const telemetry::Registry& registry_;
  std::function<void()> before_scrape_;
  LiveServer health_server_;
  LiveServer metrics_server_;
};

}  // namespace margay::status
