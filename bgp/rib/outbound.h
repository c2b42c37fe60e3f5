// Outbound: which group each peer is in, and what waits for it.
//
//   join() ─▶ in a group, not yet a member ─(nothing pending)▶ dump, End-of-RIB ─▶ member ─▶ changes
//   rekey() ─▶ member of the old group until the new one is worked out ─▶ the difference ─▶ member of the new one
//
// Nobody is told of a change while everybody in the group has a full queue: it coalesces, and is told when take() has
// made room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bgp/rib/peer_queue.h"
#include "bgp/rib/update_group.h"

namespace margay::bgp::rib {

class Outbound {
 public:
  explicit Outbound(RibParts parts) : parts_(parts) {}

  void join(PeerId peer, const ExportKey& key, bool enhanced_refresh);
  void leave(PeerId peer);
  void rekey(PeerId peer, const ExportKey& key);
  void refresh(PeerId peer, Family family);
  void defer_end_of_rib(bool deferred);

  // The decision for this prefix may have changed.
  void mark(Family family, PrefixId prefix);
  // Works off what is pending, at most `steps` prefixes a group; `is_decided`: no prefix waits to be decided, so who
  // joins can be served. True when nothing is left that could be done now.
  bool run(std::size_t steps, bool is_decided);

  std::vector<Packet> take(PeerId peer, std::size_t bytes_max);
  [[nodiscard]] bool has_output(PeerId peer) const { return peer < peers_.size() && !peers_[peer].queue.empty(); }
  [[nodiscard]] const PeerQueue* queue(PeerId peer) const {
    return peer < peers_.size() ? &peers_[peer].queue : nullptr;
  }
  // The group whose Adj-RIB-Out the peer was told; nullptr: nothing yet.
  [[nodiscard]] UpdateGroup* told_by(PeerId peer) const;

  // Peers that got something to send, and those with too much of it, since the last call; ordered.
  std::vector<PeerId> take_with_output();
  std::vector<PeerId> take_overrun();

  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct PeerOut {
    bool is_up = false;
    bool is_member = false;  // has been told all of its group's Adj-RIB-Out
    bool enhanced_refresh = false;
    bool is_announced = false;  // the owner knows that something waits
    bool is_overrun = false;
    PerFamily<bool> wants_refresh;
    PerFamily<bool> owes_end_of_rib;
    UpdateGroup* group = nullptr;
    UpdateGroup* next_group = nullptr;  // is to move there
    PeerQueue queue;

    // Who asks again and again without reading gets the next view when there is room for it.
    [[nodiscard]] bool takes_refresh(Family family) const { return wants_refresh[family] && !queue.is_full(); }
  };

  UpdateGroup* group_for(const ExportKey& key);
  void collect_groups();
  [[nodiscard]] bool is_blocked(const UpdateGroup& group) const;
  [[nodiscard]] bool is_awaited(const UpdateGroup& group) const;
  void push(PeerId peer, const Packet& packet, std::size_t updates);
  void push_to(std::span<const PeerId> peers, const Audience& audience, const Packet& packet, std::size_t updates);
  void settle();
  void serve_joiners(UpdateGroup& group);
  void serve_refreshes(UpdateGroup& group, Family family);
  void serve_movers(UpdateGroup& from, UpdateGroup& to);
  void push_end_of_rib(PeerId peer);
  void push_refresh_mark(PeerId peer, Family family, RefreshKind kind);
  [[nodiscard]] bool is_settled() const;

  RibParts parts_;
  std::vector<PeerOut> peers_;
  std::vector<std::unique_ptr<UpdateGroup>> groups_;
  std::vector<PeerId> with_output_, overrun_;
  bool is_end_of_rib_deferred_ = false;
  UpdateGroup::Deliver deliver_ = [this](std::span<const PeerId> peers, const Audience& audience, const Packet& packet,
                                         std::size_t updates) { push_to(peers, audience, packet, updates); };
};

}  // namespace margay::bgp::rib
