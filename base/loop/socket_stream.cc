#include "base/loop/socket_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/loop/send_queue.h"
#include "base/loop/socket_address.h"

namespace margay::loop {
namespace {

constexpr std::size_t kPiecesPerSend = 64;
// After so many bytes in one go the loop's other work gets its turn.
constexpr std::size_t kSendPerTurn = 4 * 1024 * 1024;

// Why both directions are over; none is known when the peer has just closed.
Error failure_of(int fd) {
  int failure = 0;
  socklen_t size = sizeof failure;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  return socket_error(failure == 0 ? ECONNRESET : failure, "write");
}

// Shared with what the loop still has queued; the handle's end closes it.
class SocketState : public std::enable_shared_from_this<SocketState> {
 public:
  SocketState(AsioLoop& loop, UniqueFd fd, std::string peer_name, std::shared_ptr<ReadBuffer> buffer)
      : loop_(loop), fd_(std::move(fd)), peer_name_(std::move(peer_name)), buffer_(std::move(buffer)) {}

  Status open() {
    auto watch = loop_.watch(
        fd_.get(), [this] { on_readable(); }, [this] { flush(); });
    if (!watch) return watch.error();
    watch_ = std::move(watch).value();
    return ok_status();
  }

  void start(Stream::Events events) {
    MARGAY_CHECK(!is_started_);
    is_started_ = true;
    events_ = std::move(events);
    if (!is_paused_) watch_->want_readable();
  }

  // No callback after this. The callbacks themselves live until the running one has returned.
  void close() {
    is_closed_ = true;
    watch_.reset();
    fd_.reset();
    queue_.clear();
  }

  void write(std::string bytes) {
    if (!can_write()) return;
    queue_.push(std::move(bytes));
    schedule_flush();
  }

  void shutdown_write() {
    if (!can_write()) return;
    is_shutdown_wanted_ = true;
    schedule_flush();
  }

  void pause() { is_paused_ = true; }
  void resume() {
    if (!std::exchange(is_paused_, false)) return;
    if (is_started_ && !is_ended_ && !is_closed_) watch_->want_readable();
  }

  [[nodiscard]] std::size_t queued_bytes() const { return queue_.size(); }
  [[nodiscard]] const std::string& peer_name() const { return peer_name_; }

 private:
  [[nodiscard]] bool can_write() const { return !is_closed_ && !is_shutdown_wanted_ && !write_failure_; }

  void on_readable() {
    if (is_paused_ || is_closed_ || is_ended_) return;
    const auto self = shared_from_this();
    const ssize_t count = ::recv(fd_.get(), buffer_->data(), ReadBuffer::kSize, 0);
    if (count > 0) {
      events_.on_data(buffer_->first(static_cast<std::size_t>(count)));
    } else if (count == 0) {
      return end(write_failure_ ? Status(*write_failure_) : ok_status());
    } else if (errno != EAGAIN && errno != EINTR) {
      return end(socket_error(errno, "read"));
    }
    if (!is_paused_ && !is_closed_ && !is_ended_) watch_->want_readable();
  }

  void end(Status reason) {
    is_ended_ = true;
    if (reason.ok()) {
      watch_->want_end([this] { lost(); });
    } else {
      queue_.clear();
      if (!write_failure_) write_failure_ = reason.error();
    }
    if (events_.on_closed) events_.on_closed(std::move(reason));
  }

  // The peer closed in order before, and is now gone altogether.
  void lost() {
    const auto self = shared_from_this();
    queue_.clear();
    if (!write_failure_) write_failure_ = failure_of(fd_.get());
    if (events_.on_lost) events_.on_lost(*write_failure_);
  }

  void schedule_flush() {
    if (std::exchange(is_flush_scheduled_, true)) return;
    loop_.post([self = shared_from_this()] {
      self->is_flush_scheduled_ = false;
      if (!self->is_waiting_writable_) self->flush();
    });
  }

  void flush() {
    is_waiting_writable_ = false;
    if (is_closed_ || write_failure_) return;
    const bool had_bytes = !queue_.is_empty();
    if (!send_queued()) return;
    if (is_shutdown_wanted_) ::shutdown(fd_.get(), SHUT_WR);
    if (!had_bytes || !is_started_ || !events_.on_drained) return;
    const auto self = shared_from_this();
    events_.on_drained();
  }

  // True when the queue is empty.
  bool send_queued() {
    for (std::size_t sent = 0; !queue_.is_empty();) {
      if (sent >= kSendPerTurn) {
        schedule_flush();
        return false;
      }
      iovec pieces[kPiecesPerSend];
      msghdr message{};
      message.msg_iov = pieces;
      message.msg_iovlen = queue_.gather(pieces, kPiecesPerSend);
      const ssize_t count = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
      if (count < 0) return send_failed(errno);
      sent += static_cast<std::size_t>(count);
      queue_.consume(static_cast<std::size_t>(count));
    }
    return true;
  }

  bool send_failed(int error_number) {
    if (error_number == EAGAIN || error_number == EINTR) {
      is_waiting_writable_ = true;
      watch_->want_writable();
      return false;
    }
    // Reading reports it, after what the peer sent before it went away.
    write_failure_ = socket_error(error_number, "write");
    queue_.clear();
    return false;
  }

  AsioLoop& loop_;
  UniqueFd fd_;
  std::string peer_name_;
  std::shared_ptr<ReadBuffer> buffer_;
  std::unique_ptr<FdWatch> watch_;
  Stream::Events events_;
  SendQueue queue_;
  std::optional<Error> write_failure_;
  bool is_started_ = false;
  bool is_paused_ = false;
  bool is_ended_ = false;   // on_closed has run
  bool is_closed_ = false;  // the handle is gone
  bool is_flush_scheduled_ = false;
  bool is_waiting_writable_ = false;
  bool is_shutdown_wanted_ = false;
};

class SocketStream final : public Stream {
 public:
  explicit SocketStream(std::shared_ptr<SocketState> state) : state_(std::move(state)) {}
  ~SocketStream() override { state_->close(); }
  void start(Events events) override { state_->start(std::move(events)); }
  void write(std::string bytes) override { state_->write(std::move(bytes)); }
  void shutdown_write() override { state_->shutdown_write(); }
  void pause_reading() override { state_->pause(); }
  void resume_reading() override { state_->resume(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return state_->queued_bytes(); }
  [[nodiscard]] std::string peer_name() const override { return state_->peer_name(); }

 private:
  std::shared_ptr<SocketState> state_;
};

}  // namespace

Result<std::unique_ptr<Stream>> make_socket_stream(AsioLoop& loop, UniqueFd fd, std::string peer_name,
                                                   std::shared_ptr<ReadBuffer> buffer) {
  auto state = std::make_shared<SocketState>(loop, std::move(fd), std::move(peer_name), std::move(buffer));
  MARGAY_RETURN_IF_ERROR(state->open());
  return std::unique_ptr<Stream>(std::make_unique<SocketStream>(std::move(state)));
}

}  // namespace margay::loop
