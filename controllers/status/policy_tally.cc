#include "controllers/status/policy_tally.h"

#include <algorithm>
#include <limits>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

constexpr std::size_t kNamedMax = 5;

const model::Condition* said_of(const PolicySummary& policy) {
  const auto found = std::find_if(policy.conditions.begin(), policy.conditions.end(),
                                  [](const auto& each) { return each.type == kProgrammedCondition; });
  if (found == policy.conditions.end() || found->observed_generation != policy.generation) return nullptr;
  return &*found;
}

}  // namespace

model::Condition condition_of(const PolicyVerdict& verdict) {
  model::Condition out;
  out.type = kProgrammedCondition;
  out.status = verdict.is_everywhere ? model::ConditionStatus::kTrue : model::ConditionStatus::kFalse;
  out.observed_generation = verdict.generation;
  out.reason = verdict.is_everywhere ? "OnAllNodes" : "NodesAreLate";
  out.message = verdict.message;
  return out;
}

void PolicyTally::set_node(const std::string& name, bool is_there) {
  if (is_there) {
    nodes_.insert(name);
  } else {
    nodes_.erase(name);
  }
}

void PolicyTally::set_report(const std::string& node, std::optional<model::ProgrammedPolicies> report) {
  if (report) {
    reports_[node] = *report;
  } else {
    reports_.erase(node);
  }
}

void PolicyTally::set_policy(const model::ObjectKey& key, const PolicySummary* policy, TimePoint now) {
  const auto found = policies_.find(key);
  if (found != policies_.end()) waiting_of(key.kind).erase({found->second.needed, key});
  const auto version = policy == nullptr ? std::nullopt : parse_number<std::uint64_t>(policy->resource_version);
  if (!version) {
    policies_.erase(key);
    return;
  }
  Policy& kept = policies_[key];
  const bool is_same = found != policies_.end() && kept.uid == policy->uid && kept.generation == policy->generation;
  // What changes metadata or status alone has nothing to do with what the kernels hold.
  if (!is_same) kept = {policy->uid, policy->generation, *version, now + kPatience, std::nullopt, {}};
  const model::Condition* const said = said_of(*policy);
  kept.said = said == nullptr ? std::nullopt : std::optional(said->status == model::ConditionStatus::kTrue);
  kept.message = said == nullptr ? std::string() : said->message;
  if (kept.said != true) waiting_of(key.kind).emplace(kept.needed, key);
}

std::size_t PolicyTally::reporting_nodes() const {
  return static_cast<std::size_t>(std::count_if(reports_.begin(), reports_.end(),
                                                [this](const auto& each) { return nodes_.contains(each.first); }));
}

std::uint64_t PolicyTally::least_of(model::Kind kind) const {
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [node, report] : reports_) {
    if (nodes_.contains(node)) least = std::min(least, *report.of(kind));
  }
  return least;
}

PolicyVerdict PolicyTally::verdict_of(const model::ObjectKey& key, const Policy& policy) const {
  std::size_t count = 0;
  std::vector<std::string> late;
  for (const auto& [node, report] : reports_) {
    if (!nodes_.contains(node)) continue;
    ++count;
    if (*report.of(key.kind) < policy.needed) late.push_back(node);
  }
  PolicyVerdict out{late.empty(), policy.generation, {}};
  if (late.empty()) {
    out.message = concat("on all ", count, " nodes");
    return out;
  }
  out.message = concat("on ", count - late.size(), " of ", count, " nodes; not on ");
  const std::size_t named = std::min(late.size(), kNamedMax);
  out.message += join(std::vector<std::string>(late.begin(), late.begin() + static_cast<std::ptrdiff_t>(named)), ", ");
  if (named < late.size()) out.message += concat(" and ", late.size() - named, " more");
  return out;
}

std::vector<std::pair<model::ObjectKey, PolicyVerdict>> PolicyTally::take_verdicts(TimePoint now) {
  std::vector<std::pair<model::ObjectKey, PolicyVerdict>> out;
  if (reporting_nodes() == 0) return out;
  for (auto& [kind, waiting] : waiting_) {
    const std::uint64_t least = least_of(kind);
    for (const auto& [needed, key] : waiting) {
      Policy& policy = policies_.at(key);
      const bool is_everywhere = needed <= least;
      if (!is_everywhere && policy.look_at > now) continue;
      const PolicyVerdict verdict = verdict_of(key, policy);
      policy.look_at = now + kPatience;
      if (policy.said == is_everywhere && policy.message == verdict.message) continue;
      policy.said = is_everywhere;
      policy.message = verdict.message;
      out.emplace_back(key, verdict);
    }
    std::erase_if(waiting, [this](const auto& each) { return policies_.at(each.second).said.value_or(false); });
  }
  return out;
}

std::optional<TimePoint> PolicyTally::next_look() const {
  std::optional<TimePoint> out;
  for (const auto& [kind, waiting] : waiting_) {
    for (const auto& [needed, key] : waiting) {
      const TimePoint at = policies_.at(key).look_at;
      if (!out || at < *out) out = at;
    }
  }
  return out;
}

}  // namespace margay::controllers
