// FirstPackets: pods that start while datagrams are sent to every address of their node's block: whether the first
// packet after ADD passes, and whether one passes that policy denies, at any time.
#pragma once

#include <cstddef>
#include <string>

#include "test/slice/two_nodes.h"

namespace margay::test {

struct FirstPackets {
  int open = 0;            // pods that anybody may reach
  int passed = 0;          // those whose first packet after ADD passed
  int closed = 0;          // pods that nobody may reach
  std::size_t sent = 0;    // datagrams to all addresses, all the while
  std::size_t leaked = 0;  // of them, those that arrived in a closed pod
  std::string problem;     // why it ended early
};

// `count` pods of each sort, one after the other, on node A; the sender is a pod of the same node.
FirstPackets try_first_packets(TwoNodes& nodes, int count);

}  // namespace margay::test
