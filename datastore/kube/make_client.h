// Makes the client of client.h that speaks HTTP.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/loop/stream.h"
#include "base/telemetry/log.h"
#include "base/telemetry/metrics.h"
#include "datastore/kube/client.h"
#include "datastore/kube/config.h"
#include "datastore/kube/receiver.h"
#include "datastore/kube/retry.h"
#include "datastore/kube/server_pool.h"

namespace margay::kube {

struct ClientOptions {
  std::string user_agent = "margay";
  // Client-side rate limit, for everything but probes; the start of a watch counts once. 0: none.
  double requests_per_second = 50;
  double burst = 100;
  Duration call_timeout = std::chrono::seconds(60);  // a get or write, all its attempts together
  Duration answer_timeout =
      std::chrono::seconds(30);  // to the head of an answer; and silence inside a body (not a watch's)
  Duration watch_grace = std::chrono::seconds(30);  // a watch that outlives its server_timeout by this has failed
  std::size_t connections_max = 64;                 // to each server; watches under way count
  RetryPolicy retry{};
  BodyLimits limits{};
  ServerPoolOptions servers{};
  // A warning of the server's (warning_header.h), each text once. Must not call or end the client. Empty: it is logged.
  std::function<void(const std::string& text)> on_warning{};
  telemetry::Logger log{};
  telemetry::Registry* metrics = nullptr;  // outlives the client
};

// `loop`, `network` and `random` outlive the client. `config.servers` is not empty.
std::unique_ptr<Client> make_client(loop::Loop& loop, loop::Network& network, Random& random,
                                    const ConnectionConfig& config, const ClientOptions& options);

// The HTTP clients that the one above uses, for who wants to put something in between. `loop` and `network` outlive it.
HttpFactory make_http_factory(loop::Loop& loop, loop::Network& network, const ConnectionConfig& config,
                              const ClientOptions& options);

// The same over any HTTP; token files are read through `files`.
std::unique_ptr<Client> make_client(loop::Loop& loop, Random& random, const ConnectionConfig& config,
                                    const ClientOptions& options, HttpFactory make_http, FileReader files);

}  // namespace margay::kube
