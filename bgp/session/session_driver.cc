#include "bgp/session/session_driver.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "bgp/wire/decode.h"
#include "bgp/wire/encode.h"

namespace margay::bgp::session {
namespace {

constexpr std::size_t kHighMark = 1024 * 1024;
constexpr Duration kConnectTimeout = std::chrono::seconds(30);

}  // namespace

SessionDriver::SessionDriver(Parts parts, rib::PeerId peer, DriverSettings settings, Events events)
    : parts_(std::move(parts)),
      peer_(peer),
      settings_(std::move(settings)),
      events_(std::move(events)),
      machine_(settings_.machine, parts_.random) {}

SessionDriver::~SessionDriver() = default;

void SessionDriver::set_settings(DriverSettings settings) {
  const bool is_other_pace = settings_.machine.timers.keepalive != settings.machine.timers.keepalive;
  settings_ = std::move(settings);
  machine_.set_config(settings_.machine);
  if (is_other_pace) step(fsm::TimersChanged{});
  for (auto& [id, link] : links_) {
    link->context.enforce_first_as = settings_.enforce_first_as;
    link->context.allow_as_set = settings_.allow_as_set;
  }
}

void SessionDriver::start() { step(fsm::Start{}); }
void SessionDriver::stop(Notification reason) { step(fsm::Stop{std::move(reason)}); }
void SessionDriver::reset(Notification reason) { step(fsm::Reset{std::move(reason)}); }

void SessionDriver::accept(std::unique_ptr<Connection> connection) {
  const fsm::ConnectionId id = machine_.next_connection_id();
  add_link(id, std::move(connection));
  step(fsm::Accepted{id});
}

void SessionDriver::lost(std::string why) {
  if (!session_) return;
  const fsm::ConnectionId id = *session_;
  links_.erase(id);
  step(fsm::Closed{id, std::move(why)});
}

// Inputs that come up while others are worked on wait for their turn.
void SessionDriver::step(fsm::Input input) {
  inputs_.push_back(std::move(input));
  if (std::exchange(is_stepping_, true)) return;
  while (!inputs_.empty()) {
    const fsm::Input next = std::move(inputs_.front());
    inputs_.pop_front();
    for (const fsm::Output& output : machine_.step(next, now())) {
      std::visit([this](const auto& what) { perform(what); }, output);
    }
  }
  is_stepping_ = false;
}

void SessionDriver::perform(const fsm::Connect& connect) {
  const ConnectRequest request{settings_.remote, settings_.source, settings_.socket, kConnectTimeout};
  const fsm::ConnectionId id = connect.id;
  attempts_[id] = parts_.transport.connect(request, [this, id](auto result) { connected(id, std::move(result)); });
}

void SessionDriver::connected(fsm::ConnectionId id, Result<std::unique_ptr<Connection>> result) {
  // The attempt's handle must outlive this call, which is its callback.
  parts_.loop.post([handle = std::shared_ptr<Handle>(std::move(attempts_[id]))] {});
  attempts_.erase(id);
  if (!result) return step(fsm::ConnectFailed{id, result.error().message});
  add_link(id, std::move(result).value());
  step(fsm::Connected{id});
}

void SessionDriver::add_link(fsm::ConnectionId id, std::unique_ptr<Connection> connection) {
  auto link = std::make_shared<Link>();
  link->connection = std::move(connection);
  links_[id] = link;
  // The link owns the connection, which owns the callbacks: they must not own the link.
  const std::weak_ptr<Link> weak = link;
  link->connection->start({[this, id, weak](bytes::View bytes) {
                             if (const auto alive = weak.lock()) on_bytes(id, alive, bytes);
                           },
                           [this, id] {
                             if (session_ == id) write_output();
                           },
                           [this, id](std::string why) {
                             links_.erase(id);
                             step(fsm::Closed{id, std::move(why)});
                           }});
}

void SessionDriver::perform(const fsm::Send& send) {
  std::string bytes;
  if (const auto* const open = std::get_if<Open>(&send.message)) {
    encode_open(*open, bytes);
    ++sent_.opens;
  } else if (const auto* const notification = std::get_if<Notification>(&send.message)) {
    encode_notification(*notification, bytes);
    ++sent_.notifications;
    parts_.log.info("notification sent", {{"notification", notification->to_string()}});
  } else {
    encode_keepalive(bytes);
    ++sent_.keepalives;
  }
  write(send.id, std::move(bytes));
}

void SessionDriver::write(fsm::ConnectionId id, std::string bytes) {
  const auto found = links_.find(id);
  if (found == links_.end()) return;
  ++sent_.total;
  sent_.bytes += bytes.size();
  const bool is_blocked = found->second->connection->queued_bytes() > 0;
  std::vector<rib::Packet> packets;
  packets.push_back(std::make_shared<const std::string>(std::move(bytes)));
  found->second->connection->write(std::move(packets));
  if (is_blocked) step(fsm::SendBlocked{id});
}

void SessionDriver::perform(const fsm::Close& close) {
  attempts_.erase(close.id);
  const auto found = links_.find(close.id);
  if (found == links_.end()) return;
  const std::shared_ptr<Link> link = std::move(found->second);
  links_.erase(found);
  link->connection->close_gracefully();
  if (session_ != close.id && events_.on_attempt_ended) events_.on_attempt_ended();
}

void SessionDriver::perform(const fsm::Arm& arm) {
  auto& timer = timers_[static_cast<std::size_t>(arm.kind)];
  if (timer == nullptr) timer = parts_.loop.make_timer([this, kind = arm.kind] { timer_fired(kind); });
  timer->arm(arm.after);
}

void SessionDriver::perform(const fsm::Disarm& disarm) {
  if (auto& timer = timers_[static_cast<std::size_t>(disarm.kind)]) timer->disarm();
}

void SessionDriver::timer_fired(fsm::TimerKind kind) {
  // RFC 9687: only the connection knows when something last left.
  if (kind == fsm::TimerKind::kSendHold && session_) {
    if (const Link* const link = session_link()) machine_.note_sent(*session_, link->connection->last_progress());
  }
  step(fsm::TimerFired{kind});
}

void SessionDriver::perform(const fsm::SessionUp& up) {
  session_ = up.id;
  Link* const link = session_link();
  if (link == nullptr) return;
  link->context = up.session.decode_context();
  link->context.enforce_first_as = settings_.enforce_first_as;
  link->context.allow_as_set = settings_.allow_as_set;
  last_received_ = now();
  parts_.log.info("session up", {{"asn", up.session.remote_asn},
                                 {"router_id", up.session.remote_id},
                                 {"hold_time", up.session.hold.value_or(Duration{})}});
  events_.on_up(up.session, *link->connection);
}

void SessionDriver::perform(const fsm::SessionDown& down) {
  session_.reset();
  ++times_dropped_;
  last_error_ = {now(), std::exchange(bad_bytes_, {})};
  parts_.log.warn("session down", {{"reason", down.reason.text}, {"keeps_routes", down.reason.keeps_routes}});
  events_.on_down(down.reason);
}

void SessionDriver::perform(const fsm::AttemptFailed& failed) {
  last_attempt_error_ = {now(), std::exchange(bad_bytes_, {})};
  if (machine_.times_established() == 0) last_error_ = last_attempt_error_;
  parts_.log.debug("attempt failed", {{"reason", failed.reason.text}});
  if (events_.on_attempt_ended) events_.on_attempt_ended();
}

void SessionDriver::write_output() {
  Link* const link = session_link();
  if (link == nullptr) return;
  Connection& connection = *link->connection;
  if (connection.queued_bytes() >= kHighMark) return step(fsm::SendBlocked{*session_});
  while (connection.queued_bytes() < kHighMark) {
    auto packets = parts_.rib.take(peer_, kHighMark - connection.queued_bytes());
    if (packets.empty()) return;
    connection.write(std::move(packets));
  }
}

bool SessionDriver::request_refresh(Family family) {
  const fsm::Negotiated* const session = machine_.session();
  if (!session_ || session == nullptr || !session->route_refresh || !session->families[family]) return false;
  std::string bytes;
  encode_route_refresh({family, RefreshKind::kRequest}, bytes);
  ++sent_.refreshes;
  write(*session_, std::move(bytes));
  return true;
}

std::optional<Duration> SessionDriver::hold_time_left() const {
  const fsm::Negotiated* const session = machine_.session();
  if (session == nullptr || !session->hold) return std::nullopt;
  return *session->hold - (now() - last_received_);
}

const Connection* SessionDriver::connection() const {
  const auto found = session_ ? links_.find(*session_) : links_.end();
  return found == links_.end() ? nullptr : found->second->connection.get();
}

std::size_t SessionDriver::queued_bytes() const {
  const Connection* const at = connection();
  return at == nullptr ? 0 : at->queued_bytes();
}

SessionDriver::Link* SessionDriver::session_link() {
  const auto found = session_ ? links_.find(*session_) : links_.end();
  return found == links_.end() ? nullptr : found->second.get();
}

}  // namespace margay::bgp::session
