#include "base/loop/asio_network.h"

#include <utility>

#include "base/loop/tls_layer.h"

namespace margay::loop {

AsioNetwork::AsioNetwork(AsioLoop& loop) : plain_(loop), tls_(std::make_unique<TlsLayer>(loop, plain_)) {}
AsioNetwork::~AsioNetwork() = default;

std::unique_ptr<Handle> AsioNetwork::connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                             Connected done) {
  if (tls != nullptr) return tls_->connect(endpoint, *tls, timeout, std::move(done));
  return plain_.connect(endpoint, nullptr, timeout, std::move(done));
}

Result<std::unique_ptr<Listener>> AsioNetwork::listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                                      Accepted on_accepted) {
  if (tls != nullptr) return tls_->listen(endpoint, *tls, std::move(on_accepted));
  return plain_.listen(endpoint, nullptr, std::move(on_accepted));
}

}  // namespace margay::loop
