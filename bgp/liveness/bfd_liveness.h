// BfdLiveness: BFD as the speaker's LivenessMonitor.
//
// A peer that cannot be watched (an address that is gone, the port taken by another BFD) is logged and not watched: the
// hold timer still is. Thread: the loop's.
#pragma once

#include <memory>

#include "bgp/bfd/monitor.h"
#include "bgp/speaker/speaker.h"

namespace margay::bgp {

class BfdLiveness final : public LivenessMonitor {
 public:
  explicit BfdLiveness(bfd::MonitorParts parts);

  std::unique_ptr<Watch> watch(const IpAddress& peer, const IpAddress& local, bool multihop, const BfdConfig& config,
                               Callback<void(bool)> on_down) override;

  [[nodiscard]] const bfd::Monitor& monitor() const { return monitor_; }

 private:
  telemetry::Logger log_;
  bfd::Monitor monitor_;
};

}  // namespace margay::bgp
