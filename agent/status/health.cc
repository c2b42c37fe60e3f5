#include "agent/status/health.h"

#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::status {

struct Heartbeat::State {
  std::atomic<TimePoint::rep> last = 0;
};

void Heartbeat::beat(TimePoint now) const {
  if (state_ != nullptr) state_->last.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

Pulse::Pulse(loop::Loop& loop, Heartbeat heartbeat, Duration interval)
    : loop_(loop), heartbeat_(std::move(heartbeat)), interval_(interval), timer_(loop.make_timer([this] {
        heartbeat_.beat(loop_.now());
        timer_->arm(interval_);
      })) {
  heartbeat_.beat(loop_.now());
  timer_->arm(interval_);
}

struct Readiness::State {
  std::mutex mutex;
  bool is_ready = false;
  std::string detail = "not reported yet";
};

void Readiness::set(bool is_ready, std::string detail) const {
  if (state_ == nullptr) return;
  const std::lock_guard lock(state_->mutex);
  state_->is_ready = is_ready;
  state_->detail = std::move(detail);
}

struct Health::Beat {
  std::shared_ptr<Heartbeat::State> state;
  Duration timeout{};
};

Health::Health(loop::Loop& loop) : loop_(loop) {}
Health::~Health() = default;

Heartbeat Health::heartbeat(const std::string& name, Duration timeout) {
  const auto [place, is_new] = beats_.try_emplace(name);
  if (is_new) {
    place->second = {std::make_shared<Heartbeat::State>(), timeout};
    Heartbeat(place->second.state).beat(loop_.now());
  }
  return Heartbeat(place->second.state);
}

Readiness Health::readiness(const std::string& name) {
  auto& state = conditions_[name];
  if (state == nullptr) state = std::make_shared<Readiness::State>();
  return Readiness(state);
}

void Health::set_timeout(const std::string& name, Duration timeout) { timeouts_.insert_or_assign(name, timeout); }

Duration Health::timeout_of(const std::string& name, const Beat& beat) const {
  for (const auto* given : {&overrides_, &timeouts_}) {
    if (const auto at = given->find(name); at != given->end()) return at->second;
  }
  return beat.timeout;
}

void Health::set_timeouts(const std::vector<model::HealthTimeoutOverride>& overrides) {
  overrides_.clear();
  for (const model::HealthTimeoutOverride& each : overrides) overrides_.insert_or_assign(each.name, each.timeout);
}

Report Health::liveness() const {
  Report report;
  for (const auto& [name, beat] : beats_) {
    const Duration timeout = timeout_of(name, beat);
    const TimePoint last(Duration(beat.state->last.load(std::memory_order_relaxed)));
    const Duration age = loop_.now() - last;
    Check check{name, timeout <= Duration(0) || age <= timeout, ""};
    if (!check.is_ok) {
      check.detail = concat("no sign of life for ", format_duration(age), "; at most ", format_duration(timeout));
    }
    report.is_ok = report.is_ok && check.is_ok;
    report.checks.push_back(std::move(check));
  }
  return report;
}

Report Health::readiness() const {
  Report report = liveness();
  std::map<std::string, Check> checks;
  for (Check& check : report.checks) checks.insert_or_assign(check.name, check);
  for (const auto& [name, state] : conditions_) {
    const std::lock_guard lock(state->mutex);
    // A heartbeat and a condition may have one name: both must be well.
    const auto present = checks.find(name);
    const bool is_alive = present == checks.end() || present->second.is_ok;
    report.is_ok = report.is_ok && state->is_ready;
    if (is_alive) checks.insert_or_assign(name, Check{name, state->is_ready, state->detail});
  }
  report.checks.clear();
  for (auto& [name, check] : checks) report.checks.push_back(std::move(check));
  return report;
}

}  // namespace margay::status
