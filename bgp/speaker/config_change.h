// What a new configuration means for what runs: the rules in config.h, field by field. Pure.
#pragma once

#include "bgp/speaker/config.h"

namespace margay::bgp {

struct PeerChange {
  bool live = false;
  bool routes = false;   // filters and what else decides on routes
  bool session = false;  // the session must start anew
  [[nodiscard]] bool any() const { return live || routes || session; }
};

PeerChange compare(const PeerSettings& before, const PeerSettings& after);
// By content: chains made anew from the same rules are equal.
bool equal(const rib::PeerPolicy& a, const rib::PeerPolicy& b);

rib::RibConfig rib_config_of(const SpeakerConfig& config);
bool equal(const rib::RibConfig& a, const rib::RibConfig& b);

}  // namespace margay::bgp
