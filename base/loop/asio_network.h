// AsioNetwork: real sockets on an AsioLoop. Streams and listeners may outlive it, but not the loop.
#pragma once

#include <memory>

#include "base/loop/asio_loop.h"
#include "base/loop/stream.h"

namespace margay::loop {

class ReadBuffer;
class TlsLayer;

class AsioNetwork final : public Network {
 public:
  explicit AsioNetwork(AsioLoop& loop);
  ~AsioNetwork() override;

  std::unique_ptr<Handle> connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                  Connected done) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                           Accepted on_accepted) override;

 private:
  AsioLoop& loop_;
  std::shared_ptr<ReadBuffer> buffer_;
  std::unique_ptr<TlsLayer> tls_;
};

}  // namespace margay::loop
