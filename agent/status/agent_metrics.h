// AgentMetrics: the agent's own series, each made once; docs/metrics.md lists them. Those of Calico's agent that stand
// on imported dashboards are shown under their old names as well (felix_…), with the same values.
//
// Handles may be used from any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/core/time.h"
#include "base/telemetry/metrics.h"

namespace margay::status {

// A number under our name and Calico's.
class SharedGauge {
 public:
  SharedGauge() = default;
  SharedGauge(telemetry::Gauge ours, telemetry::Gauge alias) : ours_(std::move(ours)), alias_(std::move(alias)) {}
  void set(double value) {
    ours_.set(value);
    alias_.set(value);
  }

 private:
  telemetry::Gauge ours_, alias_;
};

class AgentMetrics {
 public:
  explicit AgentMetrics(telemetry::Registry& registry);

  // margay_config_hash_info{hash} 1: equal settings have equal hashes.
  void set_config_hash(const std::string& hash);
  // margay_dataplane_mode_info{mode,reason} 1: "iptables", "nft back end, found by trying".
  void set_dataplane_mode(const std::string& mode, const std::string& reason);

  // margay_datastore_in_sync 0, 1; felix_resync_state 2, 3.
  void set_in_sync(bool is_in_sync);

  // margay_apply_duration_seconds{table}; felix_int_dataplane_apply_time_seconds (without label): for "all".
  void observe_apply(std::string_view table, Duration took);
  // margay_apply_errors_total{table,reason}.
  void count_apply_error(std::string_view table, std::string_view reason);
  // margay_resync_repairs_total{kind}: what was not as we left it.
  void count_repairs(std::string_view kind, std::uint64_t count);
  // margay_objects{kind}: "chains", "rules", "sets", "routes"; felix_ipsets_calico, felix_route_table_num_routes.
  void set_objects(std::string_view kind, double count);

  telemetry::Histogram endpoint_ready;      // margay_endpoint_ready_seconds: CNI ADD to policy and route in the kernel
  telemetry::Histogram policy_propagation;  // margay_policy_propagation_seconds: API event to kernel
  SharedGauge local_endpoints;              // margay_local_endpoints, felix_active_local_endpoints
  SharedGauge local_policies;               // margay_local_policies, felix_active_local_policies
  SharedGauge cluster_hosts;                // margay_cluster_hosts, felix_cluster_num_hosts
  SharedGauge cluster_workload_endpoints;   // margay_cluster_workload_endpoints, felix_cluster_num_workload_endpoints
  SharedGauge cluster_host_endpoints;       // margay_cluster_host_endpoints, felix_cluster_num_host_endpoints
  SharedGauge cluster_policies;             // margay_cluster_policies, felix_cluster_num_policies
  SharedGauge cluster_profiles;             // margay_cluster_profiles, felix_cluster_num_profiles
  SharedGauge cluster_tiers;                // margay_cluster_tiers, felix_cluster_num_tiers

 private:
  void set_info(std::string_view name, const char* help, telemetry::Labels& shown, telemetry::Labels wanted);

  telemetry::Registry& registry_;
  telemetry::Gauge datastore_in_sync_, resync_state_;
  std::mutex mutex_;
  telemetry::Labels config_, mode_;
};

}  // namespace margay::status
