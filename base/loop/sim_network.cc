#include "base/loop/sim_network.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "base/loop/send_queue.h"
#include "base/loop/tls_layer.h"

namespace margay::loop {

// One end of a connection: what it still has to send, and what is on its way to it.
class SimEnd : public std::enable_shared_from_this<SimEnd> {
 public:
  SimEnd(SimNetwork& network, std::string peer_name)
      : network_(network),
        loop_(network.loop_),
        peer_name_(std::move(peer_name)),
        arrival_(loop_.make_timer([this] { arrive(); })) {}

  void join(std::shared_ptr<SimEnd> peer) { peer_ = std::move(peer); }

  void start(Stream::Events events) {
    MARGAY_CHECK(!is_started_);
    is_started_ = true;
    events_ = std::move(events);
    expect_arrival();
  }

  void write(std::string bytes) {
    if (is_closed_ || is_shutdown_ || is_broken_) return;
    queued_.push(std::move(bytes));
    schedule_send();
  }

  void shutdown_write() {
    if (std::exchange(is_shutdown_, true)) return;
    schedule_send();
  }

  void close() {
    is_closed_ = true;
    arrival_.reset();
    if (peer_ == nullptr) return;
    if (!is_end_sent_ && !is_broken_) peer_->receive({}, ok_status());
    if (!is_broken_) peer_->receive({}, Status(Error{ErrorCode::kUnavailable, "the peer is gone"}));
    peer_.reset();
  }

  void pause() { is_paused_ = true; }
  void resume() {
    is_paused_ = false;
    expect_arrival();
  }

  void reset() {
    if (is_closed_) return;
    is_broken_ = true;
    queued_.clear();
    incoming_.clear();
    incoming_bytes_ = 0;
    incoming_.push_back({loop_.now(), {}, Status(Error{ErrorCode::kUnavailable, "connection reset by peer"})});
    expect_arrival();
  }

  [[nodiscard]] bool is_closed() const { return is_closed_; }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_.size(); }
  [[nodiscard]] const std::string& peer_name() const { return peer_name_; }

 private:
  struct Item {
    TimePoint at;
    std::string bytes;
    std::optional<Status> end;
  };

  void receive(std::string bytes, std::optional<Status> end) {
    if (is_closed_ || is_broken_) return;
    incoming_bytes_ += bytes.size();
    incoming_.push_back({loop_.now() + network_.conditions.delay, std::move(bytes), std::move(end)});
    expect_arrival();
  }

  void expect_arrival() {
    if (is_closed_ || !is_started_ || (is_paused_ && !is_ended_) || incoming_.empty()) return;
    arrival_->arm(incoming_.front().at - loop_.now());
  }

  void arrive() {
    if (is_closed_ || (is_paused_ && !is_ended_) || incoming_.empty()) return;
    const auto self = shared_from_this();
    Item item = std::move(incoming_.front());
    incoming_.pop_front();
    incoming_bytes_ -= item.bytes.size();
    if (peer_ != nullptr) peer_->schedule_send();
    if (item.end) {
      take_end(std::move(*item.end));
    } else if (events_.on_data) {
      events_.on_data(item.bytes);
    }
    expect_arrival();
  }

  // After an end in order a second one says that the peer is gone.
  void take_end(Status reason) {
    if (!std::exchange(is_ended_, true)) {
      if (!reason.ok()) is_broken_ = true;
      if (events_.on_closed) events_.on_closed(std::move(reason));
    } else if (!reason.ok() && !std::exchange(is_lost_, true)) {
      is_broken_ = true;
      queued_.clear();
      if (events_.on_lost) events_.on_lost(reason.error());
    }
  }

  void schedule_send() {
    if (is_closed_ || std::exchange(is_send_scheduled_, true)) return;
    loop_.post([self = shared_from_this()] { self->send(); });
  }

  void send() {
    is_send_scheduled_ = false;
    if (is_closed_ || is_broken_ || peer_ == nullptr) return;
    const bool had_bytes = !queued_.is_empty();
    while (!queued_.is_empty() && peer_->incoming_bytes_ < network_.conditions.window_bytes) send_piece();
    if (!queued_.is_empty()) return;
    if (is_shutdown_ && !std::exchange(is_end_sent_, true)) peer_->receive({}, ok_status());
    if (had_bytes && is_started_ && events_.on_drained) events_.on_drained();
  }

  void send_piece() {
    const std::size_t room = network_.conditions.window_bytes - peer_->incoming_bytes_;
    iovec front{};
    queued_.gather(&front, 1);
    std::size_t count = std::min(front.iov_len, room);
    const std::size_t limit = network_.conditions.piece_bytes_max;
    if (limit > 0) count = std::min<std::size_t>(count, 1 + network_.random_.below(limit));
    peer_->receive(std::string(static_cast<const char*>(front.iov_base), count), std::nullopt);
    queued_.consume(count);
  }

  SimNetwork& network_;
  SimLoop& loop_;
  std::string peer_name_;
  std::unique_ptr<Timer> arrival_;
  std::shared_ptr<SimEnd> peer_;  // null once closed
  Stream::Events events_;
  SendQueue queued_;
  std::deque<Item> incoming_;
  std::size_t incoming_bytes_ = 0;
  bool is_started_ = false;
  bool is_paused_ = false;
  bool is_ended_ = false;   // on_closed has run
  bool is_lost_ = false;    // on_lost has run
  bool is_closed_ = false;  // the handle is gone
  bool is_broken_ = false;  // reset
  bool is_shutdown_ = false;
  bool is_end_sent_ = false;
  bool is_send_scheduled_ = false;
};

namespace {

class SimStream final : public Stream {
 public:
  explicit SimStream(std::shared_ptr<SimEnd> end) : end_(std::move(end)) {}
  ~SimStream() override { end_->close(); }
  void start(Events events) override { end_->start(std::move(events)); }
  void write(std::string bytes) override { end_->write(std::move(bytes)); }
  void shutdown_write() override { end_->shutdown_write(); }
  void pause_reading() override { end_->pause(); }
  void resume_reading() override { end_->resume(); }
  [[nodiscard]] std::size_t queued_bytes() const override { return end_->queued_bytes(); }
  [[nodiscard]] std::string peer_name() const override { return end_->peer_name(); }

 private:
  std::shared_ptr<SimEnd> end_;
};

}  // namespace

class SimNetwork::Attempt final : public Handle {
 public:
  Attempt(SimNetwork& network, Endpoint endpoint, Duration timeout, Connected done)
      : network_(network), endpoint_(std::move(endpoint)), done_(std::move(done)) {
    const bool is_silent = network_.conditions.is_silent || network_.conditions.delay > timeout;
    timer_ = network_.loop_.make_timer([this, is_silent] { is_silent ? give_up() : finish(); });
    timer_->arm(is_silent ? timeout : network_.conditions.delay);
  }

 private:
  void give_up() {
    Connected done = std::move(done_);
    done(Error{ErrorCode::kTimeout, concat("connect to ", endpoint_.to_string(), ": no answer in time")});
  }
  void finish() {
    Connected done = std::move(done_);
    done(network_.establish(endpoint_));
  }

  SimNetwork& network_;
  Endpoint endpoint_;
  Connected done_;
  std::unique_ptr<Timer> timer_;
};

class SimNetwork::SimListener final : public Listener {
 public:
  SimListener(SimNetwork& network, Endpoint local) : network_(network), local_(std::move(local)) {}
  ~SimListener() override { network_.listeners_.erase(local_.to_string()); }
  [[nodiscard]] Endpoint local() const override { return local_; }

 private:
  SimNetwork& network_;
  Endpoint local_;
};

SimNetwork::SimNetwork(SimLoop& loop, std::uint64_t seed)
    : loop_(loop), random_(seed), tls_(std::make_unique<TlsLayer>(loop, *this)) {}
SimNetwork::~SimNetwork() = default;

void SimNetwork::reset_all() {
  for (const auto& weak : std::exchange(ends_, {})) {
    if (const auto end = weak.lock()) end->reset();
  }
}

std::size_t SimNetwork::connection_count() const {
  const auto is_open = [](const auto& weak) {
    const auto end = weak.lock();
    return end != nullptr && !end->is_closed();
  };
  return static_cast<std::size_t>(std::count_if(ends_.begin(), ends_.end(), is_open) + 1) / 2;
}

std::unique_ptr<Handle> SimNetwork::connect(const Endpoint& endpoint, const TlsClientConfig* tls, Duration timeout,
                                            Connected done) {
  if (tls != nullptr) return tls_->connect(endpoint, *tls, timeout, std::move(done));
  ++connects_seen_;
  return std::make_unique<Attempt>(*this, endpoint, timeout, std::move(done));
}

Result<std::unique_ptr<Listener>> SimNetwork::listen(const Endpoint& endpoint, const TlsServerConfig* tls,
                                                     Accepted on_accepted) {
  if (tls != nullptr) return tls_->listen(endpoint, *tls, std::move(on_accepted));
  Endpoint local = endpoint;
  if (local.kind == Endpoint::Kind::kTcp && local.port == 0) local.port = next_port_++;
  const bool is_new = listeners_.emplace(local.to_string(), std::make_shared<Accepted>(std::move(on_accepted))).second;
  if (!is_new) return Error{ErrorCode::kAlreadyExists, concat("listen on ", local.to_string(), ": address in use")};
  return std::unique_ptr<Listener>(std::make_unique<SimListener>(*this, std::move(local)));
}

Result<std::unique_ptr<Stream>> SimNetwork::establish(const Endpoint& endpoint) {
  const auto found = listeners_.find(endpoint.to_string());
  if (conditions.is_refusing || found == listeners_.end()) {
    return Error{ErrorCode::kUnavailable, concat("connect to ", endpoint.to_string(), ": connection refused")};
  }
  const bool is_unix = endpoint.kind == Endpoint::Kind::kUnix;
  const std::string client_name = is_unix ? "unix" : concat("127.0.0.1:", next_port_++);
  const std::string server_name = is_unix ? "unix" : endpoint.to_string().substr(std::string_view("tcp://").size());
  auto client = std::make_shared<SimEnd>(*this, server_name);
  auto server = std::make_shared<SimEnd>(*this, client_name);
  client->join(server);
  server->join(client);
  std::erase_if(ends_, [](const auto& weak) { return weak.expired(); });
  ends_.push_back(client);
  ends_.push_back(server);
  auto stream = std::make_unique<SimStream>(std::move(server));
  loop_.post([accepted = found->second, stream = std::move(stream)]() mutable { (*accepted)(std::move(stream)); });
  return std::unique_ptr<Stream>(std::make_unique<SimStream>(std::move(client)));
}

}  // namespace margay::loop
