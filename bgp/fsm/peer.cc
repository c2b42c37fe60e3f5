#include "bgp/fsm/peer.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"

namespace margay::bgp::fsm {
namespace {

using Kind = DownReason::Kind;

}  // namespace

Peer::Peer(PeerConfig config, Random& random) : config_(std::move(config)), random_(random) {}

std::vector<Output> Peer::step(const Input& input, TimePoint now) {
  std::visit([&](const auto& event) { on(event, now); }, input);
  note_state(now);
  return out_.take();
}

void Peer::set_config(PeerConfig config) {
  config_ = std::move(config);
  without_capabilities_ = false;
}

bool Peer::note_data(ConnectionId id, TimePoint now) {
  Lane* lane = find(id);
  if (lane == nullptr || !(*lane)->is_established()) return false;
  (*lane)->note_received(now);
  return true;
}

void Peer::note_sent(ConnectionId id, TimePoint now) {
  if (Lane* lane = find(id)) (*lane)->note_sent(now);
}

State Peer::state() const {
  if (is_empty()) return mode_ == Mode::kRunning ? State::kActive : State::kIdle;
  State furthest = State::kIdle;
  for (const Lane& lane : lanes_) {
    if (lane) furthest = std::max(furthest, lane->state());
  }
  return furthest;
}

const Negotiated* Peer::session() const {
  for (const Lane& lane : lanes_) {
    if (lane && lane->is_established()) return &lane->negotiated();
  }
  return nullptr;
}

// --- administration ---

void Peer::on(const Start&, TimePoint now) {
  if (mode_ == Mode::kRunning) {  // RFC 4271 §8.2.2: ignored; but nobody connects yet if the peer was passive before
    if (!has_outgoing() && !out_.is_armed(TimerKind::kConnectRetry)) retry_now(now);
    return;
  }
  const bool is_first = mode_ == Mode::kStopped;
  faults_ = 0;
  without_capabilities_ = false;
  run(is_first ? config_.timers.connect_delay : Duration{}, now);
}

void Peer::on(const Stop& stop, TimePoint now) {
  finish_all(stop.reason, false, now);
  mode_ = Mode::kStopped;
  out_.disarm_all();
}

void Peer::on(const TimersChanged&, TimePoint) {
  if (Lane* lane = find_confirmed()) (*lane)->set_keepalive(config_.timers, random_, out_);
}

void Peer::on(const Reset& reset, TimePoint now) {
  if (mode_ == Mode::kStopped) return;
  finish_all(reset.reason, true, now);
  faults_ = 0;
  without_capabilities_ = false;
  out_.disarm_all();
  run(Duration{}, now);
}

// --- connections ---

void Peer::on(const Connected& connected, TimePoint now) {
  Lane* lane = find_attempt();
  if (lane == nullptr || (*lane)->id() != connected.id) return;
  out_.disarm(TimerKind::kConnectRetry);
  (*lane)->on_connected(now, out_);
}

// The retry timer runs on: attempts keep their distance whatever becomes of them. But routers that start together
// refuse each other once or twice before both listen, and should not wait for seconds then.
void Peer::on(const ConnectFailed& failed, TimePoint now) {
  Lane* lane = find_attempt();
  if (lane == nullptr || (*lane)->id() != failed.id) return;
  finish(*lane, {{Kind::kConnectFailed, std::nullopt, failed.why}, Ending::Next::kRetry, true}, now);
  if (refused_retry_ <= Duration{} || refused_retry_ >= config_.timers.connect_retry) return;
  if (!out_.is_armed(TimerKind::kConnectRetry)) return;
  out_.disarm(TimerKind::kConnectRetry);
  out_.arm(TimerKind::kConnectRetry, jittered(refused_retry_, random_));
  refused_retry_ *= 2;
}

void Peer::on(const Accepted& accepted, TimePoint now) {
  if (find(accepted.id) != nullptr) return;
  if (mode_ == Mode::kIdleHold && accepts_while_held_) {
    out_.disarm(TimerKind::kIdleHold);
    mode_ = Mode::kRunning;
  }
  Lane* lane = mode_ == Mode::kRunning ? lane_for_accepted() : nullptr;
  if (lane == nullptr) {  // RFC 4271 §8.2.2, Idle: refused, and without a word: the peer stays ready for ours
    out_.push(Close{accepted.id});
    return;
  }
  const TimerKind hold = lane == &lanes_[0] ? TimerKind::kOutgoingHold : TimerKind::kIncomingHold;
  lane->emplace(Session::Identity{accepted.id, Direction::kIncoming, hold}, config_for_attempt());
  (*lane)->on_connected(now, out_);
  retry_later();
}

void Peer::on(const Closed& closed, TimePoint now) {
  if (Lane* lane = find(closed.id)) return finish(*lane, (*lane)->on_closed(closed.why), now);
  on(ConnectFailed{closed.id, closed.why}, now);
}

// --- messages ---

void Peer::on(const OpenReceived& received, TimePoint now) {
  Lane* lane = find(received.id);
  if (lane == nullptr) return;
  Result<Negotiated, Ending> session = (*lane)->check_open(received.open);
  if (!session.ok()) return finish(*lane, std::move(session).error(), now);
  if (!survives_collision(*lane, *session, now)) return drop(*lane, collision());
  out_.disarm(TimerKind::kConnectRetry);
  (*lane)->confirm(std::move(session).value(), now, random_, out_);
}

void Peer::on(const KeepaliveReceived& received, TimePoint now) {
  Lane* lane = find(received.id);
  if (lane == nullptr) return;
  const bool was_established = (*lane)->is_established();
  if (const std::optional<Ending> ending = (*lane)->on_keepalive(now, out_)) return finish(*lane, *ending, now);
  if (was_established) return;
  refused_retry_ = config_.timers.refused_retry;
  ++times_established_;
  last_attempt_error_.reset();
}

void Peer::on(const DataReceived& received, TimePoint now) {
  Lane* lane = find(received.id);
  if (lane == nullptr) return;
  if (const std::optional<Ending> ending = (*lane)->on_data(received.type, now)) finish(*lane, *ending, now);
}

void Peer::on(const NotificationReceived& received, TimePoint now) {
  Lane* lane = find(received.id);
  if (lane == nullptr) return;
  const auto& [code, subcode, data] = received.notification;
  const bool is_collision = code == collision().code && subcode == cease_subcode::kConnectionCollision;
  if (is_collision && !(*lane)->is_established() && has_two()) {
    drop(*lane, std::nullopt);  // the peer decided first: no error worth telling
    return retry_later();
  }
  const Ending ending = (*lane)->on_notification(received.notification);
  finish(*lane, ending, now);
  if (ending.next == Ending::Next::kIdleBrief) without_capabilities_ = true;
}

void Peer::on(const BadMessage& bad, TimePoint now) {
  if (Lane* lane = find(bad.id)) finish(*lane, (*lane)->on_bad_message(bad.error), now);
}

void Peer::on(const BytesSent& sent, TimePoint now) { note_sent(sent.id, now); }

void Peer::on(const SendBlocked& blocked, TimePoint now) {
  if (const Lane* lane = find(blocked.id)) (*lane)->on_send_blocked(now, out_);
}

// --- timers ---

void Peer::on(const TimerFired& fired, TimePoint now) {
  if (!out_.note_fired(fired.kind)) return;
  switch (fired.kind) {
    case TimerKind::kIdleHold: return run(Duration{}, now);
    case TimerKind::kConnectRetry: return retry_now(now);
    case TimerKind::kOutgoingHold:
    case TimerKind::kIncomingHold: return on_hold_timer(lanes_[fired.kind == TimerKind::kOutgoingHold ? 0 : 1], now);
    case TimerKind::kKeepalive:
      if (const Lane* lane = find_confirmed()) (*lane)->on_keepalive_timer(random_, out_);
      return;
    case TimerKind::kSendHold:
      if (Lane* lane = find_confirmed()) {
        if (const std::optional<Ending> ending = (*lane)->on_send_hold_timer(now, out_)) finish(*lane, *ending, now);
      }
      return;
  }
}

void Peer::on_hold_timer(Lane& lane, TimePoint now) {
  if (!lane) return;
  if (const std::optional<Ending> ending = lane->on_hold_timer(now, out_)) finish(lane, *ending, now);
}

// --- towards a connection ---

void Peer::run(Duration delay, TimePoint now) {
  refused_retry_ = config_.timers.refused_retry;
  out_.disarm(TimerKind::kIdleHold);
  mode_ = Mode::kRunning;
  if (config_.passive) return;
  if (delay <= Duration{}) return retry_now(now);
  out_.arm(TimerKind::kConnectRetry, delay);
}

void Peer::retry_now(TimePoint now) {
  if (config_.passive || find_confirmed() != nullptr) return;
  if (Lane* attempt = find_attempt()) {  // RFC 4271 §8.2.2, Connect, event 9
    end(*attempt, {{Kind::kConnectFailed, std::nullopt, "no answer"}}, now);
  }
  if (has_outgoing()) return;
  Lane& lane = lanes_[0] ? lanes_[1] : lanes_[0];
  if (lane) return;
  const TimerKind hold = &lane == &lanes_[0] ? TimerKind::kOutgoingHold : TimerKind::kIncomingHold;
  const ConnectionId id = next_connection_id();
  lane.emplace(Session::Identity{id, Direction::kOutgoing, hold}, config_for_attempt());
  out_.push(Connect{id});
  retry_later();
}

void Peer::retry_later() {
  if (config_.passive || find_confirmed() != nullptr || out_.is_armed(TimerKind::kConnectRetry)) return;
  if (has_outgoing() && find_attempt() == nullptr) return;
  out_.arm(TimerKind::kConnectRetry, jittered(config_.timers.connect_retry, random_));
}

PeerConfig Peer::config_for_attempt() const {
  PeerConfig config = config_;
  if (without_capabilities_) config.capabilities = {};
  return config;
}

// --- small questions ---

Peer::Lane* Peer::find(ConnectionId id) {
  for (Lane& lane : lanes_) {
    if (lane && lane->id() == id && lane->is_connected()) return &lane;
  }
  return nullptr;
}

Peer::Lane* Peer::find_attempt() {
  for (Lane& lane : lanes_) {
    if (lane && !lane->is_connected()) return &lane;
  }
  return nullptr;
}

Peer::Lane* Peer::find_confirmed() {
  for (Lane& lane : lanes_) {
    if (lane && lane->is_confirmed()) return &lane;
  }
  return nullptr;
}

bool Peer::has_outgoing() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane && lane->direction() == Direction::kOutgoing; });
}

void Peer::note_state(TimePoint now) {
  const State present = state();
  if (since_ && present == last_state_) return;
  last_state_ = present;
  since_ = now;
}

}  // namespace margay::bgp::fsm
