#include "base/http/server.h"

#include <map>
#include <utility>
#include <vector>

#include "base/http/responder.h"
#include "base/http/server_connection.h"

namespace margay::http {
namespace {

// The server proper. It may be ended from inside one of its own callbacks: then it stays until the loop's next turn.
class ServerCore final : public ServerConnection::Owner {
 public:
  ServerCore(loop::Loop& loop, loop::Network& network, ServerLimits limits, Handler handler)
      : loop_(loop), network_(network), limits_(limits), handler_(std::move(handler)) {}

  Result<loop::Endpoint> listen(const loop::Endpoint& endpoint, const loop::TlsServerConfig* tls) {
    const bool is_unix_socket = endpoint.kind == loop::Endpoint::Kind::kUnix;
    auto listener = network_.listen(endpoint, tls, [this, is_unix_socket](std::unique_ptr<loop::Stream> stream) {
      on_accepted(std::move(stream), is_unix_socket);
    });
    if (!listener) return listener.error();
    listeners_.push_back(std::move(listener).value());
    return listeners_.back()->local();
  }

  void stop(Duration grace, Task done) {
    is_stopping_ = true;
    on_stopped_ = std::move(done);
    listeners_.clear();
    stop_timer_ = loop_.make_timer([this] { end_of_grace(); });
    for (ServerConnection* connection : all()) connection->wind_down();
    stop_timer_->arm(connections_.empty() ? Duration::zero() : grace);
  }

  void shut_down() {
    is_shut_down_ = true;
    listeners_.clear();
    stop_timer_.reset();
    for (ServerConnection* connection : all()) connection->close_silently();
  }

  void on_request(ServerConnection& connection, Request request, const PeerInfo& peer) override {
    handler_(std::move(request), peer, std::make_unique<ResponderImpl>(loop_, connection));
  }

  void on_over(ServerConnection& connection) override {
    auto node = connections_.extract(&connection);
    if (!node.empty()) loop_.post([body = std::move(node.mapped())] {});
    if (stop_timer_ != nullptr && connections_.empty()) stop_timer_->arm(Duration::zero());
  }

  [[nodiscard]] bool is_stopping() const override { return is_stopping_; }

 private:
  void on_accepted(std::unique_ptr<loop::Stream> stream, bool is_unix_socket) {
    if (is_stopping_ || connections_.size() >= limits_.connections_max) return;
    auto owned = std::make_unique<ServerConnection>(loop_, *this, limits_, std::move(stream), is_unix_socket);
    ServerConnection& connection = *owned;
    connections_.emplace(&connection, std::move(owned));
    connection.start();
  }

  void end_of_grace() {
    for (ServerConnection* connection : all()) {
      if (connections_.contains(connection)) connection->close();
      if (is_shut_down_) return;
    }
    if (Task done = std::move(on_stopped_)) done();
  }

  [[nodiscard]] std::vector<ServerConnection*> all() const {
    std::vector<ServerConnection*> found;
    found.reserve(connections_.size());
    for (const auto& [connection, owned] : connections_) found.push_back(connection);
    return found;
  }

  loop::Loop& loop_;
  loop::Network& network_;
  const ServerLimits limits_;
  Handler handler_;
  std::vector<std::unique_ptr<loop::Listener>> listeners_;
  std::map<ServerConnection*, std::unique_ptr<ServerConnection>> connections_;
  std::unique_ptr<loop::Timer> stop_timer_;
  Task on_stopped_;
  bool is_stopping_ = false;
  bool is_shut_down_ = false;
};

class ServerImpl final : public Server {
 public:
  ServerImpl(loop::Loop& loop, loop::Network& network, ServerLimits limits, Handler handler)
      : loop_(loop), core_(std::make_unique<ServerCore>(loop, network, limits, std::move(handler))) {}
  ~ServerImpl() override {
    core_->shut_down();
    loop_.post([core = std::move(core_)] {});
  }
  Result<loop::Endpoint> listen(const loop::Endpoint& endpoint, const loop::TlsServerConfig* tls) override {
    return core_->listen(endpoint, tls);
  }
  void stop(Duration grace, Task done) override { core_->stop(grace, std::move(done)); }

 private:
  loop::Loop& loop_;
  std::unique_ptr<ServerCore> core_;
};

}  // namespace

std::unique_ptr<Server> make_server(loop::Loop& loop, loop::Network& network, ServerLimits limits, Handler handler) {
  return std::make_unique<ServerImpl>(loop, network, limits, std::move(handler));
}

}  // namespace margay::http
