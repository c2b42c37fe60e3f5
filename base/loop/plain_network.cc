#include "base/loop/plain_network.h"

#include <utility>

#include "base/loop/connector.h"
#include "base/loop/read_buffer.h"
#include "base/loop/socket_listener.h"

namespace margay::loop {
namespace {

Error no_tls() { return Error{ErrorCode::kUnsupported, "this program does not speak TLS"}; }

class Refusal final : public Handle {
 public:
  Refusal(Loop& loop, Network::Connected done)
      : done_(std::make_shared<Network::Connected>(std::move(done))),
        timer_(loop.make_timer([done = done_] { (*done)(no_tls()); })) {
    timer_->arm({});
  }

 private:
  std::shared_ptr<Network::Connected> done_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace

PlainNetwork::PlainNetwork(AsioLoop& loop) : loop_(loop), buffer_(std::make_shared<ReadBuffer>()) {}
PlainNetwork::~PlainNetwork() = default;

std::unique_ptr<Handle> PlainNetwork::connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                              Connected done) {
  if (tls != nullptr) return std::make_unique<Refusal>(loop_, std::move(done));
  return connect_socket(loop_, buffer_, endpoint, timeout, std::move(done));
}

Result<std::unique_ptr<Listener>> PlainNetwork::listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                                       Accepted on_accepted) {
  if (tls != nullptr) return no_tls();
  return listen_socket(loop_, buffer_, endpoint, std::move(on_accepted));
}

}  // namespace margay::loop
