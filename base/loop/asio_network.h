// AsioNetwork: real sockets on an AsioLoop, with TLS where it is asked for. Streams and listeners may outlive it, but
// not the loop.
#pragma once

#include <memory>

#include "base/loop/plain_network.h"

namespace margay::loop {

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
  PlainNetwork plain_;
  std::unique_ptr<TlsLayer> tls_;
};

}  // namespace margay::loop
