// LeaseMachine: who of several replicas leads, agreed on through a Lease of the API server. Input in, outputs out.
//
//              Read, Wait              it is free, or its holder was not seen to renew it for its whole duration
//   Following ◀────────▶ Waiting ───────────────────────────────Write──────────────────────▶ Taking
//       ▲                                                                                     │ done: BecomeLeader
//       │  somebody else has it, or no write went through for renew_deadline: LoseLeadership  ▼
//       ╰──────────────────────────────────────────────────────────────────────────────── Leading ⟲ Wait, Write
//
// Clocks of replicas are never compared: a follower measures with its own clock how long the Lease did not change.
// Every write names the version that was read, so of two that take a Lease at once one is refused. Between a leader
// that was cut off and its follower lies at least duration - renew_deadline. Source: Kubernetes API reference,
// coordination.k8s.io/v1 Lease; leader election as Kubernetes' own components do it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/time.h"
#include "datastore/model/kubernetes.h"

namespace margay::controllers {

struct LeaseConfig {
  std::string identity;                                       // one of its kind among the replicas
  Duration duration = std::chrono::seconds(2);                // whole seconds
  Duration renew_deadline = std::chrono::milliseconds(1500);  // less than `duration`
  Duration retry_period = std::chrono::milliseconds(400);
};

// --- inputs ---
struct LeaseTick {};  // start, and the time of a Wait has come
struct LeaseRead {    // nullopt: there is none
  std::optional<model::Lease> lease;
};
struct LeaseReadFailed {};
struct LeaseWritten {
  model::Lease lease;  // as it is now
};
struct LeaseWriteFailed {
  bool was_refused = false;  // somebody was quicker; else it may have happened
};
struct LeaseDeadline {};  // leading_until() may have come
struct LeaseStop {};      // lets go of it
using LeaseInput =
    std::variant<LeaseTick, LeaseRead, LeaseReadFailed, LeaseWritten, LeaseWriteFailed, LeaseDeadline, LeaseStop>;

// --- outputs ---
struct ReadLease {};
struct WriteLease {
  model::Lease lease;  // without a resourceVersion: it is to be created
};
struct WaitForLease {
  Duration delay;
};
struct BecomeLeader {};
struct LoseLeadership {};
using LeaseOutput = std::variant<ReadLease, WriteLease, WaitForLease, BecomeLeader, LoseLeadership>;

class LeaseMachine {
 public:
  explicit LeaseMachine(LeaseConfig config) : config_(std::move(config)) {}

  // `now` for spans, `wall_now` for what people read in the Lease.
  std::vector<LeaseOutput> step(const LeaseInput& input, TimePoint now, WallTime wall_now);
  // To be asked before each write: a leader whose clock stood still does not find out by a timer.
  [[nodiscard]] bool is_leading(TimePoint now) const { return is_leading_ && now < leading_until(); }
  [[nodiscard]] TimePoint leading_until() const { return renewed_at_ + config_.renew_deadline; }
  [[nodiscard]] const std::string& holder() const { return seen_holder_; }  // as last read; "": nobody

 private:
  using Outputs = std::vector<LeaseOutput>;
  void on(const LeaseTick&, Outputs& out);
  void on(const LeaseRead& read, Outputs& out);
  void on(const LeaseReadFailed&, Outputs& out);
  void on(const LeaseWritten& written, Outputs& out);
  void on(const LeaseWriteFailed& failed, Outputs& out);
  void on(const LeaseDeadline&, Outputs&) {}  // looked at before every input
  void on(const LeaseStop&, Outputs& out);

  void note(const model::Lease& lease);
  [[nodiscard]] bool may_take(const model::Lease& lease) const;
  [[nodiscard]] model::Lease claim(const model::Lease* before) const;
  void write(const model::Lease* before, Outputs& out);
  void lose(Outputs& out);
  void check_deadline(Outputs& out);

  LeaseConfig config_;
  TimePoint now_;
  WallTime wall_now_;
  std::optional<model::Lease> lease_;  // as last read or written
  std::string seen_holder_;
  TimePoint seen_at_;     // when it was first seen in this version
  TimePoint asked_at_;    // when the write under way began: what it says counts from then
  TimePoint renewed_at_;  // of ours
  bool is_leading_ = false;
  bool is_stopped_ = false;
};

}  // namespace margay::controllers
