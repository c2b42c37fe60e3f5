// The process of the agent itself: log, health, metrics of FelixConfiguration.
#include "datastore/codec/archive.h"
#include "datastore/codec/felix_fields.h"

namespace margay::codec {

template <class Archive, Is<model::HealthTimeoutOverride> S>
void fields(Archive& a, S& s) {
  a.required("name", s.name);
  a.required("timeout", s.timeout);
}

namespace {

template <class Archive, Is<model::FelixProcess> S>
void list_process(Archive& a, S& s) {
  a.field("logSeverityScreen", s.log_severity_screen);
  a.field("logSeverityFile", s.log_severity_file);
  a.field("logSeveritySys", s.log_severity_sys);
  a.field("logFilePath", s.log_file_path);
  a.field("logDebugFilenameRegex", s.log_debug_filename_regex);
  a.field("debugDisableLogDropping", s.debug_disable_log_dropping);
  a.field("healthEnabled", s.health_enabled);
  a.field("healthHost", s.health_host);
  a.field("healthPort", s.health_port);
  a.field("healthTimeoutOverrides", s.health_timeout_overrides);
  a.field("dataplaneWatchdogTimeout", s.dataplane_watchdog_timeout);
  a.field("prometheusMetricsEnabled", s.prometheus_metrics_enabled);
  a.field("prometheusMetricsHost", s.prometheus_metrics_host);
  a.field("prometheusMetricsPort", s.prometheus_metrics_port);
  a.field("prometheusMetricsCAFile", s.prometheus_metrics_ca_file);
  a.field("prometheusMetricsCertFile", s.prometheus_metrics_cert_file);
  a.field("prometheusMetricsKeyFile", s.prometheus_metrics_key_file);
  a.field("prometheusMetricsClientAuth", s.prometheus_metrics_client_auth);
  a.field("prometheusGoMetricsEnabled", s.prometheus_go_metrics_enabled);
  a.field("prometheusProcessMetricsEnabled", s.prometheus_process_metrics_enabled);
  a.field("prometheusWireGuardMetricsEnabled", s.prometheus_wireguard_metrics_enabled);
  a.field("goGCThreshold", s.go_gc_threshold);
  a.field("goMaxProcs", s.go_max_procs);
  a.field("goMemoryLimitMB", s.go_memory_limit_mb);
  a.field("debugHost", s.debug_host);
  a.field("debugPort", s.debug_port);
  a.field("debugMemoryProfilePath", s.debug_memory_profile_path);
  a.field("debugSimulateCalcGraphHangAfter", s.debug_simulate_calc_graph_hang_after);
  a.field("debugSimulateDataplaneHangAfter", s.debug_simulate_dataplane_hang_after);
  a.field("debugSimulateDataplaneApplyDelay", s.debug_simulate_dataplane_apply_delay);
  a.field("featureDetectOverride", s.feature_detect_override);
  a.field("featureGates", s.feature_gates);
  a.field("useInternalDataplaneDriver", s.use_internal_dataplane_driver);
  a.field("dataplaneDriver", s.dataplane_driver);
  a.field("usageReportingEnabled", s.usage_reporting_enabled);
  a.field("usageReportingInitialDelay", s.usage_reporting_initial_delay);
  a.field("usageReportingInterval", s.usage_reporting_interval);
}

}  // namespace

void fields(Reader& a, model::FelixProcess& s) { list_process(a, s); }
void fields(Writer& a, const model::FelixProcess& s) { list_process(a, s); }

}  // namespace margay::codec
