#include "bgp/liveness/bfd_liveness.h"

#include <algorithm>
#include <string>
#include <utility>

namespace margay::bgp {
namespace {

// One process does both: when it restarts, BFD goes down with BGP, and the C bit stays clear (RFC 5882 §4.3).
bfd::SessionConfig to_session(const BfdConfig& config) {
  return {.transmit_min = config.transmit_min,
          .receive_min = config.receive_min,
          .multiplier = static_cast<std::uint8_t>(std::clamp(config.multiplier, 1, 255)),
          .control_plane_independent = false};
}

class BfdWatch final : public LivenessMonitor::Watch {
 public:
  explicit BfdWatch(std::unique_ptr<bfd::Monitor::Watch> watch) : watch_(std::move(watch)) {}
  [[nodiscard]] std::string state() const override { return std::string(to_string(watch_->state())); }
  bool change(const std::optional<BfdConfig>& config) override {
    if (config) watch_->set_config(to_session(*config));
    watch_->set_admin_down(!config);
    return true;
  }

 private:
  std::unique_ptr<bfd::Monitor::Watch> watch_;
};

}  // namespace

BfdLiveness::BfdLiveness(bfd::MonitorParts parts) : log_(parts.log), monitor_(std::move(parts)) {}

std::unique_ptr<LivenessMonitor::Watch> BfdLiveness::watch(const IpAddress& peer, const IpAddress& local, bool multihop,
                                                           const BfdConfig& config, Callback<void(bool)> on_down) {
  const bfd::Target target{.peer = peer, .local = local, .is_multihop = multihop, .port = std::nullopt};
  auto watch = monitor_.watch(target, to_session(config), std::move(on_down));
  if (!watch.ok()) {
    log_.warn("peer without BFD", {{"peer", peer.to_string()}, {"error", watch.error().message}});
    return nullptr;
  }
  return std::make_unique<BfdWatch>(std::move(watch).value());
}

}  // namespace margay::bgp
