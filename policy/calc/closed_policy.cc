#include "policy/calc/closed_policy.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "policy/calc/endpoint_selector.h"

namespace margay::policy {
namespace {

using model::RuleAction;

bool is_within(std::string_view path, std::string_view place) {
  if (!path.starts_with(place)) return false;
  return path.size() == place.size() || path[place.size()] == '.' || path[place.size()] == '[';
}

bool is_in_a_rule(std::string_view path) {
  return path.starts_with("spec.ingress[") || path.starts_with("spec.egress[");
}

// It has been read, and says what it says.
bool is_harmless(const FieldError& error) {
  return is_within(error.path, "spec.performanceHints") ||
         (error.kind == FieldError::Kind::kDuplicate && is_within(error.path, "spec.types"));
}

class Damage {
 public:
  explicit Damage(const FieldErrors& errors) : errors_(errors) {}

  // Outside of all rules.
  [[nodiscard]] bool is_unclear() const {
    return std::any_of(errors_.begin(), errors_.end(),
                       [](const FieldError& each) { return !is_in_a_rule(each.path) && !is_harmless(each); });
  }
  // In one of these members, or in what holds them; not in single rules.
  [[nodiscard]] bool is_in(std::initializer_list<std::string_view> members) const {
    return std::any_of(errors_.begin(), errors_.end(), [&](const FieldError& each) {
      if (is_in_a_rule(each.path) || is_harmless(each)) return false;
      return each.path == "spec" || std::any_of(members.begin(), members.end(), [&](std::string_view member) {
               return is_within(each.path, concat("spec.", member));
             });
    });
  }
  [[nodiscard]] bool is_in_rule(std::string_view list, std::uint32_t index) const {
    const std::string place = concat("spec.", list, "[", index, "]");
    return std::any_of(errors_.begin(), errors_.end(),
                       [&](const FieldError& each) { return is_within(each.path, place); });
  }

 private:
  const FieldErrors& errors_;
};

void close_rules(std::string_view list, const Damage& damage, std::vector<Rule>& rules) {
  const bool is_unclear = damage.is_unclear();
  std::vector<Rule> closed;
  for (Rule& rule : rules) {
    const bool is_spoilt = damage.is_in_rule(list, rule.index);
    if (rule.action == RuleAction::kAllow && (is_spoilt || is_unclear)) continue;
    if (rule.action == RuleAction::kLog && is_spoilt) continue;
    const bool denies = is_spoilt || (is_unclear && rule.action == RuleAction::kPass);
    Rule& kept = closed.emplace_back();
    kept.index = rule.index;
    if (!is_spoilt) kept = std::move(rule);
    if (denies) kept.action = RuleAction::kDeny;
  }
  rules = std::move(closed);
}

void keep_used_sets(CompiledRules& rules) {
  std::set<IpSetId> used;
  for (const auto* list : {&rules.rules.ingress, &rules.rules.egress}) {
    for (const Rule& rule : *list) {
      for (const RuleEnd* end : {&rule.source, &rule.destination}) {
        for (const auto* ids : {&end->sets, &end->not_sets, &end->port_sets, &end->not_port_sets, &end->service_sets}) {
          used.insert(ids->begin(), ids->end());
        }
      }
    }
  }
  std::erase_if(rules.sets, [&used](const auto& entry) { return !used.contains(entry.first); });
}

std::string widest_selector(const PolicySource& source, const Damage& damage) {
  model::PolicySpec who;
  if (!damage.is_in({"selector"})) who.selector = source.spec->selector;
  if (!damage.is_in({"namespaceSelector"})) who.namespace_selector = source.spec->namespace_selector;
  if (!damage.is_in({"serviceAccountSelector"})) who.service_account_selector = source.spec->service_account_selector;
  const bool is_unclear = damage.is_in({"selector", "namespaceSelector", "serviceAccountSelector"});
  // What has a namespace; hosts have none.
  if (is_unclear && source.name_space.empty() && who.namespace_selector.empty()) who.namespace_selector = "all()";
  FieldErrors known;
  return selector_of(who, source.name_space, known).canonical();
}

void close_head(const PolicySource& source, const Damage& damage, PolicyHead& head) {
  head.selector = widest_selector(source, damage);
  if (damage.is_in({"tier", "order"})) head.order = std::numeric_limits<double>::lowest();
  const bool is_kind_unclear = damage.is_in({"doNotTrack", "preDNAT", "applyOnForward"});
  if (is_kind_unclear) head.apply_on_forward = true;
  if (is_kind_unclear && head.do_not_track) head.pre_dnat = false;
  if (!is_kind_unclear && !damage.is_in({"types", "ingress", "egress"})) return;
  head.has_ingress = true;
  head.has_egress = !head.pre_dnat;
}

}  // namespace

void close_policy(const PolicySource& source, const FieldErrors& errors, CompiledPolicy& policy) {
  const Damage damage(errors);
  close_head(source, damage, policy.head);
  close_rules("ingress", damage, policy.rules.rules.ingress);
  close_rules("egress", damage, policy.rules.rules.egress);
  keep_used_sets(policy.rules);
  policy.rules.errors = errors;
  policy.rules.errors.push_back({.kind = FieldError::Kind::kInvalid,
                                 .path = "spec",
                                 .message = damage.is_unclear()
                                                ? "until this is put right the policy allows nothing"
                                                : "until this is put right these rules allow nothing, or deny all"});
}

}  // namespace margay::policy
