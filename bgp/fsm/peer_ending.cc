// How connections of a peer end, and which of two survives.
#include <algorithm>
#include <chrono>
#include <compare>
#include <utility>

#include "bgp/fsm/notification_codes.h"
#include "bgp/fsm/peer.h"
#include "bgp/fsm/retention.h"

namespace margay::bgp::fsm {
namespace {

using Kind = DownReason::Kind;

// Both sides may have connected at once when the second connection comes that soon after the first.
constexpr Duration kCrossingTime = std::chrono::seconds(5);
constexpr int kFaultsMax = 32;

// Whether our NOTIFICATION is what ends the connection.
bool says_why(Kind kind) {
  switch (kind) {
    case Kind::kNotificationSent:
    case Kind::kHoldTimeExpired:
    case Kind::kSendHoldTimeExpired:
    case Kind::kAdministrative: return true;
    case Kind::kNotificationReceived:
    case Kind::kConnectionClosed:
    case Kind::kConnectFailed: return false;
  }
  return false;
}

// RFC 4271 §6.8, RFC 6286 §2.3: the connection begun by the higher identifier stays; equal ones compare AS numbers.
Direction direction_that_stays(const Negotiated& session) {
  const auto ours = std::pair(session.local_id, session.local_asn);
  const auto theirs = std::pair(session.remote_id, session.remote_asn);
  return ours > theirs ? Direction::kOutgoing : Direction::kIncoming;
}

// RFC 4724 §5: a new connection of a peer with Graceful Restart means that the old one is dead. One that says so itself
// (R bit) is believed at once, others once the session is too old for a crossing.
bool has_restarted(const Session& old, const Negotiated& fresh, TimePoint now) {
  if (!old.negotiated().graceful_restart) return false;
  const std::optional<GracefulRestart>& offered = fresh.received.graceful_restart;
  return (offered && offered->restarting) || now - old.established_at() >= kCrossingTime;
}

}  // namespace

Notification Peer::collision() { return {error_code::kCease, cease_subcode::kConnectionCollision, {}}; }

// A peer opens one connection at a time: a second one means that it gave up the first. An established session stays
// until the OPEN is there.
Peer::Lane* Peer::lane_for_accepted() {
  for (Lane& lane : lanes_) {
    if (!lane || lane->direction() != Direction::kIncoming || lane->is_established()) continue;
    drop(lane, collision());
    return &lane;
  }
  if (!lanes_[1]) return &lanes_[1];
  return lanes_[0] ? nullptr : &lanes_[0];
}

bool Peer::survives_collision(const Lane& fresh, const Negotiated& session, TimePoint now) {
  Lane& other = &fresh == &lanes_[0] ? lanes_[1] : lanes_[0];
  if (!other) return true;
  if (!other->is_connected()) {
    drop(other, std::nullopt);
    return true;
  }
  if (other->is_established()) {
    if (!has_restarted(*other, session, now)) {
      out_.push(Send{other->id(), Keepalive{}});  // if the peer's side of it is gone, its TCP answers with a reset
      return false;
    }
    DownReason reason{Kind::kConnectionClosed, std::nullopt, "the peer restarted and connected anew"};
    reason.keeps_routes = keeps_routes(other->negotiated(), reason);
    end(other, {std::move(reason)}, now);
    return true;
  }
  // One that has stood in OpenSent for so long gets no OPEN any more: the peer forgot it.
  const bool is_forgotten = other->state() == State::kOpenSent && now - other->connected_at() >= kCrossingTime;
  if (!is_forgotten && fresh->direction() != direction_that_stays(session)) return false;
  drop(other, collision());
  return true;
}

void Peer::drop(Lane& lane, const std::optional<Notification>& farewell) {
  const bool was_confirmed = lane->is_confirmed();
  if (farewell && lane->has_sent_open()) out_.push(Send{lane->id(), *farewell});
  out_.push(Close{lane->id()});
  out_.disarm(lane->hold_timer());
  if (was_confirmed) out_.disarm(TimerKind::kKeepalive);
  lane.reset();
}

void Peer::end(Lane& lane, Ending ending, TimePoint now) {
  const Session session = *std::exchange(lane, std::nullopt);
  DownReason& reason = ending.reason;
  if (says_why(reason.kind) && reason.notification && session.has_sent_open())
    out_.push(Send{session.id(), *reason.notification});
  if (!ending.is_closed) out_.push(Close{session.id()});
  out_.disarm(session.hold_timer());
  if (session.is_confirmed()) {
    out_.disarm(TimerKind::kKeepalive);
    out_.disarm(TimerKind::kSendHold);
  }
  if (session.is_established() || times_established_ == 0) last_error_ = reason;
  if (!session.is_established()) {
    last_attempt_error_ = reason;
    out_.push(AttemptFailed{std::move(reason)});
    return;
  }
  if (now - session.established_at() >= config_.timers.idle_hold_max) faults_ = 0;
  without_capabilities_ = false;
  out_.push(SessionDown{session.id(), std::move(reason)});
}

void Peer::finish(Lane& lane, Ending ending, TimePoint now) {
  const Ending::Next next = ending.next;
  end(lane, std::move(ending), now);
  after_end(next);
}

void Peer::finish_all(const Notification& reason, bool may_keep_routes, TimePoint now) {
  for (Lane& lane : lanes_) {
    if (!lane) continue;
    if (!lane->is_established()) {
      drop(lane, reason);
      continue;
    }
    DownReason down{Kind::kAdministrative, as_sent(lane->negotiated(), reason),
                    may_keep_routes ? "reset" : "administratively stopped"};
    down.keeps_routes = may_keep_routes && keeps_routes(lane->negotiated(), down);
    end(lane, {std::move(down)}, now);
  }
}

// While another connection lives, only the attempts go on.
void Peer::after_end(Ending::Next next) {
  if (!is_empty() || next == Ending::Next::kRetry) return retry_later();
  without_capabilities_ = false;
  if (next != Ending::Next::kIdleBrief) faults_ = std::min(faults_ + 1, kFaultsMax);
  accepts_while_held_ = next == Ending::Next::kIdleBrief || (next == Ending::Next::kIdleHold && faults_ <= 1);
  switch (next) {
    case Ending::Next::kRetry: return;
    case Ending::Next::kIdleBrief: return hold_idle(config_.timers.idle_hold_min);
    case Ending::Next::kIdleHold: return hold_idle(back_off());
    case Ending::Next::kIdleLong: return hold_idle(config_.timers.idle_hold_max);
  }
}

void Peer::hold_idle(Duration time) {
  out_.disarm(TimerKind::kConnectRetry);
  mode_ = Mode::kIdleHold;
  out_.arm(TimerKind::kIdleHold, jittered(time, random_));
}

Duration Peer::back_off() const {
  Duration time = config_.timers.idle_hold_min;
  for (int fault = 1; fault < faults_ && time < config_.timers.idle_hold_max; ++fault) time *= 2;
  return std::min(time, config_.timers.idle_hold_max);
}

}  // namespace margay::bgp::fsm
