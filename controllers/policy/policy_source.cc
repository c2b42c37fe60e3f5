#include "controllers/policy/policy_source.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/kubernetes_policy.h"

namespace margay::controllers {
namespace {

bool is_within(std::string_view path, std::string_view place) {
  if (!path.starts_with(place)) return false;
  return path.size() == place.size() || path[place.size()] == '.' || path[place.size()] == '[';
}

bool has_error_in(const FieldErrors& errors, std::string_view place) {
  return std::any_of(errors.begin(), errors.end(), [&](const FieldError& each) { return is_within(each.path, place); });
}

// "spec.ingress[3]" of a path in that rule; "" elsewhere.
std::string_view rule_of(std::string_view path) {
  for (const std::string_view list : {"spec.ingress[", "spec.egress["}) {
    if (path.starts_with(list)) return path.substr(0, path.find(']') + 1);
  }
  return {};
}

// A peer that says nothing cannot be translated, and a rule with such a peer fails closed.
template <class Rule>
void spoil_rules(std::vector<Rule>& rules, std::string_view list, const FieldErrors& errors) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!has_error_in(errors, concat(list, '[', i, ']'))) continue;
    rules[i].peers.clear();
    rules[i].peers.emplace_back();
  }
}

void close(model::KubernetesPolicySpec& spec, const FieldErrors& errors) {
  if (has_error_in(errors, "spec.podSelector")) spec.pod_selector = {};
  const bool is_unclear = std::any_of(errors.begin(), errors.end(), [](const FieldError& each) {
    return rule_of(each.path).empty() && !is_within(each.path, "spec.podSelector");
  });
  if (is_unclear) spec.policy_types = {model::PolicyType::kIngress, model::PolicyType::kEgress};
}

// Whom it is for, or in which place it comes, cannot be said.
template <class Spec>
void close(Spec& spec, const FieldErrors& errors) {
  const bool is_unclear =
      std::any_of(errors.begin(), errors.end(), [](const FieldError& each) { return rule_of(each.path).empty(); });
  if (is_unclear) spec.subject = {};
}

template <class T>
auto& policy_of(T& object) {
  return object.spec;
}
model::KubernetesPolicySpec& policy_of(model::StagedKubernetesNetworkPolicy& object) { return object.spec.policy; }

}  // namespace

template <class T>
FieldErrors read_source(json::View object, PolicySource<T>& out) {
  out.errors = codec::decode(object, out.object);
  std::erase_if(out.errors, [](const FieldError& each) { return !is_within(each.path, "spec"); });
  if (out.errors.empty()) return {};
  auto& spec = policy_of(out.object);
  spoil_rules(spec.ingress, "spec.ingress", out.errors);
  spoil_rules(spec.egress, "spec.egress", out.errors);
  close(spec, out.errors);
  return {};
}

FieldErrors errors_of(const FieldErrors& read, const FieldErrors& translated) {
  FieldErrors out = read;
  for (const FieldError& error : translated) {
    const std::string_view rule = rule_of(error.path);
    const bool is_known = rule.empty() ? has_error_in(read, error.path) : has_error_in(read, rule);
    if (!is_known) out.push_back(error);
  }
  return out;
}

template FieldErrors read_source(json::View, PolicySource<model::KubernetesNetworkPolicy>&);
template FieldErrors read_source(json::View, PolicySource<model::StagedKubernetesNetworkPolicy>&);
template FieldErrors read_source(json::View, PolicySource<model::ClusterNetworkPolicy>&);
template FieldErrors read_source(json::View, PolicySource<model::AdminNetworkPolicy>&);
template FieldErrors read_source(json::View, PolicySource<model::BaselineAdminNetworkPolicy>&);

}  // namespace margay::controllers
