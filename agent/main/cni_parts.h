// CniParts: address management and the CNI plugin's server, as the agent has them: fed by its watches, answering once
// the dataplane has what a pod needs.
// Thread: the control loop's. What it refers to outlives it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "agent/cni/attached_endpoints.h"
#include "agent/cni/cluster_facts.h"
#include "agent/cni/cni_server.h"
#include "agent/cni/pool_conditions.h"
#include "agent/main/endpoint_waiter.h"
#include "cni/addresses/address_book.h"
#include "datastore/watch/cluster_watch.h"

namespace margay::agent {

class CniParts {
 public:
  struct Parts {
    loop::Loop& loop;
    loop::Network& network;
    kube::Client& client;
    Random& random;
    const EndpointBook& book;
    const EndpointBook::Workloads& workloads;
    std::string node;
    std::string state_dir;
    std::string run_dir;
    telemetry::Logger log{};
    telemetry::Registry* metrics = nullptr;
    std::function<std::int64_t()> mtu = [] { return std::int64_t{1500}; };  // of new interfaces
    std::function<void(const PodNews& news)> on_pod_news{};
  };
  explicit CniParts(Parts parts);

  // Kinds that nobody else in the agent watches; the others come through facts() and see().
  void watch_all(watch::ClusterWatch& cluster);
  [[nodiscard]] ClusterFacts& facts() { return facts_; }
  // What the watches have of workloads goes by them.
  [[nodiscard]] AttachedEndpoints& attached() { return attached_; }
  [[nodiscard]] margay::addresses::AddressBook& addresses() { return addresses_; }
  void see(const model::IpamBlock& block) { addresses_.see(block); }

  // All that was there at the start is known: the plugin is answered from now on.
  void open();
  Status listen(const std::string& socket_path);
  // The dataplane has reported.
  void look() { waiter_.look(); }
  void measure_ready(telemetry::Histogram seconds) { waiter_.measure(std::move(seconds)); }

 private:
  Parts parts_;
  ClusterFacts facts_;
  AttachedEndpoints attached_;
  margay::addresses::AddressBook addresses_;
  PoolConditions pool_conditions_;
  EndpointWaiter waiter_;
  CniServer server_;
  bool is_open_ = false;
};

}  // namespace margay::agent
