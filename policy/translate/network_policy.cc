// NetworkPolicy of Kubernetes (networking.k8s.io/v1), and its staged form.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "policy/translate/names.h"
#include "policy/translate/rules.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

constexpr double kKubernetesPolicyOrder = 1000;
constexpr std::int32_t kPortMax = 65535;

// The port or range; nullopt in the result: all ports.
Result<std::optional<model::PortOrName>, FieldError> port_or_all(const model::KubernetesPolicyPort& port) {
  if (!port.end_port) return port.port;
  const PortRange* first = port.port ? port.port->range() : nullptr;
  const std::string place = "endPort";
  if (first == nullptr) {
    return FieldError{FieldError::Kind::kForbidden, place, "needs a number in port, and there is none"};
  }
  if (*port.end_port < first->first().value() || *port.end_port > kPortMax) {
    return FieldError{FieldError::Kind::kInvalid, place,
                      concat(*port.end_port, " is not between port (", first->first().value(), ") and ", kPortMax)};
  }
  const auto last = Port(static_cast<std::uint16_t>(*port.end_port));
  return std::optional(model::PortOrName(PortRange::between(first->first(), last).value()));
}

Result<model::EntityRule, FieldError> peer_of(const model::KubernetesPolicyPeer& peer) {
  model::EntityRule out;
  if (peer.ip_block) {
    if (peer.pod_selector || peer.namespace_selector) {
      return FieldError{FieldError::Kind::kForbidden, "ipBlock", "cannot be combined with selectors"};
    }
    out.nets = {peer.ip_block->cidr};
    out.not_nets = peer.ip_block->except;
    return out;
  }
  if (!peer.pod_selector && !peer.namespace_selector) {
    return FieldError{FieldError::Kind::kRequired, "", "has none of podSelector, namespaceSelector and ipBlock"};
  }
  out.selector = pods_selector(peer.pod_selector.value_or(model::LabelTerms{}));
  if (peer.namespace_selector) out.namespace_selector = selector_of(*peer.namespace_selector);
  return out;
}

class RulesTranslator {
 public:
  RulesTranslator(RuleSide side, std::vector<FieldError>& errors) : side_(side), errors_(errors) {}

  std::vector<model::Rule> translate(const std::vector<model::KubernetesPolicyRule>& rules) {
    std::vector<model::Rule> out;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const std::string place = concat(side_ == RuleSide::kIngress ? "spec.ingress[" : "spec.egress[", i, "]");
      std::vector<model::Rule> some = rule(rules[i], place);
      std::move(some.begin(), some.end(), std::back_inserter(out));
    }
    return out;
  }

 private:
  // None when any part of it cannot be translated: less than was meant to be allowed is safe, more is not.
  std::vector<model::Rule> rule(const model::KubernetesPolicyRule& rule, const std::string& place) {
    const std::size_t errors_before = errors_.size();
    PortsByProtocol ports;
    for (std::size_t i = 0; i < rule.ports.size(); ++i) {
      auto port = port_or_all(rule.ports[i]);
      if (!report(port, concat(place, ".ports[", i, "]"))) continue;
      ports.add(rule.ports[i].protocol.value_or(model::kProtocolTcp), std::move(port).value());
    }
    std::vector<model::EntityRule> peers;
    for (std::size_t i = 0; i < rule.peers.size(); ++i) {
      auto peer = peer_of(rule.peers[i]);
      const std::string_view list = side_ == RuleSide::kIngress ? ".from[" : ".to[";
      if (report(peer, concat(place, list, i, "]"))) peers.push_back(std::move(peer).value());
    }
    if (errors_.size() > errors_before) return {};
    if (peers.empty()) peers.emplace_back();  // everyone, outsiders too
    model::Rule like;
    like.action = model::RuleAction::kAllow;
    return rules_of(like, side_, ports, peers);
  }

  template <class T>
  bool report(const Result<T, FieldError>& result, std::string place) {
    if (result.ok()) return true;
    FieldError error = result.error();
    if (!error.path.empty()) append_member_path(place, error.path);
    error.path = std::move(place);
    errors_.push_back(std::move(error));
    return false;
  }

  RuleSide side_;
  std::vector<FieldError>& errors_;
};

// As the API server defaults them: Ingress always, Egress when there are egress rules.
std::vector<model::PolicyType> types_of(const model::KubernetesPolicySpec& spec) {
  using model::PolicyType;
  const auto has = [&spec](PolicyType type) {
    return std::find(spec.policy_types.begin(), spec.policy_types.end(), type) != spec.policy_types.end();
  };
  const bool is_defaulted = spec.policy_types.empty();
  std::vector<PolicyType> out;
  if (is_defaulted || has(PolicyType::kIngress)) out.push_back(PolicyType::kIngress);
  if (is_defaulted ? !spec.egress.empty() : has(PolicyType::kEgress)) out.push_back(PolicyType::kEgress);
  return out;
}

model::PolicySpec policy_spec(const model::KubernetesPolicySpec& spec, std::vector<FieldError>& errors) {
  model::PolicySpec out;
  out.tier = model::kDefaultTier;
  out.order = kKubernetesPolicyOrder;
  out.selector = pods_selector(spec.pod_selector);
  out.types = types_of(spec);
  out.ingress = RulesTranslator(RuleSide::kIngress, errors).translate(spec.ingress);
  out.egress = RulesTranslator(RuleSide::kEgress, errors).translate(spec.egress);
  return out;
}

}  // namespace

Translated<model::NetworkPolicy> from_kubernetes(const model::KubernetesNetworkPolicy& policy) {
  Translated<model::NetworkPolicy> out;
  out.object.metadata = derived_metadata(policy.metadata, kKubernetesPolicyPrefix);
  out.object.spec = policy_spec(policy.spec, out.errors);
  return out;
}

Translated<model::StagedNetworkPolicy> from_kubernetes(const model::StagedKubernetesNetworkPolicy& policy) {
  Translated<model::StagedNetworkPolicy> out;
  out.object.metadata = derived_metadata(policy.metadata, kKubernetesPolicyPrefix);
  out.object.spec.staged_action = policy.spec.staged_action;
  // To delete a policy nothing but its name is needed, and nothing but the tier is allowed.
  if (policy.spec.staged_action == model::StagedAction::kDelete) {
    out.object.spec.policy.tier = model::kDefaultTier;
  } else {
    out.object.spec.policy = policy_spec(policy.spec.policy, out.errors);
  }
  return out;
}

}  // namespace margay::policy
