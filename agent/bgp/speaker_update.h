// SpeakerUpdate: what the speaker of this node is told, as changes, on its way from the control loop to the BGP loop
// (loop::Channel merges what has not been taken yet). A value; moved, not copied.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/ip/prefix.h"
#include "bgp/rib/route.h"
#include "bgp/speaker/config.h"

namespace margay::agent {

// Whether our routes may be told to others: only what the dataplane can carry is.
struct CarrierGate {
  bool is_open = false;
  // The kernel had routes of an earlier life when the dataplane came up (RFC 4724 §4.1). Counts when the gate opens for
  // the first time.
  bool is_restarting = false;
  friend bool operator==(const CarrierGate&, const CarrierGate&) = default;
};

struct SpeakerUpdate {
  // All of the configuration but peers and local routes.
  std::optional<bgp::SpeakerConfig> settings;
  // Peers that came or changed; nullopt: that go.
  std::map<bgp::PeerKey, std::optional<bgp::PeerSettings>> peers;
  // All of them, by prefix.
  std::optional<std::vector<bgp::rib::LocalRoute>> local_routes;
  // All ranges whose learnt routes stay out of the kernel: service addresses, which kube-proxy answers here.
  std::optional<std::vector<IpPrefix>> not_for_kernel;
  std::optional<CarrierGate> gate;
  bool tell_again = false;  // all best routes once more

  void merge(SpeakerUpdate&& later);
  [[nodiscard]] bool empty() const;
  // Does settings, peers and local routes to a whole configuration.
  void apply_to(bgp::SpeakerConfig& config) const;
};

}  // namespace margay::agent
