// A Rib whose peers come, go and do not read: what the tests of sessions and of limits share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bgp/rib/rib.h"
#include "bgp/rib/rib_fixture.h"

namespace margay::bgp::rib {

inline constexpr std::size_t kQueueBytes = RibConfig().queue_bytes;
inline constexpr PeerSpec kExternal2{.id = 2, .kind = Kind::kExternal};

inline IpPrefix numbered(std::uint32_t number) {
  return IpPrefix::containing(IpAddress::v4(0x64400000U + number * 256), 24);
}

struct SessionWorld {
  void add(const PeerSpec& spec) {
    world.add(spec);
    world.up(spec.id);
  }
  // `sets` attribute sets, `each` prefixes of each, in turns.
  void announce_many(PeerId peer, std::uint32_t sets, std::uint32_t each) {
    for (std::uint32_t i = 0; i < each; ++i) {
      for (std::uint32_t set = 0; set < sets; ++set) {
        const std::string attributes = attributes_of({.path = {65000U + peer, 100 + set}});
        world.rib().receive(peer, announcement({{numbered(i * sets + set)}}, attributes, address_of("198.51.100.1")));
      }
    }
  }
  void announce(PeerId peer, std::uint32_t number, std::vector<std::uint32_t> communities = {}) {
    const std::string attributes = attributes_of({.path = {65000U + peer}, .communities = std::move(communities)});
    world.rib().receive(peer, announcement({{numbered(number)}}, attributes, address_of("198.51.100.1")));
  }
  // 8000 prefixes of one set, another each round.
  void announce_big(PeerId peer, std::uint32_t round) {
    std::vector<Nlri> nlri;
    for (std::uint32_t i = 0; i < 8000; ++i) nlri.push_back({numbered(i)});
    const std::uint32_t first = peer == 0 ? 65000 : 1000 + round;
    const std::string attributes = attributes_of({.path = {first, 1000 + round}, .local_pref = 100});
    world.rib().receive(peer, announcement(nlri, attributes, address_of("198.51.100.1")));
  }
  std::size_t known(PeerId peer) { return world.table(peer).routes.size(); }

  World world;
};

}  // namespace margay::bgp::rib
