// The rules on Tier and the policies of Calico.
#include <optional>
#include <set>
#include <string_view>

#include "base/core/text.h"
#include "datastore/codec/rule_rules.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"
#include "datastore/model/policy.h"

namespace margay::codec {
namespace {

using model::PolicySpec;
using model::PolicyType;

enum class Scope { kNamespace, kGlobal };

struct BuiltInTier {
  std::string_view name;
  double order;
  model::TierDefaultAction action;
};
constexpr BuiltInTier kBuiltInTiers[] = {
    {model::kDefaultTier, model::kDefaultTierOrder, model::TierDefaultAction::kDeny},
    {model::kKubeAdminTier, model::kKubeAdminTierOrder, model::TierDefaultAction::kPass},
    {model::kKubeBaselineTier, model::kKubeBaselineTierOrder, model::TierDefaultAction::kPass},
};

void check_no_repeats(const At& at, const std::vector<PolicyType>& types) {
  std::set<PolicyType> seen;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!seen.insert(types[i]).second) {
      at.element(i).error(FieldError::Kind::kDuplicate, concat(to_string(types[i]), " is there already"));
    }
  }
}

void check_services(const At& at, const std::optional<model::ServiceMatch>& services, Scope scope) {
  if (services && scope == Scope::kGlobal && services->name_space.empty()) {
    at.member("services").member("namespace").required("is required, as the policy has no namespace");
  }
}

void check_directions(const At& at, const PolicySpec& spec, Scope scope) {
  for (std::size_t i = 0; i < spec.ingress.size(); ++i) {
    const At ingress = at.member("ingress");
    const At rule = ingress.element(i);
    check_rule(rule, spec.ingress[i]);
    check_services(rule.member("source"), spec.ingress[i].source.services, scope);
    if (spec.ingress[i].destination.services) {
      rule.member("destination").member("services").forbidden("an ingress rule can have services in its source only");
    }
  }
  for (std::size_t i = 0; i < spec.egress.size(); ++i) {
    const At egress = at.member("egress");
    const At rule = egress.element(i);
    check_rule(rule, spec.egress[i]);
    check_services(rule.member("destination"), spec.egress[i].destination.services, scope);
    if (spec.egress[i].source.services) {
      rule.member("source").member("services").forbidden("an egress rule can have services in its destination only");
    }
    if (spec.egress[i].http) rule.member("http").forbidden("only ingress rules can have it");
  }
}

void check_host_policy(const At& at, const PolicySpec& spec) {
  if (spec.do_not_track && spec.pre_dnat) at.member("preDNAT").forbidden("doNotTrack and preDNAT cannot both be true");
  if ((spec.do_not_track || spec.pre_dnat) && !spec.apply_on_forward) {
    at.member("applyOnForward").invalid("doNotTrack and preDNAT need applyOnForward: true");
  }
  if (!spec.pre_dnat) return;
  if (!spec.egress.empty()) at.member("egress").forbidden("a preDNAT policy cannot have egress rules");
  for (std::size_t i = 0; i < spec.types.size(); ++i) {
    if (spec.types[i] != PolicyType::kEgress) continue;
    const At types = at.member("types");
    types.element(i).forbidden("a preDNAT policy cannot have type Egress");
  }
}

void check_spec(const At& at, const PolicySpec& spec, Scope scope) {
  check_selector(at.member("selector"), spec.selector);
  check_selector(at.member("serviceAccountSelector"), spec.service_account_selector);
  check_no_repeats(at.member("types"), spec.types);
  check_directions(at, spec, scope);
  if (scope == Scope::kNamespace) return;
  check_selector(at.member("namespaceSelector"), spec.namespace_selector);
  check_host_policy(at, spec);
}

void check_staged(const At& at, const model::StagedPolicySpec& spec, Scope scope) {
  if (spec.staged_action != model::StagedAction::kDelete) return check_spec(at, spec.policy, scope);
  PolicySpec expected;
  expected.tier = spec.policy.tier;
  if (spec.policy != expected) at.forbidden("with stagedAction Delete only tier can be set");
}

template <class Policy>
FieldErrors validated(const Policy& policy, Scope scope) {
  FieldErrors errors;
  const At root(errors);
  const bool is_namespaced = scope == Scope::kNamespace;
  check_metadata(root.member("metadata"), policy.metadata, is_namespaced ? NameForm::kPolicy : NameForm::kGlobalPolicy,
                 is_namespaced);
  if constexpr (requires { policy.spec.staged_action; }) {
    check_staged(root.member("spec"), policy.spec, scope);
  } else {
    check_spec(root.member("spec"), policy.spec, scope);
  }
  return errors;
}

}  // namespace

FieldErrors validate(const model::Tier& tier) {
  FieldErrors errors;
  const At root(errors);
  check_metadata(root.member("metadata"), tier.metadata, NameForm::kLabel, false);
  const At spec = root.member("spec");
  for (const BuiltInTier& built_in : kBuiltInTiers) {
    if (built_in.name != tier.metadata.name) continue;
    if (tier.spec.order.value_or(built_in.order) != built_in.order) {
      spec.member("order").invalid(
          concat("the tier ", built_in.name, " must have order ", static_cast<std::int64_t>(built_in.order)));
    }
    if (tier.spec.default_action.value_or(model::TierDefaultAction::kDeny) != built_in.action) {
      spec.member("defaultAction")
          .invalid(concat("the tier ", built_in.name, " must have default action ", to_string(built_in.action)));
    }
  }
  return errors;
}

FieldErrors validate(const model::NetworkPolicy& policy) { return validated(policy, Scope::kNamespace); }
FieldErrors validate(const model::GlobalNetworkPolicy& policy) { return validated(policy, Scope::kGlobal); }
FieldErrors validate(const model::StagedNetworkPolicy& policy) { return validated(policy, Scope::kNamespace); }
FieldErrors validate(const model::StagedGlobalNetworkPolicy& policy) { return validated(policy, Scope::kGlobal); }

}  // namespace margay::codec
