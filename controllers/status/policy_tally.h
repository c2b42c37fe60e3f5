// PolicyTally: on which nodes policies are programmed, from what the nodes' agents report. Pure.
//
//   set_node, set_report ─▶ the least version that all have ─┐
//   set_policy (version it has had since its last change) ───┴─▶ take_verdicts(now): on all nodes, or late on some
//
// Counted are nodes that there are and that have reported once: a node without our agent has no policies to miss. A
// verdict is given when all nodes have a policy as it is now, and when some still have not kPatience after it changed;
// then again when who is late has changed, no sooner than kPatience later.
// Work of a report that changes nothing is one look at the nodes; a policy is touched when something is said of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/core/time.h"
#include "datastore/model/key.h"
#include "datastore/model/meta.h"
#include "datastore/model/programmed_policies.h"

namespace margay::controllers {

inline constexpr std::string_view kProgrammedCondition = "Programmed";

// What is watched of a policy.
struct PolicySummary {
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::vector<model::Condition> conditions;
  friend bool operator==(const PolicySummary&, const PolicySummary&) = default;
};

struct PolicyVerdict {
  bool is_everywhere = false;
  std::int64_t generation = 0;
  std::string message;
};
// Without a time.
model::Condition condition_of(const PolicyVerdict& verdict);

class PolicyTally {
 public:
  static constexpr Duration kPatience = std::chrono::minutes(2);

  void set_node(const std::string& name, bool is_there);
  // nullopt: it says nothing any more.
  void set_report(const std::string& node, std::optional<model::ProgrammedPolicies> report);
  // nullptr: gone.
  void set_policy(const model::ObjectKey& key, const PolicySummary* policy, TimePoint now);

  // What is to be said now and was not said before (also by earlier lives: the policy's own condition tells).
  std::vector<std::pair<model::ObjectKey, PolicyVerdict>> take_verdicts(TimePoint now);
  // When there may be something to say although nothing was set meanwhile.
  [[nodiscard]] std::optional<TimePoint> next_look() const;
  [[nodiscard]] std::size_t reporting_nodes() const;

 private:
  struct Policy {
    std::string uid;
    std::int64_t generation = 0;
    std::uint64_t needed = 0;  // the version that came with this generation
    TimePoint look_at{};       // when somebody is late
    std::optional<bool> said;  // of this generation: is_everywhere
    std::string message;       // of what was said
  };
  using Waiting = std::set<std::pair<std::uint64_t, model::ObjectKey>>;

  [[nodiscard]] std::uint64_t least_of(model::Kind kind) const;
  [[nodiscard]] PolicyVerdict verdict_of(const model::ObjectKey& key, const Policy& policy) const;
  Waiting& waiting_of(model::Kind kind) { return waiting_[kind]; }

  std::set<std::string> nodes_;
  std::map<std::string, model::ProgrammedPolicies> reports_;
  std::map<model::ObjectKey, Policy> policies_;
  std::map<model::Kind, Waiting> waiting_;  // of which it is not said that all nodes have them
};

}  // namespace margay::controllers
