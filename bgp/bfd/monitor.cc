#include "bgp/bfd/monitor.h"

#include <utility>

#include "base/core/text.h"
#include "bgp/bfd/packet.h"
#include "bgp/bfd/sockets.h"

namespace margay::bgp::bfd {
namespace {

constexpr int kTtlOfTheSameLink = 255;  // RFC 5881 §5
constexpr int kDatagramsPerTurn = 64;   // so that a flood cannot keep the loop

}  // namespace

class Monitor::Impl {
 public:
  Impl(MonitorParts parts, Ports ports) : parts_(std::move(parts)), ports_(ports) {}
  ~Impl();

  Result<std::unique_ptr<Watch>> watch(const Target& target, const SessionConfig& config, Callback<void(bool)> on_down);
  [[nodiscard]] std::vector<SessionSnapshot> snapshot() const;
  [[nodiscard]] std::optional<std::uint16_t> port(IpFamily family, bool is_multihop) const;
  [[nodiscard]] std::uint64_t discarded() const { return discarded_; }

 private:
  class Entry;
  struct Receiver {
    loop::UniqueFd socket;
    std::unique_ptr<loop::FdWatch> watch;
  };
  using ReceiverKey = std::pair<IpFamily, bool>;

  Status ensure_receiver(ReceiverKey key);
  void read(ReceiverKey key);
  void on_datagram(const Datagram& datagram, bool is_multihop);
  Entry* find(const ControlPacket& packet, const Datagram& datagram, bool is_multihop);
  std::uint32_t new_discriminator();

  MonitorParts parts_;
  Ports ports_;
  std::map<ReceiverKey, Receiver> receivers_;
  std::map<std::uint32_t, Entry*> by_discriminator_;
  std::map<Target, Entry*> by_target_;
  std::uint64_t discarded_ = 0;
};

// One session with its timer and its sending socket.
class Monitor::Impl::Entry final : public Watch {
 public:
  Entry(Impl* monitor, Target target, Session session, loop::UniqueFd socket, Callback<void(bool)> on_down)
      : monitor_(monitor),
        target_(target),
        session_(session),
        socket_(std::move(socket)),
        on_down_(std::move(on_down)),
        timer_(monitor->parts_.loop.make_timer([this] { carry_out(session_.on_time(now())); })) {
    monitor_->by_discriminator_[session_.discriminator()] = this;
    monitor_->by_target_[target_] = this;
    arm();
  }
  ~Entry() override {
    if (monitor_ == nullptr) return;
    monitor_->by_discriminator_.erase(session_.discriminator());
    monitor_->by_target_.erase(target_);
  }
  // The monitor goes first: nothing happens any more.
  void detach() {
    monitor_ = nullptr;
    timer_.reset();
    socket_.reset();
  }

  [[nodiscard]] State state() const override { return session_.state(); }
  void set_config(const SessionConfig& config) override {
    if (monitor_ != nullptr) carry_out(session_.set_config(config, now()));
  }
  void set_admin_down(bool is_down) override {
    if (monitor_ != nullptr) carry_out(session_.set_admin_down(is_down, now()));
  }

  void receive(const ControlPacket& packet) { carry_out(session_.receive(packet, now())); }
  [[nodiscard]] const Target& target() const { return target_; }
  [[nodiscard]] SessionSnapshot snapshot() const {
    return {target_,
            session_.state(),
            session_.remote_state(),
            session_.diagnostic(),
            session_.discriminator(),
            session_.remote_discriminator(),
            session_.transmit_interval(),
            session_.detection_time(),
            ups_};
  }

 private:
  [[nodiscard]] TimePoint now() const { return monitor_->parts_.loop.now(); }

  void arm() {
    const std::optional<TimePoint> deadline = session_.next_deadline();
    if (deadline) {
      timer_->arm(*deadline - now());
    } else {
      timer_->disarm();
    }
  }

  // The last thing is the callback: it may destroy this.
  void carry_out(const Outcome& outcome) {
    const std::uint16_t standard = target_.is_multihop ? kMultihopPort : kSingleHopPort;
    for (const ControlPacket& packet : outcome.packets) {
      const std::string bytes = encode(packet);
      (void)send_to(socket_, target_.peer, target_.port.value_or(standard), bytes::view_of(bytes));
    }
    arm();
    if (outcome.change) report(*outcome.change);
  }

  void report(const StateChange& change) {
    if (change.to == State::kUp) ++ups_;
    if (change.to == State::kUp || change.from == State::kUp) {
      monitor_->parts_.log.info("BFD session", {{"peer", target_.peer.to_string()},
                                                {"state", to_string(change.to)},
                                                {"diagnostic", to_string(change.diagnostic)}});
    }
    const bool is_by_admin = change.to == State::kAdminDown || change.remote == State::kAdminDown;  // RFC 5882 §4.2
    if (change.from != State::kUp || is_by_admin) return;
    const std::weak_ptr<bool> alive = alive_;
    Callback<void(bool)> on_down = std::move(on_down_);  // must not die while it runs
    on_down(session_.remote_is_independent());
    if (!alive.expired()) on_down_ = std::move(on_down);
  }

  Impl* monitor_;  // nullptr once it is gone
  Target target_;
  Session session_;
  loop::UniqueFd socket_;
  Callback<void(bool)> on_down_;
  std::unique_ptr<loop::Timer> timer_;
  std::uint64_t ups_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Monitor::Impl::~Impl() {
  for (const auto& [target, entry] : by_target_) entry->detach();
}

Result<std::unique_ptr<Monitor::Watch>> Monitor::Impl::watch(const Target& target, const SessionConfig& config,
                                                             Callback<void(bool)> on_down) {
  if (by_target_.contains(target)) {
    return Error{ErrorCode::kAlreadyExists, concat("BFD: ", target.peer.to_string(), " is watched already")};
  }
  if (target.peer.family() != target.local.family()) {
    return Error{ErrorCode::kInvalid, concat("BFD: ", target.peer.to_string(), " and ", target.local.to_string(),
                                             " are of different families")};
  }
  MARGAY_RETURN_IF_ERROR(ensure_receiver({target.peer.family(), target.is_multihop}));
  MARGAY_ASSIGN_OR_RETURN(loop::UniqueFd socket, open_sender(target.local, parts_.random));
  Session session(new_discriminator(), config, parts_.random, parts_.loop.now());
  std::unique_ptr<Watch> entry = std::make_unique<Entry>(this, target, session, std::move(socket), std::move(on_down));
  return entry;
}

Status Monitor::Impl::ensure_receiver(ReceiverKey key) {
  if (receivers_.contains(key)) return ok_status();
  MARGAY_ASSIGN_OR_RETURN(loop::UniqueFd socket,
                          open_receiver(key.first, key.second ? ports_.multihop : ports_.single_hop));
  MARGAY_ASSIGN_OR_RETURN(std::unique_ptr<loop::FdWatch> watch, parts_.watcher.watch(
                                                                    socket.get(), [this, key] { read(key); }, [] {}));
  watch->want_readable();
  receivers_.emplace(key, Receiver{std::move(socket), std::move(watch)});
  return ok_status();
}

void Monitor::Impl::read(ReceiverKey key) {
  Receiver& receiver = receivers_.at(key);
  (void)receive_some(receiver.socket, kDatagramsPerTurn,
                     [&](const Datagram& datagram) { on_datagram(datagram, key.second); });
  receiver.watch->want_readable();
}

void Monitor::Impl::on_datagram(const Datagram& datagram, bool is_multihop) {
  if (!is_multihop && datagram.ttl != kTtlOfTheSameLink) {
    ++discarded_;
    return;
  }
  const Result<ControlPacket> packet = decode(datagram.bytes);
  Entry* entry = packet.ok() ? find(*packet, datagram, is_multihop) : nullptr;
  if (entry == nullptr) {
    ++discarded_;
    return;
  }
  entry->receive(*packet);
}

// RFC 5880 §6.3: by our discriminator, at first by addresses (RFC 5881 §3, RFC 5883 §4). The addresses must be right in
// either case, so that nobody else can end a session by guessing.
Monitor::Impl::Entry* Monitor::Impl::find(const ControlPacket& packet, const Datagram& datagram, bool is_multihop) {
  const auto is_right = [&](const Entry& entry) {
    const Target& target = entry.target();
    return target.peer == datagram.source && target.local == datagram.destination && target.is_multihop == is_multihop;
  };
  if (packet.your_discriminator != 0) {
    const auto found = by_discriminator_.find(packet.your_discriminator);
    return found != by_discriminator_.end() && is_right(*found->second) ? found->second : nullptr;
  }
  for (auto each = by_target_.lower_bound({datagram.source, datagram.destination, is_multihop, std::nullopt});
       each != by_target_.end() && is_right(*each->second); ++each) {
    return each->second;
  }
  return nullptr;
}

std::uint32_t Monitor::Impl::new_discriminator() {
  while (true) {
    const auto number = static_cast<std::uint32_t>(parts_.random.next());
    if (number != 0 && !by_discriminator_.contains(number)) return number;
  }
}

std::vector<SessionSnapshot> Monitor::Impl::snapshot() const {
  std::vector<SessionSnapshot> all;
  for (const auto& [target, entry] : by_target_) all.push_back(entry->snapshot());
  return all;
}

std::optional<std::uint16_t> Monitor::Impl::port(IpFamily family, bool is_multihop) const {
  const auto found = receivers_.find({family, is_multihop});
  if (found == receivers_.end()) return std::nullopt;
  const Result<std::uint16_t> port = port_of(found->second.socket);
  return port.ok() ? std::optional(*port) : std::nullopt;
}

// --- the outside ---

Monitor::Monitor(MonitorParts parts) : Monitor(std::move(parts), Ports{}) {}
Monitor::Monitor(MonitorParts parts, Ports ports) : impl_(std::make_unique<Impl>(std::move(parts), ports)) {}
Monitor::~Monitor() = default;

Result<std::unique_ptr<Monitor::Watch>> Monitor::watch(const Target& target, const SessionConfig& config,
                                                       Callback<void(bool)> on_down) {
  return impl_->watch(target, config, std::move(on_down));
}

std::vector<SessionSnapshot> Monitor::snapshot() const { return impl_->snapshot(); }

std::optional<std::uint16_t> Monitor::port(IpFamily family, bool is_multihop) const {
  return impl_->port(family, is_multihop);
}

std::uint64_t Monitor::discarded() const { return impl_->discarded(); }

}  // namespace margay::bgp::bfd
