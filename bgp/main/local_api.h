// LocalApi: what margay-bgpd answers on its unix socket, for people's tables, tests and monitoring.
//
//   GET  /peers                      {speaker: {…}, peers: […]}
//   GET  /routes[?peer=IP][&in|out]  {routes: […]}; in and out are Adj-RIB-In and Adj-RIB-Out and need a peer
//        [&prefix=P[&match=exact|inside|holding]]
//   GET  /metrics                    Prometheus
//   POST /reload                     reads the configuration again: 200, or 422 with what is wrong
//   POST /reset?peer=IP[&text=T]     Cease/Administrative Reset;  POST /refresh?peer=IP[&out]  ROUTE-REFRESH
//
// A peer that is not there is 404, with the addresses of those that are. Errors are {error: "…"}.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/http/server.h"
#include "base/telemetry/metrics.h"
#include "bgp/answer/route_stream.h"
#include "bgp/speaker/speaker.h"

namespace margay::bgpd {

class LocalApi {
 public:
  struct Parts {
    loop::Loop& loop;
    loop::Network& network;
    bgp::Speaker& speaker;
    telemetry::Registry& metrics;
    // What was wrong; empty: done.
    std::function<std::vector<std::string>()> reload;
  };

  explicit LocalApi(Parts parts);
  Status listen(const std::string& socket_path);

  // Through the responder, at once or (routes) a piece at a time.
  void serve(const http::Request& request, std::unique_ptr<http::Responder> responder);

 private:
  [[nodiscard]] http::Response peers() const;
  [[nodiscard]] http::Response answer(const http::Request& request, const http::Target& target);
  void serve_routes(const http::Target& target, std::unique_ptr<http::Responder> responder);
  [[nodiscard]] http::Response metrics(const http::Request& request) const;
  http::Response reload();
  http::Response on_peer(const http::Target& target);

  Parts parts_;
  std::set<std::shared_ptr<bgp::RouteStream>> streams_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<http::Server> server_;
};

}  // namespace margay::bgpd
