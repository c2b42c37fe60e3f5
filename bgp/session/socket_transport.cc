#include "bgp/session/socket_transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "base/core/text.h"
#include "bgp/session/socket_calls.h"
#include "bgp/session/socket_connection.h"
#include "bgp/session/socket_listener.h"

namespace margay::bgp::session {
namespace {

constexpr Duration kAddressesFresh = std::chrono::seconds(1);
constexpr int kBindAddressNoPort = 24;  // IP_BIND_ADDRESS_NO_PORT of linux/in.h

using Connected = Callback<void(Result<std::unique_ptr<Connection>>)>;
using Accepted = std::function<void(std::unique_ptr<Connection>)>;

class SocketAttempt final : public Handle, public std::enable_shared_from_this<SocketAttempt> {
 public:
  SocketAttempt(std::shared_ptr<SocketShared> shared, ConnectRequest request, Connected done)
      : shared_(std::move(shared)), request_(std::move(request)), done_(std::move(done)) {}

  void begin() {
    const Status status = try_begin();
    if (status.ok()) return;
    shared_->loop.post([self = shared_from_this(), error = status.error()] { self->finish(error); });
  }

  void cancel() {
    is_done_ = true;
    timer_.reset();
    watch_.reset();
    fd_.reset();
  }

 private:
  Status try_begin() {
    const IpFamily family = request_.remote.address.family();
    MARGAY_ASSIGN_OR_RETURN(fd_, open_tcp(family));
    set_connection_options(fd_.get(), family);
    MARGAY_RETURN_IF_ERROR(set_ttl(fd_.get(), family, request_.options));
    if (!request_.options.password.empty()) {
      const auto host = IpPrefix::host(request_.remote.address);
      MARGAY_RETURN_IF_ERROR(set_md5_key(fd_.get(), host, request_.options.password));
    }
    MARGAY_RETURN_IF_ERROR(bind_source());
    const RawAddress raw = to_raw(request_.remote);
    if (::connect(fd_.get(), raw.data(), raw.size) != 0 && errno != EINPROGRESS) {
      return socket_error(errno, what());
    }
    MARGAY_ASSIGN_OR_RETURN(watch_, shared_->watcher.watch(
                                        fd_.get(), [] {}, [this] { on_writable(); }));
    watch_->want_writable();
    timer_ = shared_->loop.make_timer([this] { finish(Error{ErrorCode::kTimeout, concat(what(), ": no answer")}); });
    timer_->arm(request_.timeout);
    return ok_status();
  }

  Status bind_source() {
    if (!request_.source) return ok_status();
    const int on = 1;
    (void)::setsockopt(fd_.get(), IPPROTO_IP, kBindAddressNoPort, &on, sizeof on);
    const RawAddress raw = to_raw({*request_.source, 0});
    if (::bind(fd_.get(), raw.data(), raw.size) == 0) return ok_status();
    return socket_error(errno, concat("bind to ", request_.source->to_string()));
  }

  void on_writable() {
    int error_number = 0;
    socklen_t size = sizeof error_number;
    (void)::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error_number, &size);
    if (error_number != 0) return finish(socket_error(error_number, what()));
    watch_.reset();
    finish(make_socket_connection(shared_, std::move(fd_)));
  }

  void finish(Result<std::unique_ptr<Connection>> result) {
    if (is_done_) return;
    const auto self = shared_from_this();
    cancel();
    auto done = std::move(done_);
    done(std::move(result));
  }

  [[nodiscard]] std::string what() const { return concat("connect to ", request_.remote.to_string()); }

  std::shared_ptr<SocketShared> shared_;
  ConnectRequest request_;
  Connected done_;
  loop::UniqueFd fd_;
  std::unique_ptr<loop::FdWatch> watch_;
  std::unique_ptr<loop::Timer> timer_;
  bool is_done_ = false;
};

class AttemptHandle final : public Handle {
 public:
  explicit AttemptHandle(std::shared_ptr<SocketAttempt> attempt) : attempt_(std::move(attempt)) {}
  ~AttemptHandle() override { attempt_->cancel(); }

 private:
  std::shared_ptr<SocketAttempt> attempt_;
};

}  // namespace

class SocketTransport::Impl {
 public:
  Impl(loop::Loop& loop, loop::FdWatcher& watcher, telemetry::Logger log, LinkAddresses addresses)
      : shared_(std::make_shared<SocketShared>(loop, watcher)),
        log_(std::move(log)),
        addresses_(std::move(addresses)) {}
  ~Impl() {
    // Those that say goodbye go too; their states hold what is shared.
    shared_->leaving.clear();
  }

  std::unique_ptr<Handle> connect(const ConnectRequest& request, Connected done) {
    auto attempt = std::make_shared<SocketAttempt>(shared_, request, std::move(done));
    attempt->begin();
    return std::make_unique<AttemptHandle>(std::move(attempt));
  }

  // What can be listened on is, also when another address fails.
  Status listen(std::vector<IpAddress> addresses, std::uint16_t port, Accepted on_accepted) {
    const bool is_any = addresses.empty();
    if (is_any) addresses = {IpAddress::v4(0), IpAddress::v6(0, 0)};
    on_accepted_ = std::move(on_accepted);
    Listeners fresh;
    Status status = ok_status();
    for (const IpAddress& address : addresses) {
      auto listener = take_or_open({address, port});
      if (listener) {
        fresh.push_back(std::move(listener).value());
      } else if (!is_any || address.is_v4() || listener.error().code == ErrorCode::kAlreadyExists) {
        // A machine without IPv6 is fine as long as nobody asks for it; one whose port is taken is not.
        status = listener.error();
      }
    }
    listeners_ = std::move(fresh);
    return status;
  }

  void stop_listening() { listeners_.clear(); }
  [[nodiscard]] std::size_t leaving_count() const { return shared_->leaving.size(); }

  void set_peer_options(std::map<IpPrefix, PeerSocketOptions> peers) {
    options_ = std::move(peers);
    keys_ = listener_keys(options_);
    for (const auto& listener : listeners_) listener->set_keys(keys_of(listener->address().address.family()));
  }

  [[nodiscard]] std::map<IpPrefix, Error> refused_peer_options() const {
    std::map<IpPrefix, Error> refused;
    for (const auto& listener : listeners_)
      refused.insert(listener->refused_keys().begin(), listener->refused_keys().end());
    return refused;
  }

  [[nodiscard]] LinkFacts link_facts(const IpAddress& local, const IpAddress& remote) {
    const TimePoint now = shared_->loop.now();
    if (!known_at_ || now - *known_at_ > kAddressesFresh) {
      known_ = addresses_();
      known_at_ = now;
    }
    return link_facts_of(known_, local, remote);
  }

  [[nodiscard]] std::vector<SocketAddress> listening() const {
    std::vector<SocketAddress> result;
    for (const auto& listener : listeners_) result.push_back(listener->address());
    return result;
  }

 private:
  using Listeners = std::vector<std::unique_ptr<SocketListener>>;

  Result<std::unique_ptr<SocketListener>> take_or_open(const SocketAddress& address) {
    // An open one of that address and port goes on as it is.
    const auto old = std::find_if(listeners_.begin(), listeners_.end(),
                                  [&](const auto& listener) { return listener->address() == address; });
    if (old != listeners_.end()) {
      auto taken = std::move(*old);
      listeners_.erase(old);
      return taken;
    }
    return SocketListener::open(
        {shared_->loop, shared_->watcher, log_, [this](loop::UniqueFd fd) { take_in(std::move(fd)); }}, address,
        keys_of(address.address.family()));
  }

  [[nodiscard]] SocketListener::Keys keys_of(IpFamily family) const {
    SocketListener::Keys keys;
    for (const auto& [prefix, key] : keys_) {
      if (prefix.family() == family) keys.emplace(prefix, key);
    }
    return keys;
  }

  void take_in(loop::UniqueFd fd) {
    auto connection = prepare(std::move(fd));
    if (connection == nullptr) return;
    const Accepted on_accepted = on_accepted_;  // may be replaced by what it does
    if (on_accepted) on_accepted(std::move(connection));
  }

  // nullptr: closed at once.
  std::unique_ptr<Connection> prepare(loop::UniqueFd fd) {
    const IpAddress remote = remote_of(fd.get()).address;
    const auto options = options_for(remote);
    // Without its key the listener lets everybody in who signs nothing.
    if (options != options_.end() && refused_peer_options().contains(options->first)) return nullptr;
    set_connection_options(fd.get(), remote.family());
    const PeerSocketOptions chosen = options == options_.end() ? PeerSocketOptions() : options->second;
    if (!set_ttl(fd.get(), remote.family(), chosen).ok()) return nullptr;
    auto connection = make_socket_connection(shared_, std::move(fd));
    return connection ? std::move(connection).value() : nullptr;
  }

  [[nodiscard]] std::map<IpPrefix, PeerSocketOptions>::const_iterator options_for(const IpAddress& remote) const {
    for (int length = address_bits(remote.family()); length >= 0; --length) {
      const auto found = options_.find(IpPrefix::containing(remote, length));
      if (found != options_.end()) return found;
    }
    return options_.end();
  }

  std::shared_ptr<SocketShared> shared_;
  telemetry::Logger log_;
  LinkAddresses addresses_;
  Accepted on_accepted_;
  std::map<IpPrefix, PeerSocketOptions> options_;
  SocketListener::Keys keys_;
  Listeners listeners_;
  std::vector<LinkAddress> known_;
  std::optional<TimePoint> known_at_;
};

SocketTransport::SocketTransport(loop::Loop& loop, loop::FdWatcher& watcher, telemetry::Logger log,
                                 LinkAddresses addresses)
    : impl_(std::make_unique<Impl>(loop, watcher, std::move(log), std::move(addresses))) {}
SocketTransport::~SocketTransport() = default;

std::unique_ptr<Handle> SocketTransport::connect(const ConnectRequest& request, Connected done) {
  return impl_->connect(request, std::move(done));
}
Status SocketTransport::listen(std::vector<IpAddress> addresses, std::uint16_t port, Accepted on_accepted) {
  return impl_->listen(std::move(addresses), port, std::move(on_accepted));
}
void SocketTransport::stop_listening() { impl_->stop_listening(); }
std::size_t SocketTransport::leaving_count() const { return impl_->leaving_count(); }
void SocketTransport::set_peer_options(std::map<IpPrefix, PeerSocketOptions> peers) {
  impl_->set_peer_options(std::move(peers));
}
std::map<IpPrefix, Error> SocketTransport::refused_peer_options() const { return impl_->refused_peer_options(); }
Transport::LinkFacts SocketTransport::link_facts(const IpAddress& local, const IpAddress& remote) const {
  return impl_->link_facts(local, remote);
}
std::vector<SocketAddress> SocketTransport::listening() const { return impl_->listening(); }

}  // namespace margay::bgp::session
