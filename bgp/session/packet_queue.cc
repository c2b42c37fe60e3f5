#include "bgp/session/packet_queue.h"

#include <utility>

namespace margay::bgp::session {

void PacketQueue::push(std::vector<rib::Packet> packets) {
  for (rib::Packet& packet : packets) {
    if (packet == nullptr || packet->empty()) continue;
    size_bytes_ += packet->size();
    packets_.push_back(std::move(packet));
  }
}

std::size_t PacketQueue::gather(iovec* pieces, std::size_t count) const {
  std::size_t used = 0;
  for (const rib::Packet& packet : packets_) {
    if (used == count) break;
    const std::size_t skip = used == 0 ? offset_ : 0;
    // writev(2) takes a pointer to what it does not change.
    pieces[used++] = iovec{const_cast<char*>(packet->data()) + skip, packet->size() - skip};
  }
  return used;
}

void PacketQueue::consume(std::size_t count) {
  size_bytes_ -= count;
  offset_ += count;
  while (!packets_.empty() && offset_ >= packets_.front()->size()) {
    offset_ -= packets_.front()->size();
    packets_.pop_front();
  }
}

void PacketQueue::clear() {
  packets_.clear();
  offset_ = 0;
  size_bytes_ = 0;
}

}  // namespace margay::bgp::session
