// LocalApi: what the agent answers on its unix socket (RUN_DIR/node.sock), for netctl, tests and people. JSON.
//
//   GET /status    stages of the start-up, watches, drivers (desired, actual, failures), counts
//   GET /endpoints state of each endpoint of this node      GET /problems  objects that are not honoured as written
//   GET /routes    BGP: {routes}, with the parameters of bgp/answer/route_query.h
//   GET /settings  each setting with its origin             GET /peers     BGP: {speaker, peers}
//   GET /livez, /readyz[?verbose], /metrics                 POST /resync   everything is read again and made right
//
// Errors are {error: "…"}. Thread: the control loop's.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "agent/main/agent.h"
#include "base/core/result.h"
#include "base/http/server.h"
#include "bgp/answer/route_stream.h"

namespace margay::agent {

class LocalApi {
 public:
  LocalApi(loop::Loop& loop, loop::Network& network, Agent& agent);
  Status listen(const std::string& socket_path);

 private:
  void serve(const http::Request& request, std::unique_ptr<http::Responder> responder);
  void serve_peers(std::unique_ptr<http::Responder> responder);
  void serve_routes(const http::Target& target, std::unique_ptr<http::Responder> responder);
  void stream_routes(std::uint64_t reading, std::unique_ptr<http::Responder> responder);
  [[nodiscard]] http::Response answer(const http::Request& request, const std::string& path);

  loop::Loop& loop_;
  Agent& agent_;
  std::set<std::shared_ptr<bgp::RouteStream>> streams_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<http::Server> server_;
};

}  // namespace margay::agent
