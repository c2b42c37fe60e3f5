#include "base/loop/asio_network.h"

#include <utility>

#include "base/loop/connector.h"
#include "base/loop/read_buffer.h"
#include "base/loop/socket_listener.h"
#include "base/loop/tls_layer.h"

namespace margay::loop {

AsioNetwork::AsioNetwork(AsioLoop& loop)
    : loop_(loop), buffer_(std::make_shared<ReadBuffer>()), tls_(std::make_unique<TlsLayer>(loop, *this)) {}
AsioNetwork::~AsioNetwork() = default;

std::unique_ptr<Handle> AsioNetwork::connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                             Connected done) {
  if (tls != nullptr) return tls_->connect(endpoint, *tls, timeout, std::move(done));
  return connect_socket(loop_, buffer_, endpoint, timeout, std::move(done));
}

Result<std::unique_ptr<Listener>> AsioNetwork::listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                                      Accepted on_accepted) {
  if (tls != nullptr) return tls_->listen(endpoint, *tls, std::move(on_accepted));
  return listen_socket(loop_, buffer_, endpoint, std::move(on_accepted));
}

}  // namespace margay::loop
