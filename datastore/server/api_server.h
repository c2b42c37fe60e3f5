// ApiServer: the Kubernetes REST protocol over a store: who asks, what for, may they, and off to where it is done.
//
//   http::Server ─request▶ handle() ─┬─ /healthz /readyz /livez /metrics
//                                    ├─ discovery.h, openapi.h
//                                    └─ access.h ─▶ requests.h ─▶ store::Store
//   start(): objects of earlier CRDs, seeds.h, then the controllers
//
// Stateless beside the store: several servers on one store behave as one. One loop. Destroy it before the store, with
// no turn of the loop in between.
#pragma once

#include <memory>
#include <string>

#include "base/core/random.h"
#include "base/core/task.h"
#include "base/http/server.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "datastore/schema/registry.h"
#include "datastore/server/access.h"
#include "datastore/store/store.h"

namespace margay::server {

struct ApiServerConfig {
  Access access = Access::open();
  bool allow_fault_injection = false;
};

class ApiServer {
 public:
  struct Dependencies {
    loop::Loop& loop;
    Random& random;
    store::Store& store;
    telemetry::Registry& metrics;
    telemetry::Logger log;
  };
  ApiServer(Dependencies dependencies, std::unique_ptr<schema::Registry> registry, ApiServerConfig config);
  ~ApiServer();

  // Brings the store into its first state; tried again until the store answers. `ready` runs once.
  void start(Task ready);
  // For http::make_server. May be called before start() is done: /readyz says so then.
  void handle(http::Request request, const http::PeerInfo& peer, std::unique_ptr<http::Responder> responder);
  // Ends watches in order and stops the controllers; requests under way go on.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace margay::server
