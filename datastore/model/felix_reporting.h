// The part of FelixConfiguration (projectcalico.org/v3) about flow logs, other programs and OpenStack. A comment is the
// default.
#pragma once

#include <optional>
#include <string>

#include "base/core/time.h"
#include "base/ip/port.h"
#include "datastore/model/enum.h"
#include "datastore/model/felix_values.h"
#include "datastore/model/values.h"

namespace margay::model {

struct FelixReporting {
  std::optional<Duration> flow_logs_flush_interval;  // 300s
  std::string flow_logs_goldmane_server;
  std::optional<Switch> flow_logs_local_reporter;                      // Disabled
  std::optional<FlowEvaluationMode> flow_logs_policy_evaluation_mode;  // Continuous
  std::optional<bool> flow_logs_collector_debug_trace;                 // false
  std::string policy_sync_path_prefix;
  std::optional<Switch> istio_ambient_mode;          // Disabled
  std::optional<Dscp> istio_dscp_mark;               // 23
  std::optional<bool> endpoint_reporting_enabled;    // false
  std::optional<Duration> endpoint_reporting_delay;  // 1s
  std::optional<Duration> reporting_interval;        // 30s
  std::optional<Duration> reporting_ttl;             // 90s
  std::string metadata_addr;                         // 127.0.0.1
  std::optional<Port> metadata_port;                 // 8775
  std::string openstack_region;

  friend bool operator==(const FelixReporting&, const FelixReporting&) = default;
};

}  // namespace margay::model
