#include "base/loop/tls_stream.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/loop/send_queue.h"

namespace margay::loop {
namespace {

// Plaintext is encrypted only this far ahead of the socket.
constexpr std::size_t kEncryptedAheadMax = 256 * 1024;
constexpr std::size_t kSliceMax = 64 * 1024;

class TlsState;
std::unique_ptr<Stream> make_handle(std::shared_ptr<TlsState> state);

// First the handshake, then the stream.
class TlsState : public std::enable_shared_from_this<TlsState> {
 public:
  TlsState(Loop& loop, std::unique_ptr<Stream> raw, std::unique_ptr<TlsEngine> engine,
           std::shared_ptr<ReadBuffer> plaintext)
      : loop_(loop), raw_(std::move(raw)), engine_(std::move(engine)), plaintext_(std::move(plaintext)) {}

  void begin(Duration timeout, Network::Connected done) {
    done_ = std::move(done);
    timer_ = loop_.make_timer([this] { give_up(); });
    timer_->arm(timeout);
    raw_->start({.on_data = [this](std::string_view bytes) { on_raw_data(bytes); },
                 .on_drained = [this] { on_raw_drained(); },
                 .on_closed = [this](Status reason) { on_raw_closed(std::move(reason)); },
                 .on_lost = [this](Error reason) { on_raw_lost(std::move(reason)); }});
    loop_.post([self = shared_from_this()] { self->shake(); });
  }

  void start(Stream::Events events) {
    MARGAY_CHECK(!is_started_);
    is_started_ = true;
    events_ = std::move(events);
    schedule_process();
  }

  void close() {
    is_closed_ = true;
    timer_.reset();
    raw_.reset();
    queue_.clear();
  }

  void write(std::string bytes) {
    if (is_closed_ || is_broken_ || is_shutdown_wanted_) return;
    queue_.push(std::move(bytes));
    encrypt();
  }

  void shutdown_write() {
    if (is_closed_ || is_broken_ || std::exchange(is_shutdown_wanted_, true)) return;
    encrypt();
  }

  void pause() {
    is_paused_ = true;
    if (!is_closed_) raw_->pause_reading();
  }
  void resume() {
    if (std::exchange(is_paused_, false)) schedule_process();
  }

  [[nodiscard]] bool is_shaking() const { return static_cast<bool>(done_); }
  [[nodiscard]] std::size_t queued_bytes() const { return is_closed_ ? 0 : queue_.size() + raw_->queued_bytes(); }
  [[nodiscard]] std::string peer_name() const { return is_closed_ ? "" : raw_->peer_name(); }
  [[nodiscard]] std::optional<PeerCertificate> peer_certificate() const { return engine_->peer_certificate(); }

 private:
  [[nodiscard]] bool can_read() const { return is_started_ && !is_paused_ && !is_closed_ && !is_ended_; }

  void on_raw_data(std::string_view bytes) {
    const auto self = shared_from_this();
    engine_->add_input(bytes);
    if (done_) {
      shake();
    } else {
      process();
    }
    engine_->keep_input();
  }

  void on_raw_closed(Status reason) {
    const auto self = shared_from_this();
    raw_end_ = std::move(reason);
    if (done_) return fail_handshake(end_reason().error());
    if (!raw_end_->ok() && is_ended_) return on_raw_lost(raw_end_->error());
    process();
  }

  void on_raw_lost(Error reason) {
    const auto self = shared_from_this();
    lost_ = std::move(reason);
    if (is_ended_) tell_lost();
  }

  // Not after an end that was a failure.
  void tell_lost() {
    if (is_closed_ || is_broken_ || !lost_) return;
    is_broken_ = true;
    queue_.clear();
    if (events_.on_lost) events_.on_lost(*lost_);
  }

  // Without close_notify the end may be forged.
  [[nodiscard]] Status end_reason() const {
    if (!raw_end_->ok()) return *raw_end_;
    return Error{ErrorCode::kUnavailable, done_ ? "TLS: the peer closed the connection during the handshake"
                                                : "TLS: the connection was cut off"};
  }

  void shake() {
    if (is_closed_ || !done_ || raw_end_) return;
    const auto self = shared_from_this();
    const auto is_complete = engine_->handshake();
    send_output();
    if (!is_complete) return fail_handshake(is_complete.error());
    if (!*is_complete) return;
    timer_.reset();
    raw_->pause_reading();
    Network::Connected done = std::exchange(done_, nullptr);
    done(make_handle(self));
  }

  void give_up() {
    const auto self = shared_from_this();
    fail_handshake(Error{ErrorCode::kTimeout, "TLS: the handshake took too long"});
  }

  // The alert that says why leaves before the connection is closed.
  void fail_handshake(Error error) {
    timer_.reset();
    raw_->shutdown_write();
    raw_->pause_reading();
    Network::Connected done = std::exchange(done_, nullptr);
    loop_.post([self = shared_from_this()] { self->close(); });
    done(std::move(error));
  }

  void schedule_process() {
    loop_.post([self = shared_from_this()] {
      if (!self->can_read()) return;
      self->process();
      if (self->can_read()) self->raw_->resume_reading();
    });
  }

  // Hands over what can be decrypted.
  void process() {
    while (can_read()) {
      if (plain_end_) return end(*plain_end_);
      const std::size_t count = fill();
      if (count > 0) {
        events_.on_data(plaintext_->first(count));
      } else if (!plain_end_) {
        send_output();
        if (!raw_end_) return;
        plain_end_ = end_reason();
      }
    }
  }

  // As many records as fit.
  std::size_t fill() {
    std::size_t count = 0;
    while (count < ReadBuffer::kSize) {
      const auto plaintext = engine_->read(plaintext_->data() + count, ReadBuffer::kSize - count);
      if (!plaintext) plain_end_ = plaintext.error();
      if (plaintext && plaintext->is_closed) plain_end_ = ok_status();
      if (!plaintext || plaintext->count == 0) break;
      count += plaintext->count;
    }
    return count;
  }

  void end(Status reason) {
    is_ended_ = true;
    if (!reason.ok()) {
      is_broken_ = true;
      queue_.clear();
      send_output();
    }
    if (events_.on_closed) events_.on_closed(std::move(reason));
    if (lost_) loop_.post([self = shared_from_this()] { self->tell_lost(); });
  }

  void encrypt() {
    while (!queue_.is_empty() && raw_->queued_bytes() < kEncryptedAheadMax) {
      iovec piece{};
      queue_.gather(&piece, 1);
      const std::size_t count = std::min(piece.iov_len, kSliceMax);
      if (!engine_->write({static_cast<const char*>(piece.iov_base), count}).ok()) {
        is_broken_ = true;
        return queue_.clear();
      }
      queue_.consume(count);
      send_output();
    }
    if (is_shutdown_wanted_ && queue_.is_empty() && !std::exchange(is_shutdown_sent_, true)) {
      engine_->write_close_notify();
      send_output();
      raw_->shutdown_write();
    }
  }

  void send_output() {
    if (std::string output = engine_->take_output(); !output.empty()) raw_->write(std::move(output));
  }

  void on_raw_drained() {
    const bool had_bytes = !queue_.is_empty();
    encrypt();
    if (had_bytes || !queue_.is_empty() || !is_started_ || !events_.on_drained) return;
    const auto self = shared_from_this();
    events_.on_drained();
  }

  Loop& loop_;
  std::unique_ptr<Stream> raw_;
  std::unique_ptr<TlsEngine> engine_;
  std::shared_ptr<ReadBuffer> plaintext_;
  std::unique_ptr<Timer> timer_;
  Network::Connected done_;  // while shaking hands
  Stream::Events events_;
  SendQueue queue_;
  std::optional<Status> raw_end_;    // of the stream below
  std::optional<Error> lost_;        // of the stream below, after an end in order
  std::optional<Status> plain_end_;  // to be told when everything before it has been handed over
  bool is_started_ = false;
  bool is_paused_ = false;
  bool is_ended_ = false;
  bool is_closed_ = false;
  bool is_broken_ = false;
  bool is_shutdown_wanted_ = false;
  bool is_shutdown_sent_ = false;
};

class TlsStream final : public Stream {
 public:
  explicit TlsStream(std::shared_ptr<TlsState> state) : state_(std::move(state)) {}
  ~TlsStream() override { state_->close(); }
  void start(Events events) override { state_->start(std::move(events)); }
  void write(std::string bytes) override { state_->write(std::move(bytes)); }
  void shutdown_write() override { state_->shutdown_write(); }
  void pause_reading() override { state_->pause(); }
  void resume_reading() override { state_->resume(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return state_->queued_bytes(); }
  [[nodiscard]] std::string peer_name() const override { return state_->peer_name(); }
  [[nodiscard]] std::optional<PeerCertificate> peer_certificate() const override { return state_->peer_certificate(); }

 private:
  std::shared_ptr<TlsState> state_;
};

class Handshake final : public Handle {
 public:
  explicit Handshake(std::shared_ptr<TlsState> state) : state_(std::move(state)) {}
  ~Handshake() override {
    if (state_->is_shaking()) state_->close();
  }

 private:
  std::shared_ptr<TlsState> state_;
};

std::unique_ptr<Stream> make_handle(std::shared_ptr<TlsState> state) {
  return std::make_unique<TlsStream>(std::move(state));
}

}  // namespace

std::unique_ptr<Handle> shake_hands(Loop& loop, std::unique_ptr<Stream> raw, std::unique_ptr<TlsEngine> engine,
                                    std::shared_ptr<ReadBuffer> plaintext, Duration timeout, Network::Connected done) {
  auto state = std::make_shared<TlsState>(loop, std::move(raw), std::move(engine), std::move(plaintext));
  state->begin(timeout, std::move(done));
  return std::make_unique<Handshake>(std::move(state));
}

}  // namespace margay::loop
