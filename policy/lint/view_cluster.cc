// Views of ClusterNetworkPolicies and their predecessors.
#include <utility>

#include "base/core/text.h"
#include "policy/lint/view.h"
#include "policy/translate/names.h"
#include "policy/translate/rules.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

selector::Selector pods_of(const model::LabelTerms& namespaces, const model::LabelTerms& pods) {
  return both(parsed(pods_selector(pods)), parsed(selector_of(namespaces, kNamespaceLabelPrefix)));
}

std::string cluster_text(const std::optional<model::LabelTerms>& namespaces,
                         const std::optional<model::NamespacedPods>& pods) {
  if (namespaces) return concat("all() in namespaces with ", selector_of(*namespaces));
  if (!pods) return {};
  return concat(selector_of(pods->pod_selector), " in namespaces with ", selector_of(pods->namespace_selector));
}

PeerView cluster_peer(const model::ClusterPolicyPeer& peer, std::string field) {
  PeerView out;
  out.field = std::move(field);
  out.text = cluster_text(peer.namespaces, peer.pods);
  if (peer.namespaces) out.selector = pods_of(*peer.namespaces, {});
  if (peer.pods) out.selector = pods_of(peer.pods->namespace_selector, peer.pods->pod_selector);
  out.nets = peer.networks;
  if (!peer.networks.empty()) out.field += ".networks";
  out.is_narrow = peer.nodes.has_value() || !peer.domain_names.empty();
  return out;
}

PortView transport(model::Protocol protocol, const model::ClusterPolicyTransport& given, std::string field) {
  PortView out{.field = std::move(field), .protocol = protocol, .port = {}};
  if (!given.destination_port) return out;
  if (given.destination_port->number) out.port = model::PortOrName(PortRange(*given.destination_port->number));
  if (const auto& range = given.destination_port->range) {
    const auto between = PortRange::between(range->start, range->end);
    if (between.ok()) out.port = model::PortOrName(*between);
  }
  return out;
}

PortView cluster_port(const model::ClusterPolicyProtocol& port, const std::string& field) {
  if (port.tcp) return transport(model::kProtocolTcp, *port.tcp, field + ".tcp");
  if (port.udp) return transport(model::kProtocolUdp, *port.udp, field + ".udp");
  if (port.sctp) return transport(model::kProtocolSctp, *port.sctp, field + ".sctp");
  return {
      .field = field + ".destinationNamedPort", .protocol = {}, .port = model::PortOrName(port.destination_named_port)};
}

PortView cluster_port(const model::AdminPolicyPort& port, const std::string& field) {
  if (port.port_number) {
    return {.field = field + ".portNumber",
            .protocol = port.port_number->protocol.value_or(model::kProtocolTcp),
            .port = model::PortOrName(PortRange(port.port_number->port))};
  }
  if (port.port_range) {
    const auto range = PortRange::between(port.port_range->start, port.port_range->end);
    return {.field = field + ".portRange",
            .protocol = port.port_range->protocol.value_or(model::kProtocolTcp),
            .port = model::PortOrName(range.ok() ? *range : PortRange(port.port_range->start))};
  }
  return {.field = field + ".namedPort", .protocol = {}, .port = model::PortOrName(port.named_port)};
}

model::RuleAction action_of(std::string_view word) {
  if (word == "Deny") return model::RuleAction::kDeny;
  if (word == "Pass") return model::RuleAction::kPass;
  return model::RuleAction::kAllow;
}

template <class Rule>
std::vector<RuleView> cluster_rules(const std::vector<Rule>& rules, std::string_view list, std::string_view peers) {
  std::vector<RuleView> out;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    RuleView& rule = out.emplace_back();
    rule.field = concat(list, '[', i, ']');
    rule.action = action_of(to_string(rules[i].action));
    for (std::size_t k = 0; k < rules[i].peers.size(); ++k) {
      rule.peers.push_back(cluster_peer(rules[i].peers[k], concat(rule.field, '.', peers, '[', k, ']')));
    }
    const auto add_ports = [&rule](const auto& ports, std::string_view name) {
      for (std::size_t k = 0; k < ports.size(); ++k) {
        rule.ports.push_back(cluster_port(ports[k], concat(rule.field, '.', name, '[', k, ']')));
      }
    };
    if constexpr (requires { rules[i].protocols; }) {
      add_ports(rules[i].protocols, "protocols");
    } else {
      add_ports(rules[i].ports, "ports");
    }
  }
  return out;
}

template <class Spec>
PolicyView cluster_view(const ObjectKey& key, const Spec& spec, std::string_view tier, double order) {
  PolicyView out;
  out.key = key;
  out.tier = tier;
  out.order = order;
  out.subject_field = "spec.subject";
  out.subject_text = cluster_text(spec.subject.namespaces, spec.subject.pods);
  if (spec.subject.namespaces) out.subject = pods_of(*spec.subject.namespaces, {});
  if (spec.subject.pods) {
    out.subject = pods_of(spec.subject.pods->namespace_selector, spec.subject.pods->pod_selector);
  }
  out.ingress = cluster_rules(spec.ingress, "spec.ingress", "from");
  out.egress = cluster_rules(spec.egress, "spec.egress", "to");
  out.has_ingress = !out.ingress.empty();
  out.has_egress = !out.egress.empty();
  return out;
}

}  // namespace

void add_cluster_views(const World& world, std::vector<PolicyView>& out) {
  for (const auto& [key, policy] : world.all<model::ClusterNetworkPolicy>()) {
    const bool is_admin = policy->spec.tier == model::ClusterPolicyTier::kAdmin;
    out.push_back(cluster_view(key, policy->spec, is_admin ? model::kKubeAdminTier : model::kKubeBaselineTier,
                               static_cast<double>(policy->spec.priority)));
  }
  for (const auto& [key, policy] : world.all<model::AdminNetworkPolicy>()) {
    out.push_back(cluster_view(key, policy->spec, model::kKubeAdminTier, static_cast<double>(policy->spec.priority)));
  }
  for (const auto& [key, policy] : world.all<model::BaselineAdminNetworkPolicy>()) {
    out.push_back(cluster_view(key, policy->spec, model::kKubeBaselineTier, 0));
  }
}

}  // namespace margay::policy
