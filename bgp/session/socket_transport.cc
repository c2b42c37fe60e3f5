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

namespace margay::bgp::session {
namespace {

constexpr int kBacklog = 4096;
constexpr Duration kAcceptPause = std::chrono::milliseconds(100);
constexpr Duration kAddressesFresh = std::chrono::seconds(1);
constexpr int kBindAddressNoPort = 24;  // IP_BIND_ADDRESS_NO_PORT of linux/in.h

using Connected = Callback<void(Result<std::unique_ptr<Connection>>)>;
using Accepted = std::function<void(std::unique_ptr<Connection>)>;

class Attempt final : public Handle, public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::shared_ptr<SocketShared> shared, ConnectRequest request, Connected done)
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
  explicit AttemptHandle(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}
  ~AttemptHandle() override { attempt_->cancel(); }

 private:
  std::shared_ptr<Attempt> attempt_;
};

struct Listener {
  SocketAddress address;
  loop::UniqueFd fd;
  std::unique_ptr<loop::FdWatch> watch;
  std::unique_ptr<loop::Timer> pause;
};

Result<std::unique_ptr<Listener>> open_listener(const SocketAddress& address) {
  const std::string what = concat("listen on ", address.to_string());
  auto fd = open_tcp(address.address.family());
  if (!fd) return fd.error().within(what);
  MARGAY_RETURN_IF_ERROR(set_listener_options(fd->get(), address.address.family()));
  const RawAddress raw = to_raw(address);
  if (::bind(fd->get(), raw.data(), raw.size) != 0) return socket_error(errno, what);
  if (::listen(fd->get(), kBacklog) != 0) return socket_error(errno, what);
  auto listener = std::make_unique<Listener>();
  listener->fd = std::move(fd).value();
  listener->address = local_of(listener->fd.get());
  return listener;
}

}  // namespace

class SocketTransport::Impl {
 public:
  Impl(loop::Loop& loop, loop::FdWatcher& watcher, LinkAddresses addresses)
      : shared_(std::make_shared<SocketShared>(SocketShared{loop, watcher})), addresses_(std::move(addresses)) {}
  ~Impl() {
    // Those that say goodbye go too; their states hold what is shared.
    shared_->leaving.clear();
  }

  std::unique_ptr<Handle> connect(const ConnectRequest& request, Connected done) {
    auto attempt = std::make_shared<Attempt>(shared_, request, std::move(done));
    attempt->begin();
    return std::make_unique<AttemptHandle>(std::move(attempt));
  }

  // What can be listened on is, also when another address fails.
  Status listen(std::vector<IpAddress> addresses, std::uint16_t port, Accepted on_accepted) {
    const bool is_any = addresses.empty();
    if (is_any) addresses = {IpAddress::v4(0), IpAddress::v6(0, 0)};
    on_accepted_ = std::move(on_accepted);
    std::vector<std::unique_ptr<Listener>> fresh;
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

  Status set_peer_options(const IpPrefix& peers, std::optional<PeerSocketOptions> options) {
    const auto old = options_.find(peers);
    const std::string before = old == options_.end() ? std::string() : old->second.password;
    const std::string after = options ? options->password : std::string();
    if (options) {
      options_[peers] = *std::move(options);
    } else {
      options_.erase(peers);
    }
    if (before == after) return ok_status();
    for (const auto& listener : listeners_) {
      if (listener->address.address.family() != peers.family()) continue;
      MARGAY_RETURN_IF_ERROR(set_md5_key(listener->fd.get(), peers, after));
    }
    return ok_status();
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
    for (const auto& listener : listeners_) result.push_back(listener->address);
    return result;
  }

 private:
  Result<std::unique_ptr<Listener>> take_or_open(const SocketAddress& address) {
    if (auto old = take_listener(address.address, address.port)) return old;
    auto listener = open_listener(address);
    if (!listener) return listener;
    MARGAY_RETURN_IF_ERROR(start(**listener));
    return listener;
  }

  // An open one of that address and port, which goes on as it is.
  std::unique_ptr<Listener> take_listener(const IpAddress& address, std::uint16_t port) {
    for (auto& listener : listeners_) {
      if (listener == nullptr || listener->address != SocketAddress{address, port}) continue;
      auto taken = std::move(listener);
      std::erase(listeners_, nullptr);
      return taken;
    }
    return nullptr;
  }

  Status start(Listener& listener) {
    for (const auto& [peers, options] : options_) {
      if (options.password.empty() || peers.family() != listener.address.address.family()) continue;
      MARGAY_RETURN_IF_ERROR(set_md5_key(listener.fd.get(), peers, options.password));
    }
    Listener* const at = &listener;
    listener.pause = shared_->loop.make_timer([at] { at->watch->want_readable(); });
    MARGAY_ASSIGN_OR_RETURN(listener.watch, shared_->watcher.watch(
                                                listener.fd.get(), [this, at] { accept_all(*at); }, [] {}));
    listener.watch->want_readable();
    return ok_status();
  }

  // All that wait: a storm of peers after a restart is one wake-up.
  void accept_all(Listener& listener) {
    std::vector<std::unique_ptr<Connection>> accepted;
    bool is_paused = false;
    for (int count = 0; count < kBacklog; ++count) {
      loop::UniqueFd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.is_open()) {
        if (errno == ECONNABORTED || errno == EINTR) continue;
        is_paused = errno != EAGAIN;
        break;
      }
      if (auto connection = prepare(std::move(fd))) accepted.push_back(std::move(connection));
    }
    // Out of descriptors or memory: later again, rather than at once and for ever.
    if (is_paused) {
      listener.pause->arm(kAcceptPause);
    } else {
      listener.watch->want_readable();
    }
    // The callback may replace the listeners.
    const Accepted on_accepted = on_accepted_;
    for (auto& connection : accepted) on_accepted(std::move(connection));
  }

  std::unique_ptr<Connection> prepare(loop::UniqueFd fd) {
    const IpAddress remote = remote_of(fd.get()).address;
    set_connection_options(fd.get(), remote.family());
    if (!set_ttl(fd.get(), remote.family(), options_for(remote)).ok()) return nullptr;
    auto connection = make_socket_connection(shared_, std::move(fd));
    return connection ? std::move(connection).value() : nullptr;
  }

  [[nodiscard]] PeerSocketOptions options_for(const IpAddress& remote) const {
    for (int length = address_bits(remote.family()); length >= 0; --length) {
      const auto found = options_.find(IpPrefix::containing(remote, length));
      if (found != options_.end()) return found->second;
    }
    return {};
  }

  std::shared_ptr<SocketShared> shared_;
  LinkAddresses addresses_;
  Accepted on_accepted_;
  std::map<IpPrefix, PeerSocketOptions> options_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<LinkAddress> known_;
  std::optional<TimePoint> known_at_;
};

SocketTransport::SocketTransport(loop::Loop& loop, loop::FdWatcher& watcher, LinkAddresses addresses)
    : impl_(std::make_unique<Impl>(loop, watcher, std::move(addresses))) {}
SocketTransport::~SocketTransport() = default;

std::unique_ptr<Handle> SocketTransport::connect(const ConnectRequest& request, Connected done) {
  return impl_->connect(request, std::move(done));
}
Status SocketTransport::listen(std::vector<IpAddress> addresses, std::uint16_t port, Accepted on_accepted) {
  return impl_->listen(std::move(addresses), port, std::move(on_accepted));
}
void SocketTransport::stop_listening() { impl_->stop_listening(); }
std::size_t SocketTransport::leaving_count() const { return impl_->leaving_count(); }
Status SocketTransport::set_peer_options(const IpPrefix& peers, std::optional<PeerSocketOptions> options) {
  return impl_->set_peer_options(peers, std::move(options));
}
Transport::LinkFacts SocketTransport::link_facts(const IpAddress& local, const IpAddress& remote) const {
  return impl_->link_facts(local, remote);
}
std::vector<SocketAddress> SocketTransport::listening() const { return impl_->listening(); }

}  // namespace margay::bgp::session
