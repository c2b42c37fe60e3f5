// Looks up a host's addresses without blocking the loop: getaddrinfo on a thread of its own for each lookup, so that
// one name server that does not answer delays nobody else. An address is answered without a thread.
#pragma once

#include <memory>
#include <vector>

#include "base/core/result.h"
#include "base/core/task.h"
#include "base/loop/loop.h"
#include "base/loop/socket_address.h"
#include "base/loop/stream.h"

namespace margay::loop {

using Resolved = Callback<void(Result<std::vector<SocketAddress>>)>;

// `done` runs once on the loop, never from inside resolve(); destroying the handle gives up.
std::unique_ptr<Handle> resolve(Loop& loop, const Endpoint& endpoint, Resolved done);

}  // namespace margay::loop
