// PlainNetwork: real sockets on an AsioLoop, without TLS: for programs that talk over unix sockets alone and stay
// small, as they do not load OpenSSL. Asked for TLS it answers kUnsupported.
#pragma once

#include <memory>

#include "base/loop/asio_loop.h"
#include "base/loop/stream.h"

namespace margay::loop {

class ReadBuffer;

class PlainNetwork final : public Network {
 public:
  explicit PlainNetwork(AsioLoop& loop);
  ~PlainNetwork() override;

  std::unique_ptr<Handle> connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                  Connected done) override;
  Result<std::unique_ptr<Listener>> listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                           Accepted on_accepted) override;

 private:
  AsioLoop& loop_;
  std::shared_ptr<ReadBuffer> buffer_;
};

}  // namespace margay::loop
