// MessageCounts: the messages of a peer, one direction.
#pragma once

#include <cstdint>

namespace margay::bgp::session {

struct MessageCounts {
  std::uint64_t opens = 0, updates = 0, notifications = 0, keepalives = 0, refreshes = 0, total = 0, bytes = 0;
  friend bool operator==(const MessageCounts&, const MessageCounts&) = default;
};

}  // namespace margay::bgp::session
