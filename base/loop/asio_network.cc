#include "base/loop/asio_network.h"

#include <utility>

#include "base/loop/connector.h"
#include "base/loop/read_buffer.h"
#include "base/loop/socket_listener.h"

namespace margay::loop {

AsioNetwork::AsioNetwork(AsioLoop& loop) : loop_(loop), buffer_(std::make_shared<ReadBuffer>()) {}
AsioNetwork::~AsioNetwork() = default;

std::unique_ptr<Handle> AsioNetwork::connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                             Connected done) {
  MARGAY_CHECK(tls == nullptr);
  return connect_socket(loop_, buffer_, endpoint, timeout, std::move(done));
}

Result<std::unique_ptr<Listener>> AsioNetwork::listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                                      Accepted on_accepted) {
  MARGAY_CHECK(tls == nullptr);
  return listen_socket(loop_, buffer_, endpoint, std::move(on_accepted));
}

}  // namespace margay::loop
