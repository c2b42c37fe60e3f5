// The part of FelixConfiguration (projectcalico.org/v3) about the process of the agent itself: log, health, metrics. A
// comment is the default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"
#include "datastore/model/felix_values.h"

namespace margay::model {

struct FelixProcess {
  std::optional<LogSeverity> log_severity_screen;  // Info
  std::optional<LogSeverity> log_severity_file;    // Info
  std::optional<LogSeverity> log_severity_sys;     // Info
  std::string log_file_path;                       // /var/log/calico/felix.log
  std::string log_debug_filename_regex;
  std::optional<bool> debug_disable_log_dropping;  // false
  std::optional<bool> health_enabled;              // false
  std::string health_host;                         // localhost
  std::optional<Port> health_port;                 // 9099
  std::vector<HealthTimeoutOverride> health_timeout_overrides;
  std::optional<Duration> dataplane_watchdog_timeout;  // 90s
  std::optional<bool> prometheus_metrics_enabled;      // false
  std::string prometheus_metrics_host;
  std::optional<Port> prometheus_metrics_port;  // 9091
  std::string prometheus_metrics_ca_file;
  std::string prometheus_metrics_cert_file;
  std::string prometheus_metrics_key_file;
  std::string prometheus_metrics_client_auth;                // NoClientCert
  std::optional<bool> prometheus_go_metrics_enabled;         // true
  std::optional<bool> prometheus_process_metrics_enabled;    // true
  std::optional<bool> prometheus_wireguard_metrics_enabled;  // true
  std::optional<std::int64_t> go_gc_threshold;               // 40
  std::optional<std::int64_t> go_max_procs;                  // -1
  std::optional<std::int64_t> go_memory_limit_mb;            // -1
  std::string debug_host;                                    // localhost
  std::optional<Port> debug_port;
  std::string debug_memory_profile_path;
  std::optional<Duration> debug_simulate_calc_graph_hang_after;
  std::optional<Duration> debug_simulate_dataplane_hang_after;
  std::optional<Duration> debug_simulate_dataplane_apply_delay;
  std::string feature_detect_override;
  std::string feature_gates;
  std::optional<bool> use_internal_dataplane_driver;      // true
  std::string dataplane_driver;                           // calico-iptables-plugin
  std::optional<bool> usage_reporting_enabled;            // true
  std::optional<Duration> usage_reporting_initial_delay;  // 300s
  std::optional<Duration> usage_reporting_interval;       // 86400s

  friend bool operator==(const FelixProcess&, const FelixProcess&) = default;
};

}  // namespace margay::model
