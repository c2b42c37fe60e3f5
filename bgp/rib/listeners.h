// Listeners: the peers that are told something together, and who of them must not hear a route: the peer it came from,
// and the one whose ORIGINATOR_ID it carries (RFC 4456 §8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bgp/rib/packer.h"
#include "bgp/rib/tables.h"

namespace margay::bgp::rib {

// What a group of peers was told of a path; attributes kNoId: nothing. A reference each.
struct Told {
  AttributeId attributes = kNoId;
  NextHopId next_hop = kNoId;
  PeerId source = kNoPeer;
  bool has_originator = false;  // ORIGINATOR_ID is among the attributes
  [[nodiscard]] bool exists() const { return attributes != kNoId; }
  friend bool operator==(const Told&, const Told&) = default;
};

class Listeners {
 public:
  explicit Listeners(const Tables& tables) : tables_(tables) {}

  void add(PeerId peer);
  void remove(PeerId peer);
  [[nodiscard]] bool has(PeerId peer) const { return peer < is_in_.size() && is_in_[peer]; }
  [[nodiscard]] const std::vector<PeerId>& peers() const { return peers_; }
  [[nodiscard]] bool empty() const { return peers_.empty(); }

  // Collects what they must hear so that they know `now` where they knew `before`.
  void tell(Packer& packer, const Told& before, const Told& now, Packer::Destination destination) const;

 private:
  struct Excluded {
    PeerId source = kNoPeer;
    PeerId originator = kNoPeer;
    [[nodiscard]] bool has(PeerId peer) const { return peer == source || peer == originator; }
  };
  [[nodiscard]] Excluded excluded(const Told& told) const;
  [[nodiscard]] PeerId with_router_id(std::uint32_t router_id) const;
  void tell_all(Packer& packer, const Excluded& but, const Told& told, Packer::Destination destination) const;

  const Tables& tables_;
  std::vector<PeerId> peers_;                                   // ordered
  std::vector<bool> is_in_;                                     // by PeerId
  std::vector<std::pair<std::uint32_t, PeerId>> by_router_id_;  // ordered
};

// Whether `peer` alone hears it, by the same rule.
bool hears(const Tables& tables, PeerId peer, const Told& told);

}  // namespace margay::bgp::rib
