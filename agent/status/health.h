// Health: whether the loops of this process turn (live), and whether the node does its work (ready).
//
//   each loop ─Pulse▶ Heartbeat ─┐
//   each part ──────▶ Readiness ─┴▶ Health ─▶ /livez, /readyz
//
// Live: every heartbeat is younger than its timeout; an agent that hangs is started again. Ready: live, and every named
// condition holds. Peers of BGP and the API server are no part of being live, and the API server of being ready only
// until the first sync: an agent that cannot reach it keeps what is there working.
//
// Heartbeats and conditions may be set from any thread; Health itself belongs to one.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "base/loop/loop.h"
#include "datastore/model/felix_values.h"

namespace margay::status {

// A loop's sign of life. A small value; may outlive Health.
class Heartbeat {
 public:
  Heartbeat() = default;
  void beat(TimePoint now) const;

 private:
  friend class Health;
  struct State;
  explicit Heartbeat(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// Beats as long as it lives, on the loop it is made on.
class Pulse {
 public:
  Pulse(loop::Loop& loop, Heartbeat heartbeat, Duration interval = std::chrono::seconds(1));

 private:
  loop::Loop& loop_;
  Heartbeat heartbeat_;
  Duration interval_;
  std::unique_ptr<loop::Timer> timer_;
};

// One thing that must hold. A small value; may outlive Health.
class Readiness {
 public:
  Readiness() = default;
  // `detail`: for people, why not, or how far.
  void set(bool is_ready, std::string detail = "") const;

 private:
  friend class Health;
  struct State;
  explicit Readiness(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

struct Check {
  std::string name;
  bool is_ok = false;
  std::string detail;
};
struct Report {
  bool is_ok = true;
  std::vector<Check> checks;  // in order of name
};

class Health {
 public:
  explicit Health(loop::Loop& loop);
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  // Counts as beaten now. A name that is there already gives the same heartbeat.
  Heartbeat heartbeat(const std::string& name, Duration timeout = std::chrono::seconds(90));
  // Not ready until it is set. A name that is there already gives the same condition.
  Readiness readiness(const std::string& name);
  // Instead of the one that heartbeat() was given.
  void set_timeout(const std::string& name, Duration timeout);
  // healthTimeoutOverrides, which win; 0 means never.
  void set_timeouts(const std::vector<model::HealthTimeoutOverride>& overrides);

  [[nodiscard]] Report liveness() const;
  // Heartbeats and conditions.
  [[nodiscard]] Report readiness() const;

 private:
  struct Beat;
  [[nodiscard]] Duration timeout_of(const std::string& name, const Beat& beat) const;

  loop::Loop& loop_;
  std::map<std::string, Beat, std::less<>> beats_;
  std::map<std::string, std::shared_ptr<Readiness::State>, std::less<>> conditions_;
  std::map<std::string, Duration, std::less<>> timeouts_, overrides_;
};

}  // namespace margay::status
