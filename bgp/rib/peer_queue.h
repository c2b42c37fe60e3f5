// PeerQueue: packets that wait for one peer, in order. Too many bytes of them mean that it does not read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "bgp/rib/rib.h"

namespace margay::bgp::rib {

class PeerQueue {
 public:
  // Beyond this, what is told is no longer worth making: changes coalesce instead.
  static constexpr std::size_t kFullBytes = std::size_t{1} << 20;
  // Beyond this, and what a whole view took, it is taken for dead.
  static constexpr std::size_t kOverrunBytes = std::size_t{64} << 20;

  void push(Packet packet, std::size_t updates) {
    bytes_ += packet->size();
    bytes_sent_ += packet->size();
    updates_sent_ += updates;
    packets_.push_back(std::move(packet));
  }
  // What is pushed from now on to end_view() is no sign of a peer that does not read.
  void begin_view() { before_view_ = bytes_; }
  // What has been read of earlier views is allowed for no more.
  void end_view() { allowance_ = std::min(allowance_ + bytes_ - before_view_, bytes_); }

  std::vector<Packet> take(std::size_t bytes_max) {
    std::vector<Packet> taken;
    for (std::size_t size = 0; !packets_.empty(); packets_.pop_front()) {
      size += packets_.front()->size();
      if (!taken.empty() && size > bytes_max) break;
      bytes_ -= packets_.front()->size();
      taken.push_back(std::move(packets_.front()));
    }
    if (packets_.empty()) {
      allowance_ = 0;
      std::deque<Packet>().swap(packets_);
    }
    return taken;
  }
  // Also forgets the counts: the next session begins at nothing.
  void reset() { *this = PeerQueue(); }

  [[nodiscard]] bool empty() const { return packets_.empty(); }
  [[nodiscard]] bool is_full() const { return bytes_ > kFullBytes; }
  [[nodiscard]] bool is_overrun() const { return bytes_ > kOverrunBytes + allowance_; }
  [[nodiscard]] std::uint64_t updates_sent() const { return updates_sent_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  std::deque<Packet> packets_;
  std::size_t bytes_ = 0;
  std::size_t allowance_ = 0;
  std::size_t before_view_ = 0;
  std::uint64_t updates_sent_ = 0, bytes_sent_ = 0;
};

}  // namespace margay::bgp::rib
