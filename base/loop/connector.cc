#include "base/loop/connector.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/loop/resolve.h"
#include "base/loop/socket_address.h"
#include "base/loop/socket_stream.h"

namespace margay::loop {
namespace {

// A unix listener whose backlog is full answers EAGAIN, and nothing tells when that changes.
constexpr Duration kBacklogRetry = std::chrono::milliseconds(5);

class Connector final : public Handle {
 public:
  Connector(AsioLoop& loop, std::shared_ptr<ReadBuffer> buffer, const Endpoint& endpoint, Duration timeout,
            Network::Connected done)
      : loop_(loop),
        buffer_(std::move(buffer)),
        name_(endpoint.to_string()),
        end_(loop.now() + timeout),
        done_(std::move(done)),
        timer_(loop.make_timer([this] { on_timer(); })),
        resolving_(resolve(loop, endpoint, [this](auto addresses) { on_resolved(std::move(addresses)); })) {
    timer_->arm(timeout);
  }

 private:
  void on_resolved(Result<std::vector<SocketAddress>> addresses) {
    if (!addresses) return finish(addresses.error().within(name_));
    addresses_ = std::move(addresses).value();
    last_error_ = Error{ErrorCode::kUnavailable, concat("connect to ", name_, ": the name has no address")};
    try_next();
  }

  void try_next() {
    watch_.reset();
    socket_.reset();
    if (next_ == addresses_.size()) return finish(last_error_);
    auto socket = open_socket(addresses_[next_].family());
    if (!socket) return attempt_failed(socket.error());
    socket_ = std::move(socket).value();
    set_connection_options(socket_.get(), addresses_[next_].family());
    auto watch = loop_.watch(
        socket_.get(), [] {}, [this] { on_writable(); });
    if (!watch) return attempt_failed(watch.error());
    watch_ = std::move(watch).value();
    attempt();
  }

  void attempt() {
    const auto left = static_cast<Duration::rep>(addresses_.size() - next_);
    const SocketAddress& address = addresses_[next_];
    if (::connect(socket_.get(), address.data(), address.size) == 0) return connected();
    is_backlog_full_ = errno == EAGAIN;
    if (is_backlog_full_) return timer_->arm(kBacklogRetry);
    if (errno != EINPROGRESS && errno != EINTR) return attempt_failed(error_of(errno));
    watch_->want_writable();
    timer_->arm((end_ - loop_.now()) / left);
  }

  void on_writable() {
    int failure = 0;
    socklen_t size = sizeof failure;
    if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
    if (failure != 0) return attempt_failed(error_of(failure));
    connected();
  }

  void on_timer() {
    if (loop_.now() >= end_ || addresses_.empty()) return finish(timed_out());
    if (std::exchange(is_backlog_full_, false)) return attempt();
    attempt_failed(timed_out());
  }

  // Whatever stands in the way of a TCP connection (a firewall's rule, no free port) may be gone the next time.
  void attempt_failed(Error error) {
    const bool sounds_final = error.code == ErrorCode::kInvalid || error.code == ErrorCode::kPermissionDenied;
    if (sounds_final && addresses_[next_].family() != AF_UNIX) error.code = ErrorCode::kUnavailable;
    last_error_ = std::move(error);
    ++next_;
    try_next();
  }

  void connected() {
    watch_.reset();
    finish(make_socket_stream(loop_, std::move(socket_), addresses_[next_].to_string(), std::move(buffer_)));
  }

  // The owner may destroy this from `done`.
  void finish(Result<std::unique_ptr<Stream>> outcome) {
    timer_.reset();
    watch_.reset();
    resolving_.reset();
    Network::Connected done = std::move(done_);
    done(std::move(outcome));
  }

  [[nodiscard]] Error error_of(int error_number) const {
    const std::string address = addresses_[next_].to_string();
    const bool is_told = name_.starts_with(address) || name_.ends_with(concat("/", address));
    return socket_error(error_number, concat("connect to ", name_, is_told ? "" : concat(" (", address, ")")));
  }
  [[nodiscard]] Error timed_out() const {
    return Error{ErrorCode::kTimeout, concat("connect to ", name_, ": no answer in time")};
  }

  AsioLoop& loop_;
  std::shared_ptr<ReadBuffer> buffer_;
  std::string name_;
  TimePoint end_;
  Network::Connected done_;
  std::unique_ptr<Timer> timer_;
  std::unique_ptr<Handle> resolving_;
  std::vector<SocketAddress> addresses_;
  std::size_t next_ = 0;
  UniqueFd socket_;
  std::unique_ptr<FdWatch> watch_;
  Error last_error_;
  bool is_backlog_full_ = false;
};

}  // namespace

std::unique_ptr<Handle> connect_socket(AsioLoop& loop, std::shared_ptr<ReadBuffer> buffer, const Endpoint& endpoint,
                                       Duration timeout, Network::Connected done) {
  return std::make_unique<Connector>(loop, std::move(buffer), endpoint, timeout, std::move(done));
}

}  // namespace margay::loop
