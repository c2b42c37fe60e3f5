// Outbound: which group each peer is in, and what waits for it.
//
//   join() ─▶ in a group, not yet a member ─(nothing pending)▶ dump, End-of-RIB ─▶ member ─▶ changes
//   rekey() ─▶ member of the old group until the new one is worked out ─▶ the difference ─▶ member of the new one
//
// While everybody in the group has a full queue, changes coalesce and nobody is told of them. Who alone has a full
// queue lags (laggard.h). What waits for a peer is at most a full queue and what one turn, one catching up or one view
// of the table can make: refreshes and moves wait for room.
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
  // A queue of more than `queue_bytes` is full.
  Outbound(RibParts parts, std::size_t queue_bytes) : parts_(parts), queue_bytes_(queue_bytes) {}
  void set_queue_bytes(std::size_t queue_bytes) { queue_bytes_ = queue_bytes; }

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

  // Peers that got something to send, or for whom run() could do something now, since the last call; ordered.
  std::vector<PeerId> take_with_output();

  [[nodiscard]] std::size_t group_count() const { return groups_.size(); }
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct PeerOut {
    bool is_up = false;
    bool is_member = false;  // has been told all of its group's Adj-RIB-Out
    bool enhanced_refresh = false;
    bool is_announced = false;  // the owner knows that something waits
    bool is_lagging = false;    // a member that hears nothing for now
    PerFamily<bool> wants_refresh;
    PerFamily<bool> owes_end_of_rib;
    UpdateGroup* group = nullptr;
    UpdateGroup* next_group = nullptr;  // is to move there
    PeerQueue queue;
  };

  UpdateGroup* group_for(const ExportKey& key);
  void collect_groups();
  [[nodiscard]] bool is_full(const PeerOut& out) const { return out.queue.size_bytes() > queue_bytes_; }
  // What is a table or so in size comes when what was before has been read.
  [[nodiscard]] bool has_room(const PeerOut& out) const { return !is_full(out) && !out.is_lagging; }
  [[nodiscard]] bool takes_refresh(const PeerOut& out, Family family) const {
    return out.wants_refresh[family] && has_room(out);
  }
  [[nodiscard]] bool can_move(const PeerOut& out) const { return out.next_group != nullptr && has_room(out); }
  [[nodiscard]] bool is_blocked(const UpdateGroup& group) const;
  [[nodiscard]] bool is_awaited(const UpdateGroup& group) const;
  void flush(UpdateGroup& group, std::size_t steps);
  void catch_up(PeerId peer);
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
  std::size_t queue_bytes_;
  std::vector<PeerOut> peers_;
  std::vector<std::unique_ptr<UpdateGroup>> groups_;
  std::vector<PeerId> with_output_;
  bool is_end_of_rib_deferred_ = false;
  UpdateGroup::Deliver deliver_ = [this](std::span<const PeerId> peers, const Audience& audience, const Packet& packet,
                                         std::size_t updates) { push_to(peers, audience, packet, updates); };
};

}  // namespace margay::bgp::rib
