#include "base/loop/socket_listener.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/core/text.h"
#include "base/loop/socket_address.h"
#include "base/loop/socket_stream.h"

namespace margay::loop {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr Duration kPauseWithoutResources = std::chrono::milliseconds(100);
constexpr mode_t kSocketMode = 0600;

class ListenState : public std::enable_shared_from_this<ListenState> {
 public:
  ListenState(AsioLoop& loop, std::shared_ptr<ReadBuffer> buffer, UniqueFd fd, Network::Accepted on_accepted)
      : loop_(loop),
        buffer_(std::move(buffer)),
        fd_(std::move(fd)),
        on_accepted_(std::move(on_accepted)),
        pause_(loop.make_timer([this] { watch_->want_readable(); })) {}

  Status open() {
    auto watch = loop_.watch(
        fd_.get(), [this] { on_readable(); }, [] {});
    if (!watch) return watch.error();
    watch_ = std::move(watch).value();
    watch_->want_readable();
    return ok_status();
  }

  void close() {
    pause_.reset();
    watch_.reset();
    fd_.reset();
  }

 private:
  void on_readable() {
    const auto self = shared_from_this();
    for (int i = 0; i < kAcceptsPerTurn && fd_.is_open(); ++i) {
      SocketAddress peer;
      peer.size = sizeof peer.storage;
      UniqueFd fd(::accept4(fd_.get(), peer.data(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.is_open()) {
        accepted(std::move(fd), peer);
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause_->arm(kPauseWithoutResources);
      } else if (errno == EAGAIN) {
        break;
      }
      // Anything else concerns that one connection only (accept(2), "Error handling").
    }
    if (fd_.is_open()) watch_->want_readable();
  }

  void accepted(UniqueFd fd, const SocketAddress& peer) {
    set_connection_options(fd.get(), peer.family());
    auto stream = make_socket_stream(loop_, std::move(fd), peer.to_string(), buffer_);
    if (stream) on_accepted_(std::move(stream).value());
  }

  AsioLoop& loop_;
  std::shared_ptr<ReadBuffer> buffer_;
  UniqueFd fd_;
  Network::Accepted on_accepted_;
  std::unique_ptr<Timer> pause_;
  std::unique_ptr<FdWatch> watch_;
};

// The file behind a listening unix socket. Removed at the end only while it is still the one we made.
class SocketFile {
 public:
  SocketFile() = default;
  explicit SocketFile(std::string path) : path_(std::move(path)) {
    if (::stat(path_.c_str(), &made_) != 0) path_.clear();
  }
  SocketFile(SocketFile&& other) noexcept : path_(std::exchange(other.path_, {})), made_(other.made_) {}
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile() {
    struct stat now {};
    if (path_.empty() || ::stat(path_.c_str(), &now) != 0) return;
    if (now.st_ino == made_.st_ino && now.st_dev == made_.st_dev) ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  struct stat made_ {};
};

class SocketListener final : public Listener {
 public:
  SocketListener(std::shared_ptr<ListenState> state, Endpoint local, SocketFile file)
      : state_(std::move(state)), local_(std::move(local)), file_(std::move(file)) {}
  ~SocketListener() override { state_->close(); }
  [[nodiscard]] Endpoint local() const override { return local_; }

 private:
  std::shared_ptr<ListenState> state_;
  Endpoint local_;
  SocketFile file_;
};

// Makes way for a new socket at the path: removes one that nobody listens on, refuses anything else.
Status clear_path(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return ok_status();
  if (!S_ISSOCK(found.st_mode)) {
    return Error{ErrorCode::kAlreadyExists,
                 concat("listen on ", quoted(path), ": a file that is not a socket is there")};
  }
  MARGAY_ASSIGN_OR_RETURN(const UniqueFd probe, open_socket(AF_UNIX));
  const SocketAddress address = unix_address(path);
  const bool is_refused = ::connect(probe.get(), address.data(), address.size) != 0 && errno == ECONNREFUSED;
  if (!is_refused)
    return Error{ErrorCode::kAlreadyExists, concat("listen on ", quoted(path), ": somebody listens there")};
  if (::unlink(path.c_str()) != 0) return socket_error(errno, concat("remove stale socket ", quoted(path)));
  return ok_status();
}

Result<UniqueFd> bind_unix(const Endpoint& endpoint) {
  MARGAY_RETURN_IF_ERROR(clear_path(endpoint.path));
  MARGAY_ASSIGN_OR_RETURN(UniqueFd fd, open_socket(AF_UNIX));
  // On Linux the file takes the socket's mode, so that it never exists with a wider one.
  (void)::fchmod(fd.get(), kSocketMode);
  const SocketAddress address = unix_address(endpoint.path);
  if (::bind(fd.get(), address.data(), address.size) != 0) {
    return socket_error(errno, concat("listen on ", endpoint.to_string()));
  }
  return fd;
}

Result<UniqueFd> bind_tcp(const Endpoint& endpoint) {
  auto addresses = look_up(endpoint.host, endpoint.port, true);
  if (!addresses)
    return invalid(concat("listen on ", endpoint.to_string(), ": not an address: ", addresses.error().message));
  const SocketAddress address = addresses->front();
  MARGAY_ASSIGN_OR_RETURN(UniqueFd fd, open_socket(address.family()));
  const int on = 1;
  const int off = 0;
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.family() == AF_INET6) (void)setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd.get(), address.data(), address.size) != 0) {
    return socket_error(errno, concat("listen on ", endpoint.to_string()));
  }
  return fd;
}

Result<Endpoint> local_of(const Endpoint& endpoint, int fd) {
  if (endpoint.kind == Endpoint::Kind::kUnix) return endpoint;
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(fd, address.data(), &address.size) != 0) return socket_error(errno, "getsockname");
  return address.to_endpoint();
}

}  // namespace

Result<std::unique_ptr<Listener>> listen_socket(AsioLoop& loop, std::shared_ptr<ReadBuffer> buffer,
                                                const Endpoint& endpoint, Network::Accepted on_accepted) {
  const bool is_unix = endpoint.kind == Endpoint::Kind::kUnix;
  MARGAY_ASSIGN_OR_RETURN(UniqueFd fd, is_unix ? bind_unix(endpoint) : bind_tcp(endpoint));
  SocketFile file = is_unix ? SocketFile(endpoint.path) : SocketFile();
  if (::listen(fd.get(), kBacklog) != 0) return socket_error(errno, concat("listen on ", endpoint.to_string()));
  MARGAY_ASSIGN_OR_RETURN(Endpoint local, local_of(endpoint, fd.get()));
  auto state = std::make_shared<ListenState>(loop, std::move(buffer), std::move(fd), std::move(on_accepted));
  MARGAY_RETURN_IF_ERROR(state->open());
  return std::unique_ptr<Listener>(
      std::make_unique<SocketListener>(std::move(state), std::move(local), std::move(file)));
}

}  // namespace margay::loop
