#include "bgp/session/sim_transport.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "bgp/session/packet_queue.h"

namespace margay::bgp::session {
namespace {

class End;
class Host;
using Pair = std::pair<IpAddress, IpAddress>;

Pair ordered(const IpAddress& a, const IpAddress& b) { return a < b ? Pair{a, b} : Pair{b, a}; }

}  // namespace

class SimInternet::Impl {
 public:
  Impl(loop::SimLoop& sim_loop, std::uint64_t seed) : loop(sim_loop), random(seed) {}

  [[nodiscard]] bool is_reachable(const IpAddress& a, const IpAddress& b) const {
    return !cuts.contains(ordered(a, b));
  }

  loop::SimLoop& loop;
  SeededRandom random;
  SimConditions conditions;
  std::map<IpAddress, Host*> hosts;
  std::set<Pair> cuts;
  std::vector<std::weak_ptr<End>> ends;
  std::uint16_t next_port = 20'000;
};

namespace {

// One end of a connection: what it still has to send, and what is on its way to it.
class End : public std::enable_shared_from_this<End> {
 public:
  End(std::shared_ptr<SimInternet::Impl> internet, SocketAddress local, SocketAddress remote)
      : internet_(std::move(internet)),
        loop_(internet_->loop),
        local_(local),
        remote_(remote),
        arrival_(loop_.make_timer([this] { arrive(); })),
        last_progress_(loop_.now()) {}

  void join(std::shared_ptr<End> peer) { peer_ = std::move(peer); }

  void start(Connection::Events events) {
    MARGAY_CHECK(!is_started_);
    is_started_ = true;
    events_ = std::move(events);
    expect_arrival();
  }

  void write(std::vector<rib::Packet> packets) {
    if (is_closed_ || is_broken_) return;
    if (queued_.is_empty()) last_progress_ = loop_.now();
    queued_.push(std::move(packets));
    schedule_send();
  }

  // What has been queued still leaves as far as the window allows, as the kernel would send it.
  void close(bool is_graceful) {
    if (is_closed_) return;
    if (is_graceful) send_all();
    is_closed_ = true;
    arrival_.reset();
    if (peer_ == nullptr) return;
    if (!is_broken_) peer_->receive({}, "closed by peer");
    peer_->schedule_send();
    peer_.reset();
  }

  void reset() {
    if (is_closed_) return;
    is_broken_ = true;
    queued_.clear();
    incoming_.clear();
    incoming_bytes_ = 0;
    incoming_.push_back({loop_.now(), {}, "connection reset by peer"});
    expect_arrival();
  }

  void reachability_changed() { expect_arrival(); }

  [[nodiscard]] bool is_open() const { return !is_closed_ && !is_broken_ && !is_ended_; }
  [[nodiscard]] std::size_t queued_bytes() const { return queued_.size_bytes(); }
  [[nodiscard]] TimePoint last_progress() const { return queued_.is_empty() ? loop_.now() : last_progress_; }
  [[nodiscard]] const SocketAddress& local() const { return local_; }
  [[nodiscard]] const SocketAddress& remote() const { return remote_; }

 private:
  struct Item {
    TimePoint at;
    std::string bytes;
    std::optional<std::string> end;
  };

  void receive(std::string bytes, std::optional<std::string> end) {
    if (is_closed_ || is_broken_) return;
    incoming_bytes_ += bytes.size();
    incoming_.push_back({loop_.now() + internet_->conditions.delay, std::move(bytes), std::move(end)});
    expect_arrival();
  }

  void expect_arrival() {
    if (is_closed_ || !is_started_ || is_ended_ || incoming_.empty()) return;
    if (!is_broken_ && !internet_->is_reachable(local_.address, remote_.address)) return;
    arrival_->arm(incoming_.front().at - loop_.now());
  }

  void arrive() {
    if (is_closed_ || is_ended_ || incoming_.empty()) return;
    if (!is_broken_ && !internet_->is_reachable(local_.address, remote_.address)) return;
    const auto self = shared_from_this();
    Item item = std::move(incoming_.front());
    incoming_.pop_front();
    incoming_bytes_ -= item.bytes.size();
    if (peer_ != nullptr) peer_->schedule_send();
    if (item.end) {
      is_ended_ = true;
      if (events_.on_closed) events_.on_closed(*item.end);
    } else if (events_.on_bytes) {
      events_.on_bytes(bytes::view_of(item.bytes));
    }
    expect_arrival();
  }

  void schedule_send() {
    if (is_closed_ || std::exchange(is_send_scheduled_, true)) return;
    loop_.post([self = shared_from_this()] { self->send(); });
  }

  void send() {
    is_send_scheduled_ = false;
    const bool had_bytes = !queued_.is_empty();
    send_all();
    if (is_closed_ || !had_bytes || !queued_.is_empty() || !is_started_ || is_ended_) return;
    if (events_.on_writable) events_.on_writable();
  }

  void send_all() {
    if (is_closed_ || is_broken_ || peer_ == nullptr || peer_->is_closed_) return;
    while (!queued_.is_empty() && peer_->incoming_bytes_ < internet_->conditions.window_bytes) send_piece();
  }

  void send_piece() {
    const std::size_t room = internet_->conditions.window_bytes - peer_->incoming_bytes_;
    iovec front{};
    queued_.gather(&front, 1);
    std::size_t count = std::min(front.iov_len, room);
    const std::size_t limit = internet_->conditions.piece_bytes_max;
    if (limit > 0) count = std::min<std::size_t>(count, 1 + internet_->random.below(limit));
    peer_->receive(std::string(static_cast<const char*>(front.iov_base), count), std::nullopt);
    queued_.consume(count);
    last_progress_ = loop_.now();
  }

  std::shared_ptr<SimInternet::Impl> internet_;
  loop::SimLoop& loop_;
  SocketAddress local_, remote_;
  std::unique_ptr<loop::Timer> arrival_;
  std::shared_ptr<End> peer_;  // null once closed
  Connection::Events events_;
  PacketQueue queued_;
  TimePoint last_progress_;
  std::deque<Item> incoming_;
  std::size_t incoming_bytes_ = 0;
  bool is_started_ = false;
  bool is_ended_ = false;   // on_closed has run
  bool is_closed_ = false;  // the handle is gone
  bool is_broken_ = false;
  bool is_send_scheduled_ = false;
};

class SimConnection final : public Connection {
 public:
  explicit SimConnection(std::shared_ptr<End> end) : end_(std::move(end)) {}
  ~SimConnection() override { end_->close(false); }
  void start(Events events) override { end_->start(std::move(events)); }
  void write(std::vector<rib::Packet> packets) override { end_->write(std::move(packets)); }
  [[nodiscard]] std::size_t queued_bytes() const override { return end_->queued_bytes(); }
  [[nodiscard]] TimePoint last_progress() const override { return end_->last_progress(); }
  void close_gracefully() override { end_->close(true); }
  [[nodiscard]] SocketAddress local() const override { return end_->local(); }
  [[nodiscard]] SocketAddress remote() const override { return end_->remote(); }

 private:
  std::shared_ptr<End> end_;
};

class SimAttempt final : public Handle {
 public:
  explicit SimAttempt(std::unique_ptr<loop::Timer> timer) : timer_(std::move(timer)) {}

 private:
  std::unique_ptr<loop::Timer> timer_;
};

class Host final : public Transport {
 public:
  Host(std::shared_ptr<SimInternet::Impl> internet, std::vector<IpAddress> addresses)
      : internet_(std::move(internet)), addresses_(std::move(addresses)) {
    for (const IpAddress& address : addresses_) MARGAY_CHECK(internet_->hosts.emplace(address, this).second);
  }
  ~Host() override {
    for (const IpAddress& address : addresses_) internet_->hosts.erase(address);
  }

  std::unique_ptr<Handle> connect(const ConnectRequest& request,
                                  Callback<void(Result<std::unique_ptr<Connection>>)> done) override {
    const Duration wait = answers(request) ? 2 * internet_->conditions.delay : request.timeout;
    // The timer's task lives in the timer: `done` must outlive its own call, which may destroy the handle.
    auto shared_done = std::make_shared<decltype(done)>(std::move(done));
    auto timer = internet_->loop.make_timer([this, request, shared_done] {
      const auto call = shared_done;  // NOLINT(performance-unnecessary-copy-initialization): it keeps it alive
      (*call)(establish(request));
    });
    timer->arm(wait);
    return std::make_unique<SimAttempt>(std::move(timer));
  }

  Status listen(std::vector<IpAddress> addresses, std::uint16_t port,
                std::function<void(std::unique_ptr<Connection>)> on_accepted) override {
    listen_addresses_ = std::move(addresses);
    listen_port_ = port;
    on_accepted_ = std::move(on_accepted);
    return ok_status();
  }
  void stop_listening() override { on_accepted_ = nullptr; }

  void set_peer_options(std::map<IpPrefix, PeerSocketOptions> peers) override { options_ = std::move(peers); }

  [[nodiscard]] LinkFacts link_facts(const IpAddress&, const IpAddress&) const override {
    LinkFacts facts;
    facts.is_directly_connected = true;
    for (const IpAddress& address : addresses_) {
      auto& place = address.is_v4() ? facts.ipv4 : facts.ipv6;
      if (!place) place = address;
    }
    return facts;
  }

  [[nodiscard]] bool listens_on(const SocketAddress& address) const {
    const bool is_ours = listen_addresses_.empty() || std::find(listen_addresses_.begin(), listen_addresses_.end(),
                                                                address.address) != listen_addresses_.end();
    return on_accepted_ != nullptr && is_ours && listen_port_ == address.port;
  }
  [[nodiscard]] std::string password_for(const IpAddress& remote) const {
    for (int length = address_bits(remote.family()); length >= 0; --length) {
      const auto found = options_.find(IpPrefix::containing(remote, length));
      if (found != options_.end()) return found->second.password;
    }
    return {};
  }

 private:
  [[nodiscard]] std::optional<IpAddress> source_of(const ConnectRequest& request) const {
    for (const IpAddress& address : addresses_) {
      if (request.source ? address == *request.source : address.family() == request.remote.address.family()) {
        return address;
      }
    }
    return std::nullopt;
  }
  [[nodiscard]] Host* host_of(const IpAddress& address) const {
    const auto found = internet_->hosts.find(address);
    return found == internet_->hosts.end() ? nullptr : found->second;
  }

  // Whether a connection is made or refused; otherwise there is silence.
  [[nodiscard]] bool answers(const ConnectRequest& request) const {
    const auto source = source_of(request);
    if (!source) return true;
    const Host* const there = host_of(request.remote.address);
    return there != nullptr && internet_->is_reachable(*source, request.remote.address) &&
           there->password_for(*source) == request.options.password;
  }

  Result<std::unique_ptr<Connection>> establish(const ConnectRequest& request) {
    const std::string what = concat("connect to ", request.remote.to_string());
    const auto source = source_of(request);
    if (!source) return Error{ErrorCode::kUnavailable, concat(what, ": no such source address")};
    if (!answers(request)) return Error{ErrorCode::kTimeout, concat(what, ": no answer")};
    Host* const there = host_of(request.remote.address);
    if (!there->listens_on(request.remote)) return Error{ErrorCode::kUnavailable, concat(what, ": refused")};
    const SocketAddress local{*source, internet_->next_port++};
    auto ours = std::make_shared<End>(internet_, local, request.remote);
    auto theirs = std::make_shared<End>(internet_, request.remote, local);
    ours->join(theirs);
    theirs->join(ours);
    if (internet_->ends.size() % 64 == 0) {
      std::erase_if(internet_->ends, [](const auto& end) { return end.expired(); });
    }
    internet_->ends.push_back(ours);
    internet_->ends.push_back(theirs);
    internet_->loop.post([internet = internet_, there_address = request.remote.address, theirs] {
      const auto found = internet->hosts.find(there_address);
      auto connection = std::make_unique<SimConnection>(theirs);
      if (found != internet->hosts.end() && found->second->on_accepted_) {
        found->second->on_accepted_(std::move(connection));
      }
    });
    return std::unique_ptr<Connection>(std::make_unique<SimConnection>(std::move(ours)));
  }

  std::shared_ptr<SimInternet::Impl> internet_;
  std::vector<IpAddress> addresses_;
  std::vector<IpAddress> listen_addresses_;
  std::uint16_t listen_port_ = 0;
  std::function<void(std::unique_ptr<Connection>)> on_accepted_;
  std::map<IpPrefix, PeerSocketOptions> options_;
};

}  // namespace

SimInternet::SimInternet(loop::SimLoop& loop, std::uint64_t seed) : impl_(std::make_shared<Impl>(loop, seed)) {}
SimInternet::~SimInternet() = default;

void SimInternet::set_conditions(const SimConditions& conditions) { impl_->conditions = conditions; }

std::unique_ptr<Transport> SimInternet::add_host(std::vector<IpAddress> addresses) {
  return std::make_unique<Host>(impl_, std::move(addresses));
}

void SimInternet::set_reachable(const IpAddress& a, const IpAddress& b, bool is_reachable) {
  if (is_reachable) {
    impl_->cuts.erase(ordered(a, b));
  } else {
    impl_->cuts.insert(ordered(a, b));
  }
  for (const auto& weak : impl_->ends) {
    if (const auto end = weak.lock()) end->reachability_changed();
  }
}

void SimInternet::break_connections(const IpAddress& a, const IpAddress& b) {
  for (const auto& weak : impl_->ends) {
    const auto end = weak.lock();
    if (end && ordered(end->local().address, end->remote().address) == ordered(a, b)) end->reset();
  }
}

void SimInternet::break_all_connections() {
  for (const auto& weak : impl_->ends) {
    if (const auto end = weak.lock()) end->reset();
  }
}

std::size_t SimInternet::connection_count() const {
  std::erase_if(impl_->ends, [](const std::weak_ptr<End>& weak) { return weak.expired(); });
  return static_cast<std::size_t>(std::count_if(impl_->ends.begin(), impl_->ends.end(),
                                                [](const auto& weak) {
                                                  const auto end = weak.lock();
                                                  return end && end->is_open();
                                                })) /
         2;
}

}  // namespace margay::bgp::session
