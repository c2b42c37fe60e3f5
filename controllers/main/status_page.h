// StatusPage: metrics and health of margay-controllers over HTTP, at a place that may change while it runs. One loop.
//
//   /metrics · /livez, /liveness: the loop turns · /readyz, /readiness: this replica could take over, or why not
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/core/task.h"
#include "base/http/server.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"

namespace margay::controllers {

class StatusPage {
 public:
  struct Parts {
    loop::Loop& loop;
    loop::Network& network;
    telemetry::Registry& metrics;
    telemetry::Logger log{};
  };
  // `why_not_ready`: "" when it is.
  StatusPage(Parts parts, std::function<std::string()> why_not_ready);
  ~StatusPage();

  // At the first of `places` that can be had; none: nowhere. Another place is left. The error, also in the log, says
  // why none can be had; it is tried again until one can.
  Status listen(std::vector<loop::Endpoint> places);
  void set_health(bool is_served) { has_health_ = is_served; }
  void stop(Task done);

 private:
  void serve(const http::Request& request, http::Responder& responder);
  Status try_listen();
  void leave();

  Parts parts_;
  std::function<std::string()> why_not_ready_;
  bool has_health_ = true;
  std::vector<loop::Endpoint> places_;
  std::unique_ptr<http::Server> server_;
  std::vector<std::unique_ptr<http::Server>> leaving_;
  std::unique_ptr<loop::Timer> retry_;
};

}  // namespace margay::controllers
