// PolicyReport: tells the cluster which policies this node's kernel has, in a Lease of its own (programmed_policies.h).
//
//   look(progress) ─▶ news: at most every kPause; versions alone: after kSlowPause ─▶ PATCH, or POST when there is none
//
// Nobody waits for it: what fails is tried again, later and later. Thread: the control loop's.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "agent/status/policy_progress.h"
#include "base/core/random.h"
#include "base/json/value.h"
#include "base/loop/loop.h"
#include "base/telemetry/log.h"
#include "datastore/kube/client.h"

namespace margay::status {

class PolicyReport {
 public:
  // Between two of a node lies half of it more or less, so that nodes that saw one change do not all write at once.
  static constexpr Duration kPause = std::chrono::seconds(5);
  static constexpr Duration kSlowPause = std::chrono::seconds(60);

  struct Parts {
    loop::Loop& loop;
    Random& random;
    kube::Client& client;
    telemetry::Logger log{};
  };
  PolicyReport(Parts parts, std::string node);

  // Goes with the Node.
  void set_node_uid(const std::string& uid) { node_uid_ = uid; }
  // `progress` may have moved; it outlives this.
  void look(PolicyProgress& progress);

 private:
  void write();
  void patch();
  void create();
  void on_answer(const kube::ApiResult<json::Value>& answer, bool was_patch);
  [[nodiscard]] json::Value body() const;
  [[nodiscard]] Duration spread(Duration pause);

  Parts parts_;
  std::string node_;
  std::string node_uid_;
  PolicyProgress* progress_ = nullptr;
  std::optional<model::ProgrammedPolicies> told_;
  model::ProgrammedPolicies telling_;
  std::optional<TimePoint> told_at_;
  std::optional<TimePoint> due_;
  Duration backoff_ = kPause;
  kube::OperationPtr under_way_;
  std::unique_ptr<loop::Timer> timer_;
};

}  // namespace margay::status
