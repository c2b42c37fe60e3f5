#include "bgp/fsm/session.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/core/text.h"
#include "bgp/fsm/negotiate.h"
#include "bgp/fsm/notification_codes.h"
#include "bgp/fsm/retention.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::seconds;
using Kind = DownReason::Kind;

constexpr Duration kKeepaliveMin = seconds(1);              // RFC 4271 §4.4: at most one a second
constexpr Duration kSendHoldMin = std::chrono::minutes(8);  // RFC 9687 §3.1

Duration keepalive_delay(Duration interval, Random& random) {
  return std::max(kKeepaliveMin, jittered(interval, random));
}

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::kOpen: return "OPEN";
    case MessageType::kUpdate: return "UPDATE";
    case MessageType::kNotification: return "NOTIFICATION";
    case MessageType::kKeepalive: return "KEEPALIVE";
    case MessageType::kRouteRefresh: return "ROUTE-REFRESH";
  }
  return "message";
}

// RFC 4271 §6.8: a collision that the peer resolved is no fault; nor is it one to come before the peer knows us, and
// holding idle would then refuse it when it does. RFC 5492 §3: after Unsupported Optional Parameter the
// next attempt goes without capabilities; after Unsupported Capability none should follow by itself.
Ending::Next after_notification(const Notification& notification, bool had_capabilities) {
  const auto is = [&](std::uint8_t code, std::uint8_t subcode) {
    return notification.code == code && notification.subcode == subcode;
  };
  if (is(error_code::kCease, cease_subcode::kConnectionRejected)) return Ending::Next::kRetry;
  if (is(error_code::kCease, cease_subcode::kConnectionCollision)) return Ending::Next::kRetry;
  if (is(error_code::kOpen, open_subcode::kUnsupportedParameter) && had_capabilities) return Ending::Next::kIdleBrief;
  if (is(error_code::kOpen, open_subcode::kUnsupportedCapability)) return Ending::Next::kIdleLong;
  return Ending::Next::kIdleHold;
}

std::string in_seconds(Duration duration) {
  return concat(std::chrono::duration_cast<seconds>(duration).count(), " s");
}

}  // namespace

Session::Session(Identity identity, PeerConfig config) : identity_(identity), config_(std::move(config)) {}

void Session::on_connected(TimePoint now, Outbox& out) {
  is_connected_ = true;
  connected_at_ = last_received_ = last_sent_ = now;
  if (config_.timers.delay_open > Duration{}) return out.arm(hold_timer(), config_.timers.delay_open);
  send_open(out);
}

void Session::send_open(Outbox& out) {
  state_ = State::kOpenSent;
  out.push(Send{id(), make_open(config_)});
  out.arm(hold_timer(), config_.timers.open_hold);
}

Result<Negotiated, Ending> Session::check_open(const Open& open) const {
  if (state_ != State::kOpenSent && !is_delaying()) return fsm_error(MessageType::kOpen);
  Result<Negotiated, DecodeError> session = negotiate(config_, open);
  if (session.ok()) return std::move(session).value();
  DecodeError error = std::move(session).error();
  Ending ending = fault({Kind::kNotificationSent, std::move(error.notification), std::move(error.what)});
  if (ending.reason.notification->subcode == open_subcode::kUnsupportedCapability)
    ending.next = Ending::Next::kIdleLong;
  return ending;
}

// RFC 4271 §8.2.2, OpenSent, event 19; Connect and Active, event 20.
void Session::confirm(Negotiated session, TimePoint now, Random& random, Outbox& out) {
  if (is_delaying()) send_open(out);
  state_ = State::kOpenConfirm;
  negotiated_ = std::move(session);
  last_received_ = now;
  out.push(Send{id(), Keepalive{}});
  if (negotiated_.keepalive) out.arm(TimerKind::kKeepalive, keepalive_delay(*negotiated_.keepalive, random));
  // Without a hold time the one for the OPEN goes on, so that a peer that falls silent here cannot hold us for ever.
  if (negotiated_.hold) out.arm(hold_timer(), *negotiated_.hold);
}

std::optional<Ending> Session::on_keepalive(TimePoint now, Outbox& out) {
  if (!is_confirmed()) return fsm_error(MessageType::kKeepalive);
  last_received_ = now;
  if (is_established()) return std::nullopt;
  state_ = State::kEstablished;
  established_at_ = last_sent_ = now;
  if (!negotiated_.hold) out.disarm(hold_timer());
  out.push(SessionUp{id(), negotiated_});
  return std::nullopt;
}

std::optional<Ending> Session::on_data(MessageType type, TimePoint now) {
  if (!is_established()) return fsm_error(type);
  last_received_ = now;
  return std::nullopt;
}

// No NOTIFICATION answers a NOTIFICATION (RFC 4271 §6.4), also where the table of §8.2.2 would have an FSM error sent.
Ending Session::on_notification(const Notification& notification) const {
  Ending ending = fault({Kind::kNotificationReceived, notification, concat("received ", notification.to_string())});
  ending.next = after_notification(notification, config_.capabilities != Capabilities{});
  // RFC 4271 §8.2.2, Connect and Active, event 24: the peer has another version, and it is no fault.
  if (is_delaying() && notification.code == error_code::kOpen &&
      notification.subcode == open_subcode::kUnsupportedVersion) {
    ending.next = Ending::Next::kRetry;
  }
  return ending;
}

// RFC 4271 §8.2.2: what is out of place is an error of the machine, however wrong it is in itself (events 22 and 28).
Ending Session::on_bad_message(const DecodeError& error) const {
  const std::uint8_t code = error.notification.code;
  if (code == error_code::kOpen && is_established()) return fsm_error(MessageType::kOpen);
  if (code == error_code::kUpdate && !is_established()) return fsm_error(MessageType::kUpdate);
  if (code == error_code::kRouteRefresh && !is_established()) return fsm_error(MessageType::kRouteRefresh);
  return fault({Kind::kNotificationSent, error.notification, error.what});
}

// RFC 4271 §8.2.2, event 18: from OpenSent to Active, from the later states to Idle.
Ending Session::on_closed(const std::string& why) const {
  Ending ending = fault({Kind::kConnectionClosed, std::nullopt, concat("connection closed: ", why)});
  ending.is_closed = true;
  if (!is_confirmed()) ending.next = Ending::Next::kRetry;
  return ending;
}

// Messages only note their time: the timer goes off when the hold time has passed since it was armed, and goes on for
// the rest of it if something came in between.
std::optional<Ending> Session::on_hold_timer(TimePoint now, Outbox& out) {
  if (is_delaying()) {  // event 12
    last_received_ = now;
    send_open(out);
    return std::nullopt;
  }
  const std::optional<Duration> hold = hold_time();
  if (!hold) return std::nullopt;
  const Duration left = last_received_ + *hold - now;
  if (left > Duration{}) {
    out.arm(hold_timer(), left);
    return std::nullopt;
  }
  return fault({Kind::kHoldTimeExpired, Notification{error_code::kHoldTimerExpired, 0, {}},
                concat("hold time of ", in_seconds(*hold), " expired in ", fsm::to_string(state_))});
}

void Session::on_keepalive_timer(Random& random, Outbox& out) const {
  if (!is_confirmed() || !negotiated_.keepalive) return;
  out.push(Send{id(), Keepalive{}});
  out.arm(TimerKind::kKeepalive, keepalive_delay(*negotiated_.keepalive, random));
}

void Session::set_keepalive(const Timers& timers, Random& random, Outbox& out) {
  if (!is_confirmed() || !negotiated_.hold) return;
  const Duration interval = keepalive_interval(timers, *negotiated_.hold);
  if (negotiated_.keepalive == interval) return;
  negotiated_.keepalive = interval;
  on_keepalive_timer(random, out);
}

void Session::on_send_blocked(TimePoint now, Outbox& out) const {
  const std::optional<Duration> send_hold = send_hold_time();
  if (!send_hold || out.is_armed(TimerKind::kSendHold)) return;
  out.arm(TimerKind::kSendHold, std::max(Duration{}, last_sent_ + *send_hold - now));
}

// RFC 9687 §4.
std::optional<Ending> Session::on_send_hold_timer(TimePoint now, Outbox& out) const {
  const std::optional<Duration> send_hold = send_hold_time();
  if (!send_hold) return std::nullopt;
  const Duration left = last_sent_ + *send_hold - now;
  if (left > Duration{}) {
    out.arm(TimerKind::kSendHold, left);
    return std::nullopt;
  }
  return fault({Kind::kSendHoldTimeExpired, Notification{error_code::kSendHoldTimerExpired, 0, {}},
                concat("the peer read nothing for ", in_seconds(*send_hold))});
}

// RFC 6608 §3: the subcode says in which state, the data what came.
Ending Session::fsm_error(MessageType unexpected) const {
  std::uint8_t subcode = 0;
  if (state_ == State::kOpenSent) subcode = 1;
  if (state_ == State::kOpenConfirm) subcode = 2;
  if (state_ == State::kEstablished) subcode = 3;
  Notification notification{error_code::kStateMachine, subcode, std::string(1, static_cast<char>(unexpected))};
  return fault({Kind::kNotificationSent, std::move(notification),
                concat(to_string(unexpected), " received in ", fsm::to_string(state_))});
}

Ending Session::fault(DownReason reason) const {
  if (is_established()) reason.keeps_routes = keeps_routes(negotiated_, reason);
  return {std::move(reason), Ending::Next::kIdleHold, false};
}

std::optional<Duration> Session::hold_time() const {
  if (!is_confirmed()) return config_.timers.open_hold;
  if (negotiated_.hold || is_established()) return negotiated_.hold;
  return config_.timers.open_hold;
}

// RFC 9687 §3.1: none without a hold time.
std::optional<Duration> Session::send_hold_time() const {
  if (!is_established() || !negotiated_.hold) return std::nullopt;
  const Duration send_hold = config_.timers.send_hold.value_or(std::max(kSendHoldMin, 2 * *negotiated_.hold));
  if (send_hold <= Duration{}) return std::nullopt;
  return send_hold;
}

}  // namespace margay::bgp::fsm
