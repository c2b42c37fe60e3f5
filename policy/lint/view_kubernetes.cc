// Views of NetworkPolicies of Kubernetes.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "policy/lint/view.h"
#include "policy/translate/names.h"
#include "policy/translate/rules.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

constexpr double kOrder = 1000;

PeerView kubernetes_peer(const model::KubernetesPolicyPeer& peer, std::string field, std::string_view name_space) {
  PeerView out;
  out.field = std::move(field);
  if (peer.ip_block) {
    out.field += ".ipBlock";
    out.nets = {peer.ip_block->cidr};
    out.not_nets = peer.ip_block->except;
    return out;
  }
  const selector::Selector where = peer.namespace_selector
                                       ? parsed(selector_of(*peer.namespace_selector, kNamespaceLabelPrefix))
                                       : in_namespace(name_space);
  out.text = concat(selector_of(peer.pod_selector.value_or(model::LabelTerms{})),
                    peer.namespace_selector ? " in namespaces with " : " in namespace ",
                    peer.namespace_selector ? selector_of(*peer.namespace_selector) : std::string(name_space));
  out.selector = both(parsed(pods_selector(peer.pod_selector.value_or(model::LabelTerms{}))), where);
  return out;
}

PortView kubernetes_port(const model::KubernetesPolicyPort& port, std::string field) {
  PortView out{.field = std::move(field), .protocol = port.protocol.value_or(model::kProtocolTcp), .port = port.port};
  const PortRange* first = port.port ? port.port->range() : nullptr;
  if (port.end_port && first != nullptr) {
    const auto range = PortRange::between(first->first(), Port(static_cast<std::uint16_t>(*port.end_port)));
    if (range.ok()) out.port = model::PortOrName(*range);
  }
  return out;
}

std::vector<RuleView> kubernetes_rules(const std::vector<model::KubernetesPolicyRule>& rules, std::string_view list,
                                       std::string_view peers, std::string_view name_space) {
  std::vector<RuleView> out;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    RuleView& rule = out.emplace_back();
    rule.field = concat(list, '[', i, ']');
    for (std::size_t k = 0; k < rules[i].peers.size(); ++k) {
      rule.peers.push_back(kubernetes_peer(rules[i].peers[k], concat(rule.field, '.', peers, '[', k, ']'), name_space));
    }
    for (std::size_t k = 0; k < rules[i].ports.size(); ++k) {
      rule.ports.push_back(kubernetes_port(rules[i].ports[k], concat(rule.field, ".ports[", k, "].port")));
    }
  }
  return out;
}

PolicyView kubernetes_view(const ObjectKey& key, const model::KubernetesPolicySpec& spec) {
  PolicyView out;
  out.key = key;
  out.tier = model::kDefaultTier;
  out.order = kOrder;
  out.only_allows = true;
  out.subject_field = "spec.podSelector";
  out.subject_text = concat(selector_of(spec.pod_selector), " in namespace ", key.name_space);
  out.subject = both(parsed(pods_selector(spec.pod_selector)), in_namespace(key.name_space));
  const auto has = [&spec](model::PolicyType type) {
    return std::find(spec.policy_types.begin(), spec.policy_types.end(), type) != spec.policy_types.end();
  };
  out.has_ingress = spec.policy_types.empty() || has(model::PolicyType::kIngress);
  out.has_egress = spec.policy_types.empty() ? !spec.egress.empty() : has(model::PolicyType::kEgress);
  out.ingress = kubernetes_rules(spec.ingress, "spec.ingress", "from", key.name_space);
  out.egress = kubernetes_rules(spec.egress, "spec.egress", "to", key.name_space);
  return out;
}

}  // namespace

void add_kubernetes_views(const World& world, std::vector<PolicyView>& out) {
  for (const auto& [key, policy] : world.all<model::KubernetesNetworkPolicy>()) {
    out.push_back(kubernetes_view(key, policy->spec));
  }
  for (const auto& [key, policy] : world.all<model::StagedKubernetesNetworkPolicy>()) {
    out.push_back(kubernetes_view(key, policy->spec.policy));
    out.back().is_staged = true;
  }
}

}  // namespace margay::policy
