#include "base/loop/tls_layer.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/loop/tls_stream.h"

namespace margay::loop {
namespace {

constexpr std::size_t kContextsMax = 8;
constexpr Duration kServerHandshakeTimeout = std::chrono::seconds(10);
// Handshakes under way at one listener; further connections are closed at once.
constexpr std::size_t kHandshakesMax = 1024;

bool have_same_trust(const TlsClientConfig& a, const TlsClientConfig& b) {
  return a.ca_pem == b.ca_pem && a.certificate_pem == b.certificate_pem && a.key_pem == b.key_pem &&
         a.insecure_skip_verify == b.insecure_skip_verify;
}

std::string name_of_server(const TlsClientConfig& config, const Endpoint& endpoint) {
  if (!config.server_name.empty()) return config.server_name;
  return endpoint.kind == Endpoint::Kind::kUnix ? "localhost" : std::string(endpoint.host_without_zone());
}

// First the connection, then the handshake, within one timeout.
class TlsConnector final : public Handle {
 public:
  TlsConnector(Loop& loop, std::shared_ptr<ReadBuffer> buffer, Endpoint endpoint, std::string server_name,
               TlsContextPtr context)
      : loop_(loop),
        buffer_(std::move(buffer)),
        endpoint_(std::move(endpoint)),
        server_name_(std::move(server_name)),
        context_(std::move(context)) {}

  void begin(Network& plain, Duration timeout, Network::Connected done) {
    end_ = loop_.now() + timeout;
    done_ = std::move(done);
    step_ = plain.connect(endpoint_, nullptr, timeout, [this](auto stream) { on_connected(std::move(stream)); });
  }

  // For what is known to fail before anything was tried.
  void fail_soon(Error error, Network::Connected done) {
    done_ = std::move(done);
    timer_ = loop_.make_timer([this, error = std::move(error)]() mutable { finish(std::move(error)); });
    timer_->arm(Duration::zero());
  }

 private:
  void on_connected(Result<std::unique_ptr<Stream>> stream) {
    if (!stream) return finish(std::move(stream));
    auto engine = TlsEngine::for_client(std::move(context_), server_name_);
    if (!engine) return finish(engine.error().within(endpoint_.to_string()));
    step_ = shake_hands(loop_, std::move(stream).value(), std::move(engine).value(), buffer_, end_ - loop_.now(),
                        [this](auto secured) { on_secured(std::move(secured)); });
  }

  void on_secured(Result<std::unique_ptr<Stream>> stream) {
    if (!stream) return finish(stream.error().within(endpoint_.to_string()));
    finish(std::move(stream));
  }

  void finish(Result<std::unique_ptr<Stream>> outcome) {
    Network::Connected done = std::move(done_);
    done(std::move(outcome));
  }

  Loop& loop_;
  std::shared_ptr<ReadBuffer> buffer_;
  Endpoint endpoint_;
  std::string server_name_;
  TlsContextPtr context_;
  TimePoint end_{};
  Network::Connected done_;
  std::unique_ptr<Handle> step_;
  std::unique_ptr<Timer> timer_;
};

// The handshakes under way at a listener.
class TlsAcceptor : public std::enable_shared_from_this<TlsAcceptor> {
 public:
  using Renewed = std::function<std::shared_ptr<const TlsServerConfig>()>;

  TlsAcceptor(Loop& loop, std::shared_ptr<ReadBuffer> buffer, TlsContextPtr context, Renewed renewed,
              Network::Accepted on_accepted)
      : loop_(loop),
        buffer_(std::move(buffer)),
        context_(std::move(context)),
        renewed_(std::move(renewed)),
        on_accepted_(std::move(on_accepted)) {}

  void accept(std::unique_ptr<Stream> raw) {
    if (is_closed_ || handshakes_.size() >= kHandshakesMax) return;
    renew();
    auto engine = TlsEngine::for_server(context_);
    if (!engine) return;
    const std::uint64_t id = next_id_++;
    handshakes_[id] = shake_hands(loop_, std::move(raw), std::move(engine).value(), buffer_, kServerHandshakeTimeout,
                                  [this, id](auto stream) { on_secured(id, std::move(stream)); });
  }

  void close() {
    is_closed_ = true;
    handshakes_.clear();
  }

 private:
  // Connections that are there keep what they began with.
  void renew() {
    if (!renewed_) return;
    auto config = renewed_();
    if (config == nullptr || config == config_) return;
    config_ = std::move(config);
    if (auto context = make_tls_context(*config_)) context_ = std::move(context).value();
  }

  void on_secured(std::uint64_t id, Result<std::unique_ptr<Stream>> stream) {
    const auto self = shared_from_this();
    handshakes_.erase(id);
    if (stream) on_accepted_(std::move(stream).value());
  }

  Loop& loop_;
  std::shared_ptr<ReadBuffer> buffer_;
  TlsContextPtr context_;
  Renewed renewed_;
  std::shared_ptr<const TlsServerConfig> config_;  // that context_ was made from; null: the first
  Network::Accepted on_accepted_;
  std::map<std::uint64_t, std::unique_ptr<Handle>> handshakes_;
  std::uint64_t next_id_ = 0;
  bool is_closed_ = false;
};

class TlsListener final : public Listener {
 public:
  TlsListener(std::shared_ptr<TlsAcceptor> acceptor, std::unique_ptr<Listener> plain)
      : acceptor_(std::move(acceptor)), plain_(std::move(plain)) {}
  ~TlsListener() override { acceptor_->close(); }
  [[nodiscard]] Endpoint local() const override { return plain_->local(); }

 private:
  std::shared_ptr<TlsAcceptor> acceptor_;
  std::unique_ptr<Listener> plain_;
};

}  // namespace

Status check_tls(const TlsClientConfig& config) {
  const auto context = make_tls_context(config);
  return context.ok() ? ok_status() : Status(context.error());
}

Status check_tls(const TlsServerConfig& config) {
  const auto context = make_tls_context(config);
  return context.ok() ? ok_status() : Status(context.error());
}

Result<TlsContextPtr> TlsLayer::context_for(const TlsClientConfig& config) {
  for (const auto& [known, context] : contexts_) {
    if (have_same_trust(known, config)) return context;
  }
  MARGAY_ASSIGN_OR_RETURN(TlsContextPtr context, make_tls_context(config));
  if (contexts_.size() == kContextsMax) contexts_.pop_front();
  contexts_.emplace_back(config, context);
  return context;
}

std::unique_ptr<Handle> TlsLayer::connect(const Endpoint& endpoint, const TlsClientConfig& config, Duration timeout,
                                          Network::Connected done) {
  auto context = context_for(config);
  auto connector = std::make_unique<TlsConnector>(loop_, buffer_, endpoint, name_of_server(config, endpoint),
                                                  context ? *context : nullptr);
  if (context) {
    connector->begin(plain_, timeout, std::move(done));
  } else {
    connector->fail_soon(context.error().within(endpoint.to_string()), std::move(done));
  }
  return connector;
}

Result<std::unique_ptr<Listener>> TlsLayer::listen(const Endpoint& endpoint, const TlsServerConfig& config,
                                                   Network::Accepted on_accepted) {
  MARGAY_ASSIGN_OR_RETURN(TlsContextPtr context, make_tls_context(config));
  auto acceptor =
      std::make_shared<TlsAcceptor>(loop_, buffer_, std::move(context), config.renewed, std::move(on_accepted));
  auto plain = plain_.listen(endpoint, nullptr, [acceptor](auto raw) { acceptor->accept(std::move(raw)); });
  if (!plain) return plain.error();
  return std::unique_ptr<Listener>(std::make_unique<TlsListener>(std::move(acceptor), std::move(plain).value()));
}

}  // namespace margay::loop
