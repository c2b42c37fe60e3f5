// A Connection over a TCP socket.
//
// What is written leaves at the end of the loop's turn, in as few system calls as possible. Reading goes on until
// nothing waits or a budget is used up, so that one busy peer does not keep the others waiting.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/core/result.h"
#include "base/loop/fd_watch.h"
#include "base/loop/loop.h"
#include "base/loop/unique_fd.h"
#include "bgp/session/transport.h"

namespace margay::bgp::session {

// What the connections of one transport share. Connections that say goodbye live in `leaving` until they are gone.
struct SocketShared {
  loop::Loop& loop;
  loop::FdWatcher& watcher;
  // Not filled with zeros: memory that is never read into is never there.
  static constexpr std::size_t kReadSize = std::size_t{64} * 1024;
  std::unique_ptr<std::uint8_t[]> read_buffer{new std::uint8_t[kReadSize]};
  std::vector<std::shared_ptr<void>> leaving{};
};

Result<std::unique_ptr<Connection>> make_socket_connection(const std::shared_ptr<SocketShared>& shared,
                                                           loop::UniqueFd fd);

}  // namespace margay::bgp::session
