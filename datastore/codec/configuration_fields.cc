// FelixConfiguration, KubeControllersConfiguration, ClusterInformation.
#include "datastore/codec/felix_fields.h"
#include "datastore/codec/kind_codec.h"
#include "datastore/model/cluster_information.h"
#include "datastore/model/controllers_configuration.h"
#include "datastore/model/felix_configuration.h"

namespace margay::codec {

template <class Archive, Is<model::FelixConfigurationSpec> S>
void fields(Archive& a, S& s) {
  a.field("nodeSelector", s.node_selector);
  fields(a, s.process);
  fields(a, s.host);
  fields(a, s.netfilter);
  fields(a, s.routes);
  fields(a, s.tunnels);
  fields(a, s.bpf);
  fields(a, s.reporting);
}

template <class Archive, Is<model::HostEndpointTemplate> S>
void fields(Archive& a, S& s) {
  a.field("generateName", s.generate_name);
  a.field("interfaceCIDRs", s.interface_cidrs);
  a.field("interfacePattern", s.interface_pattern);
  a.field("labels", s.labels);
  a.field("annotations", s.annotations);
  a.field("nodeSelector", s.node_selector);
}

template <class Archive, Is<model::AutoHostEndpointConfig> S>
void fields(Archive& a, S& s) {
  a.field("autoCreate", s.auto_create);
  a.field("createDefaultHostEndpoint", s.create_default_host_endpoint);
  a.field("templates", s.templates);
}

template <class Archive, Is<model::NodeControllerConfig> S>
void fields(Archive& a, S& s) {
  a.field("reconcilerPeriod", s.reconciler_period);
  a.field("syncLabels", s.sync_labels);
  a.field("hostEndpoint", s.host_endpoint);
  a.field("leakGracePeriod", s.leak_grace_period);
}

template <class Archive, Is<model::PeriodicControllerConfig> S>
void fields(Archive& a, S& s) {
  a.field("reconcilerPeriod", s.reconciler_period);
}

template <class Archive, Is<model::LoadBalancerControllerConfig> S>
void fields(Archive& a, S& s) {
  a.field("assignIPs", s.assign_ips);
}

template <class Archive, Is<model::PolicyMigrationConfig> S>
void fields(Archive& a, S& s) {
  a.field("enabled", s.enabled);
}

template <class Archive, Is<model::ControllersConfig> S>
void fields(Archive& a, S& s) {
  a.field("node", s.node);
  a.field("policy", s.policy);
  a.field("workloadEndpoint", s.workload_endpoint);
  a.field("serviceAccount", s.service_account);
  a.field("namespace", s.name_space);
  a.field("loadBalancer", s.load_balancer);
  a.field("policyMigration", s.policy_migration);
}

template <class Archive, Is<model::KubeControllersConfigurationSpec> S>
void fields(Archive& a, S& s) {
  a.field("logSeverityScreen", s.log_severity_screen);
  a.field("healthChecks", s.health_checks);
  a.field("etcdV3CompactionPeriod", s.etcd_v3_compaction_period);
  a.field("prometheusMetricsPort", s.prometheus_metrics_port);
  a.field("debugProfilePort", s.debug_profile_port);
  a.field("controllers", s.controllers);
}

template <class Archive, Is<model::KubeControllersConfigurationStatus> S>
void fields(Archive& a, S& s) {
  a.field("conditions", s.conditions);
  a.field("runningConfig", s.running_config);
  a.field("environmentVars", s.environment_vars);
}

template <class Archive, Is<model::ClusterInformationSpec> S>
void fields(Archive& a, S& s) {
  a.field("clusterGUID", s.cluster_guid);
  a.field("clusterType", s.cluster_type);
  a.field("calicoVersion", s.calico_version);
  a.field("datastoreReady", s.datastore_ready);
  a.field("variant", s.variant);
}

template <class Archive, class S>
requires(Is<S, model::FelixConfiguration> || Is<S, model::KubeControllersConfiguration> ||
         Is<S, model::ClusterInformation>) void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::FelixConfiguration& out);
template void encode(const model::FelixConfiguration& object, json::Value& into);
template FieldErrors decode(json::View object, model::KubeControllersConfiguration& out);
template void encode(const model::KubeControllersConfiguration& object, json::Value& into);
template FieldErrors decode(json::View object, model::ClusterInformation& out);
template void encode(const model::ClusterInformation& object, json::Value& into);

}  // namespace margay::codec
