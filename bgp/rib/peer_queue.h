// PeerQueue: packets that wait for one peer, in order.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "bgp/rib/rib.h"

namespace margay::bgp::rib {

class PeerQueue {
 public:
  void push(Packet packet, std::size_t updates) {
    bytes_ += packet->size();
    bytes_sent_ += packet->size();
    updates_sent_ += updates;
    packets_.push_back(std::move(packet));
  }
  std::vector<Packet> take(std::size_t bytes_max) {
    std::vector<Packet> taken;
    for (std::size_t size = 0; !packets_.empty(); packets_.pop_front()) {
      size += packets_.front()->size();
      if (!taken.empty() && size > bytes_max) break;
      bytes_ -= packets_.front()->size();
      taken.push_back(std::move(packets_.front()));
    }
    if (packets_.empty()) std::deque<Packet>().swap(packets_);
    return taken;
  }

  [[nodiscard]] bool empty() const { return packets_.empty(); }
  [[nodiscard]] std::size_t size_bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t updates_sent() const { return updates_sent_; }
  [[nodiscard]] std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  std::deque<Packet> packets_;
  std::size_t bytes_ = 0;
  std::uint64_t updates_sent_ = 0, bytes_sent_ = 0;
};

}  // namespace margay::bgp::rib
