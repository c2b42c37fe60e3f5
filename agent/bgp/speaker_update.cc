#include "agent/bgp/speaker_update.h"

#include <utility>

namespace margay::agent {

void SpeakerUpdate::merge(SpeakerUpdate&& later) {
  if (later.settings) settings = std::move(later.settings);
  for (auto& [key, peer] : later.peers) peers.insert_or_assign(key, std::move(peer));
  if (later.local_routes) local_routes = std::move(later.local_routes);
  if (later.not_for_kernel) not_for_kernel = std::move(later.not_for_kernel);
  if (later.gate) {
    // That there was an earlier life stays true.
    const bool was_restarting = gate && gate->is_restarting;
    gate = later.gate;
    gate->is_restarting |= was_restarting;
  }
  tell_again |= later.tell_again;
}

bool SpeakerUpdate::empty() const {
  return !settings && peers.empty() && !local_routes && !not_for_kernel && !gate && !tell_again;
}

void SpeakerUpdate::apply_to(bgp::SpeakerConfig& config) const {
  if (settings) {
    auto all_peers = std::move(config.peers);
    auto all_routes = std::move(config.local_routes);
    config = *settings;
    config.peers = std::move(all_peers);
    config.local_routes = std::move(all_routes);
  }
  for (const auto& [key, peer] : peers) {
    if (peer) {
      config.peers.insert_or_assign(key, *peer);
    } else {
      config.peers.erase(key);
    }
  }
  if (local_routes) config.local_routes = *local_routes;
}

}  // namespace margay::agent
