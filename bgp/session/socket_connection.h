// A Connection over a TCP socket.
//
// What is written leaves at the end of the loop's turn, in as few system calls as possible. Reading and sending take
// turns with all other connections, so that neither one busy peer nor hundreds keep the loop's other work waiting.
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
#include "bgp/session/turn_queue.h"

namespace margay::bgp::session {

// What the connections of one transport share. Connections that say goodbye live in `leaving` until they are gone.
struct SocketShared {
  static constexpr Duration kTurn = std::chrono::milliseconds(2);

  SocketShared(loop::Loop& loop_in, loop::FdWatcher& watcher_in)
      : loop(loop_in), watcher(watcher_in), reads(loop_in, kTurn), sends(loop_in, kTurn) {}

  loop::Loop& loop;
  loop::FdWatcher& watcher;
  // Apart, so that what waits to leave (keepalives) does not wait for everything that came to be read.
  TurnQueue reads, sends;
  // Not filled with zeros: memory that is never read into is never there.
  static constexpr std::size_t kReadSize = std::size_t{64} * 1024;
  std::unique_ptr<std::uint8_t[]> read_buffer{new std::uint8_t[kReadSize]};
  std::vector<std::shared_ptr<void>> leaving{};
};

Result<std::unique_ptr<Connection>> make_socket_connection(const std::shared_ptr<SocketShared>& shared,
                                                           loop::UniqueFd fd);

}  // namespace margay::bgp::session
