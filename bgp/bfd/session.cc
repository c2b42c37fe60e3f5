#include "bgp/bfd/session.h"

#include <algorithm>
#include <chrono>

namespace margay::bgp::bfd {
namespace {

constexpr Duration kSlowInterval = std::chrono::seconds(1);            // RFC 5880 §6.8.3
constexpr Duration kInitialReceiveMin = std::chrono::microseconds(1);  // RFC 5880 §6.8.1

}  // namespace

Session::Session(std::uint32_t discriminator, SessionConfig config, Random& random, TimePoint now)
    : discriminator_(discriminator),
      config_(config),
      random_(random),
      transmit_min_in_use_(std::max(config.transmit_min, kSlowInterval)),
      receive_min_in_use_(config.receive_min),
      last_sent_(now),
      next_send_(now) {}

// --- what happens ---

// RFC 5880 §6.8.6, from where the session is found.
Outcome Session::receive(const ControlPacket& packet, TimePoint now) {
  Outcome outcome;
  take_over(packet);
  if (state_ == State::kAdminDown) return outcome;
  if (is_polling_ && packet.final) end_poll();
  last_received_ = now;
  advance_state(packet.state, outcome);
  detection_deadline_ = now + detection_time();
  if (outcome.change) emit(outcome, now);  // §6.8.7: news need not wait
  if (packet.poll) {
    ControlPacket answer = this->packet();
    answer.poll = false;
    answer.final = true;
    outcome.packets.push_back(answer);
  }
  keep_up(now);
  return outcome;
}

Outcome Session::on_time(TimePoint now) {
  Outcome outcome;
  if (detection_deadline_ && *detection_deadline_ <= now) {  // RFC 5880 §6.8.4
    forget_remote();
    if (state_ == State::kInit || state_ == State::kUp) {
      move_to(State::kDown, Diagnostic::kDetectionTimeExpired, outcome);
    }
    keep_up(now);
  }
  if (outcome.change || (sends_periodically() && next_send_ <= now)) emit(outcome, now);
  return outcome;
}

Outcome Session::set_config(SessionConfig config, TimePoint now) {
  Outcome outcome;
  if (config == config_) return outcome;
  config_ = config;
  const Duration transmit_min = wanted_transmit_min();
  if (state_ != State::kUp) {
    transmit_min_in_use_ = transmit_min;
    receive_min_in_use_ = config_.receive_min;
  } else {
    transmit_min_in_use_ = std::min(transmit_min_in_use_, transmit_min);
    receive_min_in_use_ = std::max(receive_min_in_use_, config_.receive_min);
    begin_poll();
  }
  if (detection_deadline_) detection_deadline_ = last_received_ + detection_time();
  emit(outcome, now);
  return outcome;
}

// RFC 5880 §6.8.16.
Outcome Session::set_admin_down(bool is_down, TimePoint now) {
  Outcome outcome;
  if (is_down == (state_ == State::kAdminDown)) return outcome;
  forget_remote();
  if (is_down) {
    move_to(State::kAdminDown, Diagnostic::kAdministrativelyDown, outcome);
  } else {
    move_to(State::kDown, Diagnostic::kNone, outcome);
  }
  emit(outcome, now);
  return outcome;
}

std::optional<TimePoint> Session::next_deadline() const {
  if (!sends_periodically()) return detection_deadline_;
  return detection_deadline_ ? std::min(*detection_deadline_, next_send_) : next_send_;
}

// --- state ---

void Session::take_over(const ControlPacket& packet) {
  remote_discriminator_ = packet.my_discriminator;
  remote_state_ = packet.state;
  remote_demand_ = packet.demand;
  remote_transmit_min_ = packet.transmit_min;
  remote_receive_min_ = packet.receive_min;
  remote_multiplier_ = packet.multiplier;
  remote_is_independent_ = packet.control_plane_independent;
}

// RFC 5880 §6.8.1: nothing was heard of it for a detection time.
void Session::forget_remote() {
  detection_deadline_.reset();
  remote_state_ = State::kDown;
  remote_discriminator_ = 0;
  remote_multiplier_ = 0;
  remote_receive_min_ = kInitialReceiveMin;
  remote_demand_ = false;
}

void Session::advance_state(State received, Outcome& outcome) {
  if (received == State::kAdminDown) {
    if (state_ != State::kDown) move_to(State::kDown, Diagnostic::kNeighborSignaledDown, outcome);
    return;
  }
  switch (state_) {
    case State::kAdminDown: return;
    case State::kDown:
      if (received == State::kDown) move_to(State::kInit, Diagnostic::kNone, outcome);
      if (received == State::kInit) move_to(State::kUp, Diagnostic::kNone, outcome);
      return;
    case State::kInit:
      if (received != State::kDown) move_to(State::kUp, Diagnostic::kNone, outcome);
      return;
    case State::kUp:
      if (received == State::kDown) move_to(State::kDown, Diagnostic::kNeighborSignaledDown, outcome);
      return;
  }
}

void Session::move_to(State state, Diagnostic diagnostic, Outcome& outcome) {
  outcome.change = StateChange{state_, state, diagnostic, remote_state_};
  state_ = state;
  // The reason for having gone down is told until the session is up again (§6.8.1: of the most recent change).
  if (state != State::kInit) diagnostic_ = diagnostic;
  is_polling_ = false;
  receive_min_in_use_ = config_.receive_min;
  transmit_min_in_use_ = wanted_transmit_min();
  if (state == State::kUp) begin_poll();  // from the slow rate to the configured one (§6.8.3)
}

void Session::begin_poll() { is_polling_ = true; }

void Session::end_poll() {
  is_polling_ = false;
  transmit_min_in_use_ = wanted_transmit_min();
  receive_min_in_use_ = config_.receive_min;
}

// --- intervals ---

Duration Session::wanted_transmit_min() const {
  return state_ == State::kUp ? config_.transmit_min : std::max(config_.transmit_min, kSlowInterval);
}

Duration Session::transmit_interval() const { return std::max(transmit_min_in_use_, remote_receive_min_); }

// RFC 5880 §6.8.4.
Duration Session::detection_time() const {
  return remote_multiplier_ * std::max(receive_min_in_use_, remote_transmit_min_);
}

// RFC 5880 §6.8.7.
bool Session::sends_periodically() const {
  if (remote_receive_min_ == Duration{}) return false;
  const bool is_demand_active = remote_demand_ && state_ == State::kUp && remote_state_ == State::kUp;
  return !is_demand_active || is_polling_;
}

// RFC 5880 §6.8.7: 75 to 100 %, with a multiplier of 1 at most 90 %.
Duration Session::jittered(Duration interval) const {
  const Duration most = config_.multiplier == 1 ? interval / 10 * 9 : interval;
  const Duration range = most - interval / 4 * 3;
  return most - Duration(static_cast<Duration::rep>(random_.below(static_cast<std::uint64_t>(range.count()) + 1)));
}

// --- sending ---

ControlPacket Session::packet() const {
  ControlPacket packet;
  packet.diagnostic = diagnostic_;
  packet.state = state_;
  packet.poll = is_polling_;
  packet.control_plane_independent = config_.control_plane_independent;
  packet.multiplier = config_.multiplier;
  packet.my_discriminator = discriminator_;
  packet.your_discriminator = remote_discriminator_;
  packet.transmit_min = wanted_transmit_min();
  packet.receive_min = config_.receive_min;
  return packet;
}

void Session::emit(Outcome& outcome, TimePoint now) {
  outcome.packets.push_back(packet());
  last_sent_ = now;
  next_send_ = now + jittered(transmit_interval());
}

// An interval that became shorter counts from the last packet on.
void Session::keep_up(TimePoint now) {
  const TimePoint latest = last_sent_ + transmit_interval();
  if (next_send_ > latest) next_send_ = std::max(now, last_sent_ + jittered(transmit_interval()));
}

}  // namespace margay::bgp::bfd
