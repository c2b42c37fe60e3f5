// One attempt to connect: looks up the host, tries its addresses in turn, each with its share of what is left of the
// timeout.
#pragma once

#include <memory>

#include "base/loop/asio_loop.h"
#include "base/loop/read_buffer.h"
#include "base/loop/stream.h"

namespace margay::loop {

std::unique_ptr<Handle> connect_socket(AsioLoop& loop, std::shared_ptr<ReadBuffer> buffer, const Endpoint& endpoint,
                                       Duration timeout, Network::Connected done);

}  // namespace margay::loop
