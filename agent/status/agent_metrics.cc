#include "agent/status/agent_metrics.h"

#include <chrono>
#include <vector>

namespace margay::status {
namespace {

using telemetry::Labels;
using telemetry::Registry;

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::vector<double> latency_bounds() { return telemetry::exponential_bounds(0.001, 2, 16); }

SharedGauge shared(Registry& registry, const char* ours, const char* alias, const char* help) {
  return {registry.gauge({ours, help, ""}), registry.gauge({alias, help, ""})};
}

// Calico's name of a kind of object; null: it has none.
const char* alias_of(std::string_view kind) {
  if (kind == "sets") return "felix_ipsets_calico";
  if (kind == "routes") return "felix_route_table_num_routes";
  return nullptr;
}

}  // namespace

AgentMetrics::AgentMetrics(Registry& registry)
    : endpoint_ready(registry.histogram({"margay_endpoint_ready_seconds",
                                         "From a CNI ADD to the endpoint's policy and route in the kernel.", "seconds"},
                                        latency_bounds())),
      policy_propagation(
          registry.histogram({"margay_policy_propagation_seconds",
                              "From an event of the API server to what it changes in the kernel.", "seconds"},
                             latency_bounds())),
      local_endpoints(shared(registry, "margay_local_endpoints", "felix_active_local_endpoints",
                             "Endpoints of this node that are enforced.")),
      local_policies(shared(registry, "margay_local_policies", "felix_active_local_policies",
                            "Policies that apply to an endpoint of this node.")),
      cluster_hosts(shared(registry, "margay_cluster_hosts", "felix_cluster_num_hosts", "Nodes of the cluster.")),
      cluster_workload_endpoints(shared(registry, "margay_cluster_workload_endpoints",
                                        "felix_cluster_num_workload_endpoints", "Workload endpoints of the cluster.")),
      cluster_host_endpoints(shared(registry, "margay_cluster_host_endpoints", "felix_cluster_num_host_endpoints",
                                    "Host endpoints of the cluster.")),
      cluster_policies(
          shared(registry, "margay_cluster_policies", "felix_cluster_num_policies", "Policies of the cluster.")),
      cluster_profiles(
          shared(registry, "margay_cluster_profiles", "felix_cluster_num_profiles", "Profiles of the cluster.")),
      cluster_tiers(shared(registry, "margay_cluster_tiers", "felix_cluster_num_tiers", "Tiers of the cluster.")),
      registry_(registry),
      datastore_in_sync_(registry.gauge({"margay_datastore_in_sync", "Whether all kinds were read once.", ""})),
      resync_state_(registry.gauge({"felix_resync_state", "2: reading; 3: in sync.", ""})) {
  set_in_sync(false);
}

void AgentMetrics::set_in_sync(bool is_in_sync) {
  datastore_in_sync_.set(is_in_sync ? 1 : 0);
  resync_state_.set(is_in_sync ? 3 : 2);
}

void AgentMetrics::set_info(std::string_view name, const char* help, Labels& shown, Labels wanted) {
  const std::lock_guard lock(mutex_);
  if (shown == wanted) return;
  if (!shown.empty()) registry_.remove(name, shown);
  shown = std::move(wanted);
  registry_.gauge({std::string(name), help, ""}, shown).set(1);
}

void AgentMetrics::set_config_hash(const std::string& hash) {
  set_info("margay_config_hash_info", "The settings in use: equal ones have equal hashes.", config_, {{"hash", hash}});
}

void AgentMetrics::set_dataplane_mode(const std::string& mode, const std::string& reason) {
  set_info("margay_dataplane_mode_info", "How policy is enforced, and why so.", mode_,
           {{"mode", mode}, {"reason", reason}});
}

void AgentMetrics::observe_apply(std::string_view table, Duration took) {
  registry_
      .histogram(
          {"margay_apply_duration_seconds", "Time to bring a part of the kernel to what it should be.", "seconds"},
          latency_bounds(), {{"table", std::string(table)}})
      .observe(seconds_of(took));
  if (table != "all") return;
  registry_
      .histogram(
          {"felix_int_dataplane_apply_time_seconds", "Time to bring the kernel to what it should be.", "seconds"},
          latency_bounds())
      .observe(seconds_of(took));
}

void AgentMetrics::count_apply_error(std::string_view table, std::string_view reason) {
  registry_
      .counter({"margay_apply_errors_total", "Attempts to change the kernel that failed; they are repeated.", ""},
               {{"table", std::string(table)}, {"reason", std::string(reason)}})
      .increment();
}

void AgentMetrics::count_repairs(std::string_view kind, std::uint64_t count) {
  registry_
      .counter({"margay_resync_repairs_total", "Objects of the kernel found otherwise than they were left.", ""},
               {{"kind", std::string(kind)}})
      .increment(count);
}

void AgentMetrics::set_objects(std::string_view kind, double count) {
  registry_.gauge({"margay_objects", "Objects of the kernel that are ours.", ""}, {{"kind", std::string(kind)}})
      .set(count);
  if (const char* alias = alias_of(kind))
    registry_.gauge({alias, "Objects of the kernel that are ours.", ""}).set(count);
}

}  // namespace margay::status
