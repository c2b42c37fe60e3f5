// DataplaneMetrics: the dataplane's reports as series, by table and family, under our names and those of Calico's agent
// that stand on imported dashboards. Calico's counters have no "_total"; under their names they are gauges that only
// grow, which queries do not notice.
// Thread: the control loop's.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "agent/dataplane/batch.h"
#include "agent/status/agent_metrics.h"
#include "base/telemetry/metrics.h"

namespace margay::agent {

class DataplaneMetrics {
 public:
  DataplaneMetrics(telemetry::Registry& registry, status::AgentMetrics& agent) : registry_(registry), agent_(agent) {}

  void note(const DataplaneReport& report);
  // `names`: of other nodes, by address; one without has its address for a name.
  void note_tunnels(const TunnelCounters& counters, const std::map<IpAddress, std::string>& names);

 private:
  void note_node(const std::string& node, const NodeCounters& counters);
  void note_device(const std::string& device, const DeviceCounters& counters);
  void add(const telemetry::MetricInfo& info, const telemetry::Labels& labels, std::uint64_t count);
  void forget_nodes(const std::set<std::string>& present);

  void note_driver(const std::string& name, const DriverState& state);
  void note_tables(const DataplaneReport& report);
  void note_times(const DataplaneReport& report);
  // How much it has grown since the last call.
  std::uint64_t grown(const std::string& name, std::uint64_t count);

  telemetry::Registry& registry_;
  status::AgentMetrics& agent_;
  std::map<std::string, std::uint64_t> before_;
  std::uint64_t applies_ = 0;
  std::set<std::string> nodes_;  // that have series of their own
};

}  // namespace margay::agent
