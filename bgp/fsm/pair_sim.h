// PairSim (tests only): two machines joined by a network in virtual time that delays, refuses, swallows and resets.
//
// TCP is what it is: bytes of a connection arrive in order or not at all. A fault therefore is an attempt that is
// refused or never answered, a connection reset towards both sides or towards one (the other learns of it by its hold
// timer), a machine that starts anew with or without its kernel saying so. Every step of both machines is checked by
// Harness. Everything follows from the seed.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/core/random.h"
#include "bgp/fsm/harness.h"

namespace margay::bgp::fsm {

class PairSim {
 public:
  struct Faults {
    bool happen = true;
    bool half_open = true;  // a side may not learn that a connection is gone
    Duration mean_interval = std::chrono::seconds(20);
  };
  PairSim(std::array<PeerConfig, 2> configs, Faults faults, std::uint64_t seed);

  void start(int side) { nodes_[index(side)]->step(Start{}); }
  void run_for(Duration duration);
  // Runs until both are Established over one connection; nullopt: not within the limit.
  std::optional<Duration> run_until_converged(Duration limit);
  void set_faults(bool happen) { faults_.happen = happen; }
  // From now on each message and connection takes this long at most.
  void set_latency_max(Duration latency) { latency_max_ = latency; }

  Harness& node(int side) { return *nodes_[index(side)]; }
  [[nodiscard]] bool is_converged() const;
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] std::size_t links() const { return links_.size(); }
  [[nodiscard]] std::size_t events() const { return events_.size(); }
  // The last lines of what happened, for a failing test.
  [[nodiscard]] const std::string& trace() const { return trace_; }

 private:
  using LinkId = int;
  // One TCP connection. A side without a number has not heard of it, or has no more to do with it.
  struct Link {
    std::array<std::optional<ConnectionId>, 2> ids;
    std::array<TimePoint, 2> last_arrival{};  // at that side
    bool is_dead = false;                     // nothing arrives any more
  };
  static std::size_t index(int side) { return static_cast<std::size_t>(side); }
  static int other(int side) { return 1 - side; }

  void make_node(int side);
  void at(TimePoint time, std::function<void()> what) { events_.emplace(time, std::move(what)); }
  Duration latency();
  bool step_once(TimePoint end);

  void on_output(int side, const Output& output);
  void begin_attempt(int side, ConnectionId id);
  void accept(int side, LinkId link);
  void send(int side, ConnectionId id, std::function<Input(ConnectionId)> message);
  void close(int side, ConnectionId id);
  void deliver(int side, LinkId link, const std::function<Input(ConnectionId)>& message);
  void forget(int side, LinkId link);

  void schedule_fault();
  void fault();
  void reset_link(LinkId link, int silent_side);
  void restart(int side, bool kernel_says_so);
  std::optional<LinkId> link_of(int side, ConnectionId id) const;

  std::array<PeerConfig, 2> configs_;
  Faults faults_;
  SeededRandom random_;
  TimePoint now_{};
  Duration latency_max_ = std::chrono::milliseconds(300);
  std::multimap<TimePoint, std::function<void()>> events_;
  std::map<LinkId, Link> links_;
  LinkId last_link_ = 0;
  std::array<std::unique_ptr<Harness>, 2> nodes_;
  std::string trace_;
};

}  // namespace margay::bgp::fsm
