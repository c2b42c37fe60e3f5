// A Stream over a connected socket, TCP or unix.
//
// Writes leave at the end of the loop's turn, so that many small ones are one system call. A write that fails does not
// hide what the peer sent before: reading goes on to its end, which then reports the failure.
#pragma once

#include <memory>
#include <string>

#include "base/core/result.h"
#include "base/loop/asio_loop.h"
#include "base/loop/read_buffer.h"
#include "base/loop/stream.h"
#include "base/loop/unique_fd.h"

namespace margay::loop {

Result<std::unique_ptr<Stream>> make_socket_stream(AsioLoop& loop, UniqueFd fd, std::string peer_name,
                                                   std::shared_ptr<ReadBuffer> buffer);

}  // namespace margay::loop
