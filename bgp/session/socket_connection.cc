#include "bgp/session/socket_connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "bgp/session/packet_queue.h"
#include "bgp/session/socket_calls.h"

namespace margay::bgp::session {
namespace {

constexpr std::size_t kPiecesPerSend = 256;
// A piece of work; others have their turn between two of them.
constexpr std::size_t kSendPerPiece = 256 * 1024;
constexpr std::size_t kLowMark = 256 * 1024;
constexpr Duration kGoodbye = std::chrono::seconds(1);

class State : public std::enable_shared_from_this<State> {
 public:
  State(std::shared_ptr<SocketShared> shared, loop::UniqueFd fd)
      : shared_(std::move(shared)),
        fd_(std::move(fd)),
        local_(local_of(fd_.get())),
        remote_(remote_of(fd_.get())),
        last_progress_(shared_->loop.now()) {}

  Status open() {
    auto watch = shared_->watcher.watch(
        fd_.get(), [this] { on_readable(); },
        [this] {
          is_waiting_writable_ = false;
          schedule_flush();
        });
    if (!watch) return watch.error();
    watch_ = std::move(watch).value();
    return ok_status();
  }

  void start(Connection::Events events) {
    MARGAY_CHECK(!is_started_);
    is_started_ = true;
    events_ = std::move(events);
    watch_->want_readable();
  }

  void write(std::vector<rib::Packet> packets) {
    if (is_closed_ || is_leaving_ || is_write_failed_) return;
    if (queue_.is_empty()) last_progress_ = shared_->loop.now();
    queue_.push(std::move(packets));
    schedule_flush();
  }

  // No callback after this. The callbacks themselves live until the running one has returned.
  void close() {
    if (std::exchange(is_closed_, true)) return;
    goodbye_.reset();
    watch_.reset();
    fd_.reset();
    queue_.clear();
  }

  // What the peer still sends is read and dropped: closing with unread bytes makes the kernel send a reset, which
  // overtakes the NOTIFICATION.
  void leave() {
    if (is_closed_ || std::exchange(is_leaving_, true)) return;
    shared_->leaving.push_back(shared_from_this());
    goodbye_ = shared_->loop.make_timer([this] { end_leaving(); });
    goodbye_->arm(kGoodbye);
    if (!std::exchange(is_started_, true)) watch_->want_readable();
    schedule_flush();
  }

  [[nodiscard]] bool is_leaving() const { return is_leaving_; }
  [[nodiscard]] std::size_t queued_bytes() const { return queue_.size_bytes(); }
  [[nodiscard]] TimePoint last_progress() const { return queue_.is_empty() ? shared_->loop.now() : last_progress_; }
  [[nodiscard]] const SocketAddress& local() const { return local_; }
  [[nodiscard]] const SocketAddress& remote() const { return remote_; }

 private:
  void on_readable() {
    shared_->reads.add([weak = weak_from_this()] {
      const auto self = weak.lock();
      return self != nullptr && self->read_piece();
    });
  }

  // False: nothing waits, or nothing is read any more.
  bool read_piece() {
    if (is_closed_ || watch_ == nullptr) return false;
    std::uint8_t* const buffer = shared_->read_buffer.get();
    const ssize_t count = ::recv(fd_.get(), buffer, SocketShared::kReadSize, 0);
    if (count < 0 && errno == EINTR) return true;
    if (count < 0 && errno != EAGAIN) end(socket_error(errno, "read").message);
    if (count == 0) end("closed by peer");
    if (count > 0 && !is_leaving_) events_.on_bytes(bytes::View(buffer, static_cast<std::size_t>(count)));
    if (is_closed_ || watch_ == nullptr) return false;
    if (count == static_cast<ssize_t>(SocketShared::kReadSize)) return true;
    watch_->want_readable();
    return false;
  }

  void end(std::string why) {
    if (is_leaving_) return end_leaving();
    queue_.clear();
    is_write_failed_ = true;
    watch_.reset();
    if (events_.on_closed) events_.on_closed(std::move(why));
  }

  void end_leaving() {
    const auto self = shared_from_this();
    std::erase(shared_->leaving, std::static_pointer_cast<void>(self));
    close();
  }

  void schedule_flush() {
    if (is_waiting_writable_ || std::exchange(is_flush_scheduled_, true)) return;
    shared_->sends.add([weak = weak_from_this()] {
      const auto self = weak.lock();
      return self != nullptr && self->flush_piece();
    });
  }

  // True: more could leave at once.
  bool flush_piece() {
    is_flush_scheduled_ = false;
    if (is_closed_ || watch_ == nullptr || is_waiting_writable_) return false;
    const std::size_t before = queue_.size_bytes();
    is_flush_scheduled_ = send_queued();
    if (is_leaving_) {
      if (queue_.is_empty()) ::shutdown(fd_.get(), SHUT_WR);
      return is_flush_scheduled_;
    }
    const bool fell = before > 0 && queue_.size_bytes() <= kLowMark && !is_write_failed_;
    if (fell && is_started_ && events_.on_writable) events_.on_writable();
    return is_flush_scheduled_ && !is_closed_;
  }

  bool send_queued() {
    for (std::size_t sent = 0; !queue_.is_empty() && sent < kSendPerPiece;) {
      iovec pieces[kPiecesPerSend];
      msghdr message{};
      message.msg_iov = pieces;
      message.msg_iovlen = queue_.gather(pieces, kPiecesPerSend);
      const ssize_t count = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
      if (count < 0) {
        send_failed(errno);
        return false;
      }
      sent += static_cast<std::size_t>(count);
      queue_.consume(static_cast<std::size_t>(count));
      last_progress_ = shared_->loop.now();
    }
    return !queue_.is_empty();
  }

  void send_failed(int error_number) {
    if (error_number == EAGAIN || error_number == EINTR) {
      is_waiting_writable_ = true;
      return watch_->want_writable();
    }
    // Reading reports it, after what the peer sent before it went away.
    is_write_failed_ = true;
    queue_.clear();
  }

  std::shared_ptr<SocketShared> shared_;
  loop::UniqueFd fd_;
  SocketAddress local_, remote_;
  std::unique_ptr<loop::FdWatch> watch_;
  std::unique_ptr<loop::Timer> goodbye_;
  Connection::Events events_;
  PacketQueue queue_;
  TimePoint last_progress_;
  bool is_started_ = false;
  bool is_closed_ = false;  // nothing happens any more
  bool is_leaving_ = false;
  bool is_write_failed_ = false;
  bool is_flush_scheduled_ = false;
  bool is_waiting_writable_ = false;
};

class SocketConnection final : public Connection {
 public:
  explicit SocketConnection(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~SocketConnection() override {
    if (!state_->is_leaving()) state_->close();
  }
  void start(Events events) override { state_->start(std::move(events)); }
  void write(std::vector<rib::Packet> packets) override { state_->write(std::move(packets)); }
  [[nodiscard]] std::size_t queued_bytes() const override { return state_->queued_bytes(); }
  [[nodiscard]] TimePoint last_progress() const override { return state_->last_progress(); }
  void close_gracefully() override { state_->leave(); }
  [[nodiscard]] SocketAddress local() const override { return state_->local(); }
  [[nodiscard]] SocketAddress remote() const override { return state_->remote(); }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace

Result<std::unique_ptr<Connection>> make_socket_connection(const std::shared_ptr<SocketShared>& shared,
                                                           loop::UniqueFd fd) {
  auto state = std::make_shared<State>(shared, std::move(fd));
  MARGAY_RETURN_IF_ERROR(state->open());
  return std::unique_ptr<Connection>(std::make_unique<SocketConnection>(std::move(state)));
}

}  // namespace margay::bgp::session
