// Calculation: everything the objects of the cluster mean for this node, behind one door.
//
//   ClusterWatch ─▶ policy::Engine, Networks, BgpCalculation, ipip::TunnelPlanner, config::Configuration
//                        └─▶ take(): what changed
//
// No I/O. Thread: the control loop's.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "agent/bgp/bgp_calculation.h"
#include "agent/cluster/networks.h"
#include "agent/cni/attached_endpoints.h"
#include "agent/config/configuration.h"
#include "agent/dataplane/batch.h"
#include "base/core/field_error.h"
#include "datastore/model/ipam.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"
#include "datastore/watch/cluster_watch.h"
#include "ipip/plan/planner.h"
#include "policy/calc/engine.h"

namespace margay::agent {

class Calculation {
 public:
  struct Options {
    std::string node;
    BgpCalculation::Options bgp;
    // CALICO_NETWORKING_BACKEND: nobody teaches routes to other nodes, the plan has them all.
    bool has_bgp = true;
    // Routes of IPIP pools are the plan's, whatever programClusterRoutes says: eBPF must know them.
    bool plans_ipip = false;
  };
  explicit Calculation(const Options& options);

  // Of kinds that others in the agent need as well.
  struct Others {
    watch::Consume<model::Node> on_node;
    watch::Consume<model::Pod> on_pod;
    watch::Consume<model::Namespace> on_namespace;
    watch::Consume<model::IpPool> on_pool;
    watch::Consume<model::IpamBlock> on_block;
    AttachedEndpoints& attached;
  };
  // A workload is this from now on, whatever the watch said; null: there is none.
  void put_workload(const model::ObjectKey& key, const AttachedEndpoints::Endpoint& endpoint);
  // All kinds it needs.
  void watch_all(watch::ClusterWatch& cluster, const Others& others);

  struct Change {
    DataplaneBatch dataplane;
    BgpDelta bgp;
    config::Change config;
  };
  // Everything that was there at the start has been taken in: only now is there a whole state to speak of.
  Change take();

  [[nodiscard]] config::Configuration& configuration() { return configuration_; }
  [[nodiscard]] const BgpCalculation& bgp() const { return bgp_; }
  // Workload endpoints of this node, as of the last take().
  using Workloads = std::map<model::ObjectKey, std::shared_ptr<const model::WorkloadEndpoint>>;
  [[nodiscard]] const Workloads& workloads() const { return workloads_; }
  // Our ends of tunnels, as of the last take().
  [[nodiscard]] const ipip::LocalTunnels& local_tunnels() const { return local_tunnels_; }
  [[nodiscard]] std::map<IpAddress, std::string> node_names() const { return planner_.node_names(); }
  // See Options.
  void set_plans_ipip(bool plans_ipip) { plans_ipip_ = plans_ipip; }
  // Policies that apply to an endpoint of this node.
  [[nodiscard]] std::size_t local_policies() const { return policies_.size(); }
  // Objects that cannot be used, or not all of them, or act otherwise than written.
  [[nodiscard]] std::map<model::ObjectKey, FieldErrors> problems() const;

 private:
  template <class T>
  watch::Consume<T> workloads_to_engine(AttachedEndpoints& attached);
  void watch_policy(watch::ClusterWatch& cluster, const Others& others);
  void watch_bgp(watch::ClusterWatch& cluster, const Others& others);
  void watch_both(watch::ClusterWatch& cluster, const Others& others);
  template <class T>
  void watch_readable(watch::ClusterWatch& cluster);
  void note_workloads(const policy::Delta& delta);
  void note_policies(const policy::Delta& delta);
  [[nodiscard]] ipip::PlannedRoutes planned_routes(const model::FelixConfigurationSpec& settings) const;
  void note_node(const model::ObjectKey& key, const std::shared_ptr<const model::Node>& node);

  std::string node_;
  std::string secret_namespace_;
  policy::Engine engine_;
  Networks networks_;
  BgpCalculation bgp_;
  ipip::TunnelPlanner planner_;
  ipip::LocalTunnels local_tunnels_;
  config::Configuration configuration_;
  Workloads workloads_;
  const bool has_bgp_;
  bool plans_ipip_ = false;
  std::set<model::ObjectKey> policies_;
  std::map<model::ObjectKey, FieldErrors> unread_;  // of objects that are used as far as they can be read
  bool is_in_sync_ = false;
};

}  // namespace margay::agent
