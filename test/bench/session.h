// A client on a loop of its own, without a rate limit.
#pragma once

#include <memory>
#include <string>

#include "base/core/check.h"
#include "base/core/random.h"
#include "base/loop/asio_loop.h"
#include "base/loop/asio_network.h"
#include "datastore/kube/config.h"
#include "datastore/kube/make_client.h"

namespace margay::bench {

struct Session {
  explicit Session(const std::string& kubeconfig) : network(loop), random(1) {
    kube::ConnectionFlags flags;
    flags.kubeconfig = kubeconfig;
    auto config = kube::choose_connection(flags, kube::Environment{});
    MARGAY_CHECK(config.ok());
    kube::ClientOptions options;
    options.requests_per_second = 0;
    client = kube::make_client(loop, network, random, *config, options);
  }
  loop::AsioLoop loop;
  loop::AsioNetwork network;
  SeededRandom random;
  std::unique_ptr<kube::Client> client;
};

}  // namespace margay::bench
