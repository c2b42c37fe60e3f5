// BfdLiveness: BFD as the speaker's LivenessMonitor.
//
// A peer that cannot be watched (an address that is gone, the port taken by another BFD) is logged and not watched: the
// hold timer still is. Thread: the loop's.
#pragma once

#include <memory>

#include "bgp/bfd/monitor.h"
#include "bgp/speaker/speaker.h"

namespace margay::bgpd {

class BfdLiveness final : public bgp::LivenessMonitor {
 public:
  explicit BfdLiveness(bgp::bfd::MonitorParts parts);

  std::unique_ptr<Watch> watch(const IpAddress& peer, const IpAddress& local, bool multihop,
                               const bgp::BfdConfig& config, Callback<void(bool)> on_down) override;

  [[nodiscard]] const bgp::bfd::Monitor& monitor() const { return monitor_; }

 private:
  telemetry::Logger log_;
  bgp::bfd::Monitor monitor_;
};

}  // namespace margay::bgpd
