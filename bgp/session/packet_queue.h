// PacketQueue: shared packets waiting for the kernel, never copied.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <deque>
#include <vector>

#include "bgp/rib/rib.h"

namespace margay::bgp::session {

class PacketQueue {
 public:
  void push(std::vector<rib::Packet> packets);
  // Fills at most `count` pieces from the front; gives how many.
  std::size_t gather(iovec* pieces, std::size_t count) const;
  // So many bytes from the front have gone.
  void consume(std::size_t count);
  void clear();
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] bool is_empty() const { return size_bytes_ == 0; }

 private:
  std::deque<rib::Packet> packets_;
  std::size_t offset_ = 0;  // gone from the first packet
  std::size_t size_bytes_ = 0;
};

}  // namespace margay::bgp::session
