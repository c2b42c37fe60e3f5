// ProcessMetrics: what this process uses, and what it was built from, as metrics read when they are asked for.
//
//   process_cpu_seconds_total      process_open_fds   process_resident_memory_bytes   process_start_time_seconds
//   margay_build_info{version,revision,compiler} 1    process_max_fds   process_virtual_memory_bytes
//
// The names are those of the Prometheus client library guidelines ("Process metrics"). Sources: getrusage(2), proc(5).
// What cannot be read is not-a-number, never a wrong zero.
#pragma once

#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/telemetry/metrics.h"

namespace margay::process {

class ProcessMetrics {
 public:
  // Shown as long as this lives; `registry` outlives it.
  explicit ProcessMetrics(telemetry::Registry& registry);

  // Those of the process, from now on; margay_build_info stays.
  void set_shown(bool is_shown);

 private:
  void show();

  telemetry::Registry& registry_;
  telemetry::CallbackHandle build_;
  std::vector<telemetry::CallbackHandle> handles_;
};

// When the process started, in clock ticks after boot: field 22 of /proc/PID/stat, whose second field may hold
// anything.
Result<double> parse_start_ticks(std::string_view stat);
// When the machine started, in seconds since the epoch: "btime" of /proc/stat.
Result<double> parse_boot_seconds(std::string_view stat);

}  // namespace margay::process
