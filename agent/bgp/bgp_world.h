// A node's calculation with what a speaker has been told by it, for tests. Not part of any library.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/bgp/bgp_calculation.h"
#include "agent/bgp/bgp_objects.h"
#include "base/core/text.h"

namespace margay::agent {

// A node's calculation, and what a speaker has been told by it.
class World {
 public:
  explicit World(std::string name = "us") : calculation_({.node = std::move(name)}) {}

  template <class... Inputs>
  World& apply(const Inputs&... inputs) {
    (calculation_.apply(inputs), ...);
    flush();
    return *this;
  }
  BgpDelta flush() {
    BgpDelta delta = calculation_.flush();
    delta.speaker.apply_to(told);
    return delta;
  }

  [[nodiscard]] const BgpDesired& desired() const { return *calculation_.desired(); }
  [[nodiscard]] BgpCalculation& calculation() { return calculation_; }
  // "192.0.2.2 64512", with " passive", " client" where it is.
  [[nodiscard]] std::vector<std::string> peers() const {
    std::vector<std::string> out;
    for (const auto& [key, settings] : told.peers) {
      out.push_back(concat(bgp::to_string(key), " ", settings.remote_asn.value_or(Asn(0)).to_string(),
                           settings.passive ? " passive" : "", settings.policy.is_client ? " client" : ""));
    }
    return out;
  }
  [[nodiscard]] std::vector<std::string> routes() const {
    std::vector<std::string> out;
    for (const bgp::rib::LocalRoute& route : told.local_routes) out.push_back(route.prefix.to_string());
    return out;
  }
  // "BGPPeer/tor: spec.filters[0]"
  [[nodiscard]] std::vector<std::string> problems() const {
    std::vector<std::string> out;
    for (const auto& [object, errors] : calculation_.problems()) {
      for (const FieldError& error : errors) out.push_back(concat(object.to_string(), ": ", error.path));
    }
    return out;
  }
  [[nodiscard]] const bgp::PeerSettings& peer_at(std::string_view address, std::uint16_t port = 179) const {
    return told.peers.at({ip(address), port});
  }

  bgp::SpeakerConfig told;

 private:
  BgpCalculation calculation_;
};

}  // namespace margay::agent
