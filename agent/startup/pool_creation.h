// PoolCreation: makes the default IPPools in a cluster that has none, as calico/node does (default_pools.h).
//
//   IPPools in sync, host's networks ─▶ none of a family? ─▶ GET kube-system/kubeadm-config ─▶ POST ippools ─▶ done
//
// Nodes may do so at the same time: one of them wins, and for the others AlreadyExists is success. An API server
// without ConfigMaps, or one that does not let us read them, has no kubeadm. Anything else is tried again with backoff.
// Thread: the control loop's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/startup/default_pools.h"
#include "base/core/random.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/kube/client.h"

namespace margay::startup {

class PoolCreation {
 public:
  struct Parts {
    loop::Loop& loop;
    Random& random;
    kube::Client& client;
    telemetry::Logger log{};
  };
  PoolCreation(Parts parts, Environment environment);
  ~PoolCreation();
  PoolCreation(const PoolCreation&) = delete;
  PoolCreation& operator=(const PoolCreation&) = delete;

  // CIDRs of all IPPools; only once they have all been read.
  void set_pools(std::vector<IpPrefix> present);
  // Networks of the host's interfaces, and whether the node has an IPv6 address.
  void set_host(std::vector<IpPrefix> networks, bool has_ipv6);

  // Nothing is left to be made.
  [[nodiscard]] bool is_done() const { return is_done_; }
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  struct Host {
    std::vector<IpPrefix> networks;
    bool has_ipv6 = false;
  };
  void advance();
  void read_kubeadm();
  void on_kubeadm(const kube::ApiResult<json::Value>& answer);
  void create_next();
  void on_created(const kube::ApiResult<json::Value>& answer);
  void retry(const kube::ApiError& error);

  Parts parts_;
  Environment environment_;
  std::optional<std::vector<IpPrefix>> present_;
  std::optional<Host> host_;
  std::optional<std::vector<model::IpPool>> wanted_;  // to be made, the next one last
  bool is_done_ = false;
  std::string last_error_;
  Duration backoff_;
  kube::OperationPtr under_way_;
  std::unique_ptr<loop::Timer> retry_;
};

// The pod networks that a ClusterConfiguration of kubeadm names; none when it cannot be read.
std::vector<IpPrefix> kubeadm_pod_networks(std::string_view cluster_configuration_yaml);

}  // namespace margay::startup
