#include "bgp/fsm/harness.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "bgp/fsm/negotiate.h"

namespace margay::bgp::fsm {
namespace {

class NoJitter final : public Random {
 public:
  std::uint64_t next() override { return 0; }
};

std::string number(ConnectionId id) { return concat(" #", id); }

// "4.2 s": to a tenth.
std::string seconds_text(Duration duration) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count() / 100;
  return concat(tenths / 10, ".", tenths % 10, " s");
}

struct InputText {
  std::string operator()(const Start&) const { return "Start"; }
  std::string operator()(const TimersChanged&) const { return "TimersChanged"; }
  std::string operator()(const Stop& in) const { return concat("Stop ", describe(in.reason)); }
  std::string operator()(const Reset& in) const { return concat("Reset ", describe(in.reason)); }
  std::string operator()(const Connected& in) const { return concat("Connected", number(in.id)); }
  std::string operator()(const ConnectFailed& in) const { return concat("ConnectFailed", number(in.id)); }
  std::string operator()(const Accepted& in) const { return concat("Accepted", number(in.id)); }
  std::string operator()(const Closed& in) const { return concat("Closed", number(in.id)); }
  std::string operator()(const OpenReceived& in) const { return concat("OPEN", number(in.id)); }
  std::string operator()(const KeepaliveReceived& in) const { return concat("KEEPALIVE", number(in.id)); }
  std::string operator()(const DataReceived& in) const {
    return concat(in.type == MessageType::kUpdate ? "UPDATE" : "ROUTE-REFRESH", number(in.id));
  }
  std::string operator()(const NotificationReceived& in) const {
    return concat("NOTIFICATION ", describe(in.notification), number(in.id));
  }
  std::string operator()(const BadMessage& in) const {
    return concat("bad message ", describe(in.error.notification), number(in.id));
  }
  std::string operator()(const BytesSent& in) const { return concat("BytesSent", number(in.id)); }
  std::string operator()(const SendBlocked& in) const { return concat("SendBlocked", number(in.id)); }
  std::string operator()(const TimerFired& in) const { return concat("timer ", to_string(in.kind)); }
};

struct MessageText {
  std::string operator()(const Open& open) const {
    return concat("OPEN AS ", open.asn.to_string(), " hold ", open.hold_time_s,
                  open.capabilities == Capabilities{} ? " without capabilities" : "");
  }
  std::string operator()(const Keepalive&) const { return "KEEPALIVE"; }
  std::string operator()(const Notification& sent) const { return concat("NOTIFICATION ", describe(sent)); }
};

struct OutputText {
  std::string operator()(const Connect& out) const { return concat("Connect", number(out.id)); }
  std::string operator()(const Send& out) const {
    return concat("Send", number(out.id), " ", std::visit(MessageText{}, out.message));
  }
  std::string operator()(const Close& out) const { return concat("Close", number(out.id)); }
  std::string operator()(const Arm& out) const {
    return concat("Arm ", to_string(out.kind), " ", seconds_text(out.after));
  }
  std::string operator()(const Disarm& out) const { return concat("Disarm ", to_string(out.kind)); }
  std::string operator()(const SessionUp& out) const { return concat("SessionUp", number(out.id)); }
  std::string operator()(const SessionDown& out) const {
    return concat("SessionDown", number(out.id), " (", out.reason.text, ")",
                  out.reason.keeps_routes ? " keeps routes" : "");
  }
  std::string operator()(const AttemptFailed& out) const { return concat("AttemptFailed (", out.reason.text, ")"); }
};

}  // namespace

std::string describe(const Input& input) { return std::visit(InputText{}, input); }
std::string describe(const Output& output) { return std::visit(OutputText{}, output); }
std::string describe(const Notification& notification) { return concat(notification.code, "/", notification.subcode); }

PeerConfig external_config() {
  PeerConfig config;
  config.local_asn = Asn(64512);
  config.router_id = RouterId(0x0a000001);
  config.remote_asn = Asn(65001);
  config.capabilities.multiprotocol = {afi_safi(Family::kIpv4Unicast)};
  config.capabilities.four_octet_asn = config.local_asn;
  config.capabilities.route_refresh = true;
  return config;
}

PeerConfig internal_config() {
  PeerConfig config = external_config();
  config.remote_asn = config.local_asn;
  return config;
}

Open open_of_peer(const PeerConfig& config) {
  Open open = make_open(config);
  open.asn = config.remote_asn.value_or(Asn(65001));
  open.router_id = RouterId(0x0a000002);
  if (open.capabilities.four_octet_asn) open.capabilities.four_octet_asn = open.asn;
  return open;
}

Harness::Harness(PeerConfig config, std::optional<std::uint64_t> seed)
    : random_(seed ? std::unique_ptr<Random>(std::make_unique<SeededRandom>(*seed)) : std::make_unique<NoJitter>()),
      peer_(std::move(config), *random_) {}

std::vector<Output> Harness::step(const Input& input) {
  if (const auto* in = std::get_if<Accepted>(&input)) open_.insert(in->id);
  if (const auto* in = std::get_if<Connected>(&input)) attempts_.erase(in->id);
  if (const auto* in = std::get_if<Closed>(&input)) forget(in->id);
  if (const auto* in = std::get_if<ConnectFailed>(&input); in && attempts_.contains(in->id)) forget(in->id);
  log_ += concat("< ", describe(input), "\n");
  std::vector<Output> outputs = peer_.step(input, now_);
  for (const Output& output : outputs) {
    log_ += concat("> ", describe(output), "\n");
    outputs_ += concat(outputs_.empty() ? "" : "; ", describe(output));
    carry_out(output);
  }
  check_invariants();
  for (const Output& output : outputs) {
    if (listener_) listener_(output);
  }
  return outputs;
}

ConnectionId Harness::accept() {
  const ConnectionId id = peer_.next_connection_id();
  step(Accepted{id});
  return id;
}

void Harness::carry_out(const Output& output) {
  if (const auto* out = std::get_if<Connect>(&output)) {
    require(open_.insert(out->id).second, "a connection number is used twice");
    attempts_.insert(out->id);
    last_attempt_ = out->id;
  }
  if (const auto* out = std::get_if<Send>(&output)) {
    require(open_.contains(out->id), "sent on a closed connection");
    require(!attempts_.contains(out->id), "sent before it was connected");
    if (std::holds_alternative<Open>(out->message)) opened_.insert(out->id);
    require(opened_.contains(out->id), "sent before the OPEN");
  }
  if (const auto* out = std::get_if<Close>(&output)) {
    require(open_.contains(out->id), "invariant 3: closed twice");
    forget(out->id);
  }
  if (const auto* out = std::get_if<Arm>(&output)) {
    require(out->after >= Duration{}, "a timer in the past");
    timers_[index(out->kind)] = now_ + out->after;
  }
  if (const auto* out = std::get_if<Disarm>(&output)) {
    require(timers_[index(out->kind)].has_value(), "a timer is stopped that does not run");
    timers_[index(out->kind)].reset();
  }
  if (const auto* out = std::get_if<SessionUp>(&output)) {
    require(!up_, "invariant 2: two sessions up");
    up_ = out->id;
  }
  if (const auto* out = std::get_if<SessionDown>(&output)) {
    require(up_ == std::optional(out->id), "invariant 2: down without up");
    up_.reset();
  }
}

void Harness::forget(ConnectionId id) {
  open_.erase(id);
  attempts_.erase(id);
  opened_.erase(id);
}

void Harness::check_invariants() {
  require((peer_.session() != nullptr) == up_.has_value(), "invariant 2: session() while down");
  require((state() == State::kEstablished) == up_.has_value(), "invariant 2: Established while down");
  require(open_.size() <= 2, "invariant 3: a connection leaks");
  require(!up_ || open_.contains(*up_), "invariant 2: up on a connection that is gone");
  const bool has_none = state() == State::kIdle || state() == State::kActive;
  require(has_none == open_.empty(), "invariant 3: state and connections disagree");
  require((state() == State::kConnect) == (!has_none && opened_.empty()), "Connect although an OPEN was sent");
}

void Harness::require(bool condition, const char* what) const {
  if (condition) return;
  std::fputs(log_.c_str(), stderr);
  check_failed(what, __FILE__, __LINE__);
}

void Harness::advance(Duration duration) {
  const TimePoint end = now_ + duration;
  while (true) {
    const std::optional<TimePoint> next = next_deadline();
    if (!next || *next > end) break;
    fire_next();
  }
  now_ = end;
}

bool Harness::fire_next() {
  const std::optional<TimePoint> next = next_deadline();
  if (!next) return false;
  now_ = std::max(now_, *next);
  for (std::size_t kind = 0; kind < kTimerKinds; ++kind) {
    if (timers_[kind] != next) continue;
    fire(static_cast<TimerKind>(kind));
    return true;
  }
  return false;
}

void Harness::fire(TimerKind kind) {
  timers_[index(kind)].reset();
  step(TimerFired{kind});
}

std::optional<TimePoint> Harness::next_deadline() const {
  std::optional<TimePoint> next;
  for (const std::optional<TimePoint>& deadline : timers_) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

std::string Harness::take_log() {
  outputs_.clear();
  return std::exchange(log_, {});
}

std::string Harness::take_outputs() {
  log_.clear();
  return std::exchange(outputs_, {});
}

ConnectionId establish(Harness& harness, const Open& open) {
  harness.step(Start{});
  const ConnectionId id = harness.last_attempt();
  harness.step(Connected{id});
  harness.step(OpenReceived{id, open});
  harness.step(KeepaliveReceived{id});
  harness.take_log();
  return id;
}

}  // namespace margay::bgp::fsm
