#include "policy/verdict/verdict.h"

#include <map>
#include <memory>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::policy {
namespace {

using model::RuleAction;

const std::vector<Rule>& rules_of(const RuleSet& rules, Direction direction) {
  return direction == Direction::kIngress ? rules.ingress : rules.egress;
}

// What an endpoint names is there: State sees to it.
template <class Key, class Value>
const Value& found(const std::map<Key, std::shared_ptr<const Value>>& in, const Key& key) {
  const auto at = in.find(key);
  MARGAY_CHECK(at != in.end());
  return *at->second;
}

// Walks what holds for one direction of one endpoint.
class Walk {
 public:
  Walk(const State& state, Direction direction, const Packet& packet, std::vector<Step>* path)
      : state_(state), direction_(direction), packet_(packet), path_(path) {}

  // What happens where no rule of a tier decides.
  enum class End { kDefaultAction, kPass };

  std::optional<Decision> tiers(const std::vector<TierPolicies>& tiers, End end = End::kDefaultAction) {
    end_ = end;
    for (const TierPolicies& tier : tiers) {
      if (std::optional<Decision> decision = this->tier(tier)) return decision;
    }
    return std::nullopt;
  }

  std::optional<Decision> profiles(const std::vector<std::string>& names) {
    place_ = Step{.direction = direction_, .tier = "", .policy = {}, .is_staged = false, .rule = {}, .what = ""};
    for (const std::string& name : names) {
      const Profile& profile = found(state_.profiles(), name);
      if (profile.is_missing) {
        Decision decision = decided(Answer::kDeny);
        decision.profile = name;
        return decision;
      }
      const Rule* rule = first_deciding(profile.rules);
      if (rule == nullptr || rule->action == RuleAction::kPass) continue;
      Decision decision = decided(rule->action == RuleAction::kAllow ? Answer::kAllow : Answer::kDeny);
      decision.profile = name;
      decision.rule = rule->index;
      return decision;
    }
    return std::nullopt;
  }

 private:
  void note(std::optional<std::uint32_t> rule, std::string what) {
    if (path_ == nullptr) return;
    Step step = place_;
    step.rule = rule;
    step.what = std::move(what);
    path_->push_back(std::move(step));
  }

  [[nodiscard]] Decision decided(Answer answer) const {
    return {.answer = answer, .direction = direction_, .tier = place_.tier, .policy = {}, .profile = "", .rule = {}};
  }

  // The first rule that matches and does more than Log; nullptr: none.
  const Rule* first_deciding(const RuleSet& rules) {
    for (const Rule& rule : rules_of(rules, direction_)) {
      if (!matches(state_, rule, packet_)) continue;
      if (rule.action != RuleAction::kLog) return &rule;
      note(rule.index, "Log");
    }
    return nullptr;
  }

  std::optional<Decision> tier(const TierPolicies& tier) {
    const std::vector<PolicyRef>& refs = direction_ == Direction::kIngress ? tier.ingress : tier.egress;
    bool is_enforced = false;
    for (const PolicyRef& ref : refs) {
      place_ = Step{.direction = direction_,
                    .tier = tier.tier,
                    .policy = ref.id,
                    .is_staged = ref.is_staged,
                    .rule = {},
                    .what = ""};
      const Rule* rule = first_deciding(found(state_.policies(), ref.id).rules);
      if (ref.is_staged) {
        note_staged(rule);
        continue;
      }
      is_enforced = true;
      if (rule == nullptr) {
        note(std::nullopt, "no rule matches");
        continue;
      }
      if (rule->action == RuleAction::kPass) {
        note(rule->index, "Pass");
        return std::nullopt;
      }
      return by_rule(ref, *rule);
    }
    return end_of(tier, is_enforced);
  }

  void note_staged(const Rule* rule) {
    if (path_ == nullptr) return;
    if (rule == nullptr) {
      note(std::nullopt, "no rule matches");
    } else {
      note(rule->index, concat("would be ", model::to_string(rule->action)));
    }
  }

  [[nodiscard]] Decision by_rule(const PolicyRef& ref, const Rule& rule) const {
    Decision decision = decided(rule.action == RuleAction::kAllow ? Answer::kAllow : Answer::kDeny);
    decision.policy = ref.id;
    decision.rule = rule.index;
    return decision;
  }

  std::optional<Decision> end_of(const TierPolicies& tier, bool is_enforced) {
    place_ = Step{.direction = direction_, .tier = tier.tier, .policy = {}, .is_staged = false, .rule = {}, .what = ""};
    const bool denies = end_ == End::kDefaultAction && tier.default_action == model::TierDefaultAction::kDeny;
    if (is_enforced && denies) return decided(Answer::kDeny);
    note(std::nullopt, is_enforced ? "Pass at its end" : "no policy for this direction");
    return std::nullopt;
  }

  const State& state_;
  const Direction direction_;
  const Packet& packet_;
  std::vector<Step>* path_;
  End end_ = End::kDefaultAction;
  Step place_;
};

}  // namespace

Decision evaluate(const State& state, const Endpoint& endpoint, Direction direction, const Packet& packet,
                  std::vector<Step>* path) {
  Walk walk(state, direction, packet, path);
  if (std::optional<Decision> decision = walk.tiers(endpoint.policy.normal)) return *std::move(decision);
  if (std::optional<Decision> decision = walk.profiles(endpoint.policy.profiles)) return *std::move(decision);
  return {.answer = Answer::kDeny, .direction = direction, .tier = "", .policy = {}, .profile = "", .rule = {}};
}

std::optional<Decision> evaluate_host(const State& state, const Endpoint& endpoint, Direction direction,
                                      const HostPacket& packet, std::vector<Step>* path) {
  const EndpointPolicy& policy = endpoint.policy;
  Walk before(state, direction, packet.before_dnat, path);
  // What is forwarded leaves without passing the place of untracked policy again.
  const bool passes_untracked = direction == Direction::kIngress || !packet.is_forwarded;
  if (passes_untracked) {
    if (auto decision = before.tiers(policy.untracked, Walk::End::kPass)) return decision;
  }
  if (direction == Direction::kIngress) {
    if (auto decision = before.tiers(policy.pre_dnat, Walk::End::kPass)) return decision;
  }
  if (packet.is_forwarded) return Walk(state, direction, packet.packet, path).tiers(policy.forward);
  return evaluate(state, endpoint, direction, packet.packet, path);
}

Verdict evaluate(const State& state, const Endpoint* source, const Endpoint* destination, const Packet& packet) {
  Verdict out;
  for (const auto& [endpoint, direction] :
       {std::pair(source, Direction::kEgress), std::pair(destination, Direction::kIngress)}) {
    if (endpoint == nullptr) continue;
    out.decided_by = evaluate(state, *endpoint, direction, packet, &out.path);
    out.answer = out.decided_by->answer;
    if (out.answer == Answer::kDeny) return out;
  }
  return out;
}

std::string Decision::to_string() const {
  const std::string_view way = direction == Direction::kIngress ? "ingress" : "egress";
  if (!profile.empty() && !rule) return concat("profile ", profile, ", which is missing");
  if (!profile.empty()) return concat("profile ", profile, ", ", way, " rule ", *rule);
  if (policy) return concat("tier ", tier, ", ", policy->to_string(), ", ", way, " rule ", rule.value_or(0));
  return tier.empty() ? "no profile allows it" : concat("end of tier ", tier);
}

}  // namespace margay::policy
