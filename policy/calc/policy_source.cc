#include "policy/calc/policy_source.h"

#include <algorithm>
#include <string_view>
#include <type_traits>
#include <utility>

#include "datastore/codec/validate.h"
#include "policy/calc/closed_policy.h"
#include "policy/calc/endpoint_selector.h"

namespace margay::policy {
namespace {

template <class T>
concept AnyPolicy = std::same_as<T, model::NetworkPolicy> || std::same_as<T, model::GlobalNetworkPolicy>;
template <class T>
concept AnyStagedPolicy =
    std::same_as<T, model::StagedNetworkPolicy> || std::same_as<T, model::StagedGlobalNetworkPolicy>;

// A name that the server would refuse does no harm here.
FieldErrors errors_beside_metadata(FieldErrors errors) {
  std::erase_if(errors, [](const FieldError& error) { return error.path.starts_with("metadata"); });
  return errors;
}

template <class T>
PolicySource source_of(const Shared<T>& policy) {
  PolicySource out;
  if constexpr (AnyPolicy<T>) {
    out.spec = Shared<model::PolicySpec>(policy, &policy->spec);
  } else if constexpr (AnyStagedPolicy<T>) {
    if (policy->spec.staged_action != model::StagedAction::kSet) return out;
    out.spec = Shared<model::PolicySpec>(policy, &policy->spec.policy);
    out.is_staged = true;
  } else {
    return out;
  }
  if constexpr (AnyPolicy<T> || AnyStagedPolicy<T>) {
    out.name_space = policy->metadata.name_space;
    out.errors = out.spec->unread;
    for (FieldError& error : errors_beside_metadata(codec::validate(*policy))) out.errors.push_back(std::move(error));
  }
  return out;
}

}  // namespace

bool operator==(const PolicySource& a, const PolicySource& b) {
  if (a.is_staged != b.is_staged || a.name_space != b.name_space) return false;
  if (a.spec == nullptr || b.spec == nullptr) return a.spec == b.spec;
  return *a.spec == *b.spec;
}

PolicySource policy_source_of(const ObjectValue& value) {
  return std::visit(
      [](const auto& object) {
        if constexpr (std::is_same_v<std::decay_t<decltype(object)>, std::monostate>) {
          return PolicySource();
        } else {
          return object == nullptr ? PolicySource() : source_of(object);
        }
      },
      value);
}

PolicyDirections directions_of(const model::PolicySpec& spec) {
  if (spec.pre_dnat) return {.ingress = true, .egress = false};
  if (spec.types.empty()) {
    return {.ingress = spec.egress.empty() || !spec.ingress.empty(), .egress = !spec.egress.empty()};
  }
  const auto has = [&spec](model::PolicyType type) {
    return std::find(spec.types.begin(), spec.types.end(), type) != spec.types.end();
  };
  return {.ingress = has(model::PolicyType::kIngress), .egress = has(model::PolicyType::kEgress)};
}

CompiledPolicy compile_policy(const PolicySource& source) {
  const model::PolicySpec& spec = *source.spec;
  CompiledPolicy out;
  FieldErrors errors;
  const PolicyDirections directions = directions_of(spec);
  const auto& hints = spec.performance_hints;
  out.head = PolicyHead{
      .tier = spec.tier.empty() ? std::string(model::kDefaultTier) : spec.tier,
      .order = spec.order,
      .selector = selector_of(spec, source.name_space, errors).canonical(),
      .has_ingress = directions.ingress,
      .has_egress = directions.egress,
      .is_staged = source.is_staged,
      .do_not_track = spec.do_not_track,
      .pre_dnat = spec.pre_dnat,
      .apply_on_forward = spec.apply_on_forward,
      .is_for_every_node =
          std::find(hints.begin(), hints.end(), model::PerformanceHint::kAssumeNeededOnEveryNode) != hints.end(),
  };
  out.rules = compile_rules(spec.ingress, spec.egress, source.name_space);
  // What validation has found already would only be said twice.
  if (!source.errors.empty()) {
    errors = source.errors;
  } else {
    errors.insert(errors.end(), out.rules.errors.begin(), out.rules.errors.end());
  }
  if (!errors.empty()) close_policy(source, errors, out);
  return out;
}

}  // namespace margay::policy
