// Views of policies of projectcalico.org/v3.
#include <limits>
#include <utility>

#include "base/core/text.h"
#include "policy/calc/endpoint_selector.h"
#include "policy/calc/policy_source.h"
#include "policy/lint/view.h"
#include "policy/translate/names.h"

namespace margay::policy {
namespace {

using selector::Node;
using selector::Selector;

Selector has_namespace() {
  Node out;
  out.kind = Node::Kind::kHas;
  out.label = kNamespaceLabel;
  return Selector(std::move(out));
}

Selector negated(const Selector& of) {
  Node out;
  out.kind = Node::Kind::kNot;
  out.operands = {of.root()};
  return Selector(std::move(out));
}

// Where a rule's selector looks: the namespaces picked, what has none, or the policy's own.
std::optional<Selector> place_of(const model::EntityRule& entity, std::string_view name_space) {
  if (entity.namespace_selector.empty()) {
    if (name_space.empty()) return Selector();
    return in_namespace(name_space);
  }
  const auto given = Selector::parse(entity.namespace_selector);
  if (!given.ok()) return std::nullopt;
  if (given->is_global()) return negated(has_namespace());
  if (given->is_all()) return has_namespace();
  return given->with_label_prefix(kNamespaceLabelPrefix);
}

std::string entity_text(const std::string& selector, const std::string& namespace_selector,
                        std::string_view name_space) {
  const std::string what = selector.empty() ? "all()" : selector;
  if (!namespace_selector.empty()) return concat(what, " in namespaces with ", namespace_selector);
  return name_space.empty() ? what : concat(what, " in namespace ", name_space);
}

PeerView entity_peer(const model::EntityRule& entity, std::string field, std::string_view name_space) {
  PeerView out;
  out.field = std::move(field);
  out.nets = entity.nets;
  out.not_nets = entity.not_nets;
  out.is_narrow = !entity.not_selector.empty() || entity.service_accounts.has_value() || entity.services.has_value();
  if (entity.selector.empty() && entity.namespace_selector.empty()) return out;
  const auto selector = Selector::parse(entity.selector);
  const auto place = place_of(entity, name_space);
  out.text = entity_text(entity.selector, entity.namespace_selector, name_space);
  if (selector.ok() && place) out.selector = both(*selector, *place);
  return out;
}

bool says_something(const model::EntityRule& entity) { return entity != model::EntityRule{}; }

// The near end, but for the ports of a destination.
bool is_bound_nearby(const model::EntityRule& near, bool is_destination) {
  model::EntityRule rest = near;
  if (is_destination) rest.ports.clear();
  return says_something(rest);
}

RuleView entity_rule(const model::Rule& rule, std::string field, bool is_ingress, std::string_view name_space) {
  RuleView out;
  out.field = std::move(field);
  out.action = rule.action;
  const model::EntityRule& far = is_ingress ? rule.source : rule.destination;
  const model::EntityRule& near = is_ingress ? rule.destination : rule.source;
  model::EntityRule peer = far;
  if (!is_ingress) peer.ports.clear();
  if (says_something(peer)) {
    out.peers.push_back(entity_peer(peer, concat(out.field, is_ingress ? ".source" : ".destination"), name_space));
    if (!peer.ports.empty() || !peer.not_ports.empty()) out.peers.back().is_narrow = true;
  }
  const std::vector<model::PortOrName>& ports = rule.destination.ports;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    out.ports.push_back(
        {.field = concat(out.field, ".destination.ports[", i, "]"), .protocol = rule.protocol, .port = ports[i]});
  }
  if (ports.empty() && rule.protocol) {
    out.ports.push_back({.field = concat(out.field, ".protocol"), .protocol = rule.protocol, .port = {}});
  }
  out.is_narrow = is_bound_nearby(near, is_ingress) || rule.ip_version || rule.not_protocol || rule.icmp ||
                  rule.not_icmp || rule.http || !rule.destination.not_ports.empty();
  return out;
}

std::vector<RuleView> entity_rules(const std::vector<model::Rule>& rules, bool is_ingress,
                                   std::string_view name_space) {
  std::vector<RuleView> out;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    out.push_back(
        entity_rule(rules[i], concat(is_ingress ? "spec.ingress[" : "spec.egress[", i, "]"), is_ingress, name_space));
  }
  return out;
}

void add_view(const ObjectKey& key, const model::PolicySpec& spec, bool is_staged, std::vector<PolicyView>& views) {
  FieldErrors errors;
  selector::Selector subject = selector_of(spec, key.name_space, errors);
  if (!errors.empty()) return;  // told by the calculation
  PolicyView& out = views.emplace_back();
  out.key = key;
  out.tier = spec.tier.empty() ? std::string(model::kDefaultTier) : spec.tier;
  out.order = spec.order.value_or(std::numeric_limits<double>::infinity());
  out.is_staged = is_staged;
  out.subject_field = "spec.selector";
  out.subject_text = entity_text(spec.selector, spec.namespace_selector, key.name_space);
  out.subject = std::move(subject);
  out.ingress = entity_rules(spec.ingress, true, key.name_space);
  out.egress = entity_rules(spec.egress, false, key.name_space);
  const PolicyDirections directions = directions_of(spec);
  out.has_ingress = directions.ingress;
  out.has_egress = directions.egress;
}

}  // namespace

void add_calico_views(const World& world, std::vector<PolicyView>& out) {
  for (const auto& [key, policy] : world.all<model::NetworkPolicy>()) add_view(key, policy->spec, false, out);
  for (const auto& [key, policy] : world.all<model::GlobalNetworkPolicy>()) add_view(key, policy->spec, false, out);
  for (const auto& [key, policy] : world.all<model::StagedNetworkPolicy>()) {
    add_view(key, policy->spec.policy, true, out);
  }
  for (const auto& [key, policy] : world.all<model::StagedGlobalNetworkPolicy>()) {
    add_view(key, policy->spec.policy, true, out);
  }
}

}  // namespace margay::policy
