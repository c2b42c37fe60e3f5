// TLS for a whole network: connecting and listening through a network that has none.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "base/loop/loop.h"
#include "base/loop/read_buffer.h"
#include "base/loop/stream.h"
#include "base/loop/tls_engine.h"

namespace margay::loop {

class TlsLayer {
 public:
  // `plain` is the network beneath; only called without TLS settings.
  TlsLayer(Loop& loop, Network& plain) : loop_(loop), plain_(plain), buffer_(std::make_shared<ReadBuffer>()) {}

  std::unique_ptr<Handle> connect(const Endpoint& endpoint, const TlsClientConfig& config, Duration timeout,
                                  Network::Connected done);
  Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, const TlsServerConfig& config,
                                           Network::Accepted on_accepted);

 private:
  Result<TlsContextPtr> context_for(const TlsClientConfig& config);

  Loop& loop_;
  Network& plain_;
  std::shared_ptr<ReadBuffer> buffer_;
  // The contexts used last: reading the system's trust store takes tens of milliseconds.
  std::deque<std::pair<TlsClientConfig, TlsContextPtr>> contexts_;
};

}  // namespace margay::loop
