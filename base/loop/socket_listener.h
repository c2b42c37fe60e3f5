// Listens on a TCP address or a unix socket. When descriptors run out it waits and tries again; the connections wait in
// the kernel's backlog meanwhile.
#pragma once

#include <memory>

#include "base/core/result.h"
#include "base/loop/asio_loop.h"
#include "base/loop/read_buffer.h"
#include "base/loop/stream.h"

namespace margay::loop {

Result<std::unique_ptr<Listener>> listen_socket(AsioLoop& loop, std::shared_ptr<ReadBuffer> buffer,
                                                const Endpoint& endpoint, Network::Accepted on_accepted);

}  // namespace margay::loop
