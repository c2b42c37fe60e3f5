// KubeControllersConfiguration (projectcalico.org/v3), name "default": settings of margay-controllers. An absent
// controller section means its defaults.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/string_map.h"
#include "base/core/time.h"
#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"

namespace margay::model {

enum class AssignIps { kAllServices, kRequestedServicesOnly };
template <>
struct EnumText<AssignIps> {
  static constexpr std::string_view kWords[] = {"AllServices", "RequestedServicesOnly"};
};

struct HostEndpointTemplate {
  std::string generate_name;              // end of the names of what it makes
  std::vector<IpPrefix> interface_cidrs;  // which of the node's addresses
  std::string interface_pattern;          // regular expression: one endpoint for each interface that matches
  StringMap labels;
  StringMap annotations;
  std::string node_selector;

  friend bool operator==(const HostEndpointTemplate&, const HostEndpointTemplate&) = default;
};

struct AutoHostEndpointConfig {
  std::optional<Switch> auto_create;                   // Disabled
  std::optional<Switch> create_default_host_endpoint;  // Enabled
  std::vector<HostEndpointTemplate> templates;

  friend bool operator==(const AutoHostEndpointConfig&, const AutoHostEndpointConfig&) = default;
};

struct NodeControllerConfig {
  std::optional<Duration> reconciler_period;  // 5 min
  std::optional<Switch> sync_labels;          // Enabled
  std::optional<AutoHostEndpointConfig> host_endpoint;
  std::optional<Duration> leak_grace_period;  // before a leaked address is freed; 15 min; 0: never

  friend bool operator==(const NodeControllerConfig&, const NodeControllerConfig&) = default;
};

struct PeriodicControllerConfig {
  std::optional<Duration> reconciler_period;  // 5 min

  friend bool operator==(const PeriodicControllerConfig&, const PeriodicControllerConfig&) = default;
};

struct LoadBalancerControllerConfig {
  std::optional<AssignIps> assign_ips;  // AllServices

  friend bool operator==(const LoadBalancerControllerConfig&, const LoadBalancerControllerConfig&) = default;
};

struct PolicyMigrationConfig {
  std::optional<Switch> enabled;  // Enabled

  friend bool operator==(const PolicyMigrationConfig&, const PolicyMigrationConfig&) = default;
};

struct ControllersConfig {
  std::optional<NodeControllerConfig> node;
  std::optional<PeriodicControllerConfig> policy;
  std::optional<PeriodicControllerConfig> workload_endpoint;
  std::optional<PeriodicControllerConfig> service_account;
  std::optional<PeriodicControllerConfig> name_space;
  std::optional<LoadBalancerControllerConfig> load_balancer;
  std::optional<PolicyMigrationConfig> policy_migration;

  friend bool operator==(const ControllersConfig&, const ControllersConfig&) = default;
};

struct KubeControllersConfigurationSpec {
  std::optional<LogSeverity> log_severity_screen;     // Info
  std::optional<Switch> health_checks;                // Enabled
  std::optional<Duration> etcd_v3_compaction_period;  // 10 min; 0: never
  std::optional<Port> prometheus_metrics_port;        // 9094; 0: none
  std::optional<Port> debug_profile_port;             // none
  ControllersConfig controllers;

  friend bool operator==(const KubeControllersConfigurationSpec&, const KubeControllersConfigurationSpec&) = default;
};

struct KubeControllersConfigurationStatus {
  std::vector<Condition> conditions;
  std::optional<KubeControllersConfigurationSpec> running_config;  // what is in force
  StringMap environment_vars;                                      // those that override the spec

  friend bool operator==(const KubeControllersConfigurationStatus&,
                         const KubeControllersConfigurationStatus&) = default;
};

struct KubeControllersConfiguration {
  static constexpr Kind kKind = Kind::kKubeControllersConfiguration;

  ObjectMeta metadata;
  KubeControllersConfigurationSpec spec;
  KubeControllersConfigurationStatus status;

  friend bool operator==(const KubeControllersConfiguration&, const KubeControllersConfiguration&) = default;
};

}  // namespace margay::model
