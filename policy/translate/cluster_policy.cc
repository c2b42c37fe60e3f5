// ClusterNetworkPolicy, and AdminNetworkPolicy and BaselineAdminNetworkPolicy before it.
//
// All three become the same Source first: they differ in the words for actions and ports only.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "policy/translate/names.h"
#include "policy/translate/rules.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

using model::RuleAction;

// A port's name without protocol is one of any protocol that has ports.
constexpr model::Protocol kProtocolsOfNames[] = {model::kProtocolTcp, model::kProtocolUdp, model::kProtocolSctp};

struct SourcePort {
  std::string path;                            // within the rule
  std::optional<model::Protocol> protocol;     // unless there is a name
  std::optional<std::pair<Port, Port>> range;  // first and last; nullopt: all of the protocol, unless there is a name
  std::string name;
};

struct SourceRule {
  std::string name;
  RuleAction action = RuleAction::kDeny;
  const std::vector<model::ClusterPolicyPeer>* peers = nullptr;
  std::vector<SourcePort> ports;
  FieldErrors errors;  // of its ports, with paths within the rule
};

struct Source {
  const model::ObjectMeta& metadata;
  std::string_view prefix;
  std::string_view tier;
  double order;
  const model::ClusterPolicySubject& subject;
  std::vector<SourceRule> ingress;
  std::vector<SourceRule> egress;
};

// Networks by family, as one rule cannot have both.
std::vector<model::EntityRule> peers_by_family(const std::vector<IpPrefix>& networks) {
  std::vector<model::EntityRule> out;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    model::EntityRule peer;
    for (const IpPrefix& network : networks) {
      if (network.family() == family) peer.nets.push_back(network);
    }
    if (!peer.nets.empty()) out.push_back(std::move(peer));
  }
  return out;
}

// At least one.
Result<std::vector<model::EntityRule>, FieldError> peers_of_one(const model::ClusterPolicyPeer& peer) {
  const int given = peer.namespaces.has_value() + peer.pods.has_value() + peer.nodes.has_value() +
                    (peer.networks.empty() ? 0 : 1) + (peer.domain_names.empty() ? 0 : 1);
  if (given != 1) {
    return FieldError{FieldError::Kind::kInvalid, "", concat("has ", given, " kinds of peers, exactly one is allowed")};
  }
  if (!peer.domain_names.empty()) {
    return FieldError{FieldError::Kind::kNotSupported, "domainNames", "is not supported"};
  }
  if (!peer.networks.empty()) return peers_by_family(peer.networks);
  model::EntityRule out;
  if (peer.nodes) out.selector = nodes_selector(*peer.nodes);
  if (peer.namespaces) out.namespace_selector = selector_of(*peer.namespaces);
  if (peer.pods) {
    out.selector = pods_selector(peer.pods->pod_selector);
    out.namespace_selector = selector_of(peer.pods->namespace_selector);
  }
  return std::vector{std::move(out)};
}

class RuleTranslator {
 public:
  RuleTranslator(RuleSide side, FieldErrors& errors) : side_(side), errors_(errors) {}

  std::vector<model::Rule> translate(const std::vector<SourceRule>& rules) {
    std::vector<model::Rule> out;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      place_ = concat(side_ == RuleSide::kIngress ? "spec.ingress[" : "spec.egress[", i, "]");
      std::vector<model::Rule> some = rule(rules[i]);
      std::move(some.begin(), some.end(), std::back_inserter(out));
    }
    return out;
  }

 private:
  std::vector<model::Rule> rule(const SourceRule& source) {
    const std::size_t errors_before = errors_.size();
    for (const FieldError& error : source.errors) report(error, "");
    const PortsByProtocol ports = ports_of(source.ports);
    const std::vector<model::EntityRule> peers = peers_of(*source.peers);
    model::Rule like;
    like.action = source.action;
    if (errors_.size() > errors_before) {
      // Fails closed: what might have been allowed is not, what might have been denied or left to others is denied.
      if (source.action == RuleAction::kAllow) return {};
      like.action = RuleAction::kDeny;
      return {like};
    }
    if (!source.name.empty()) like.metadata = model::RuleMetadata{.annotations = StringMap{{"name", source.name}}};
    return rules_of(like, side_, ports, peers);
  }

  PortsByProtocol ports_of(const std::vector<SourcePort>& ports) {
    PortsByProtocol out;
    for (const SourcePort& port : ports) {
      if (!port.name.empty()) {
        for (const model::Protocol& protocol : kProtocolsOfNames) out.add(protocol, model::PortOrName(port.name));
      } else if (!port.range) {
        out.add(*port.protocol, std::nullopt);
      } else if (const auto range = PortRange::between(port.range->first, port.range->second); range.ok()) {
        out.add(*port.protocol, model::PortOrName(*range));
      } else {
        report({FieldError::Kind::kInvalid, "", range.error().message}, port.path);
      }
    }
    return out;
  }

  std::vector<model::EntityRule> peers_of(const std::vector<model::ClusterPolicyPeer>& peers) {
    const std::string_view list = side_ == RuleSide::kIngress ? "from" : "to";
    if (peers.empty()) report({FieldError::Kind::kRequired, "", "at least one peer has to be given"}, list);
    std::vector<model::EntityRule> out;
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const auto some = peers_of_one(peers[i]);
      if (some.ok()) {
        out.insert(out.end(), some.value().begin(), some.value().end());
      } else {
        report(some.error(), concat(list, '[', i, ']'));
      }
    }
    return out;
  }

  // `error.path` is within `inner`, and that within the rule.
  void report(FieldError error, std::string_view inner) {
    std::string path = place_;
    if (!inner.empty()) path += concat(".", inner);
    if (!error.path.empty()) path += concat(".", error.path);
    error.path = std::move(path);
    errors_.push_back(std::move(error));
  }

  RuleSide side_;
  FieldErrors& errors_;
  std::string place_;
};

bool set_subject(const model::ClusterPolicySubject& subject, model::PolicySpec& spec) {
  if (subject.namespaces.has_value() == subject.pods.has_value()) return false;
  if (subject.namespaces) {
    spec.selector = pods_selector({});
    spec.namespace_selector = selector_of(*subject.namespaces);
  } else {
    spec.selector = pods_selector(subject.pods->pod_selector);
    spec.namespace_selector = selector_of(subject.pods->namespace_selector);
  }
  return true;
}

Translated<model::GlobalNetworkPolicy> translated(const Source& source) {
  Translated<model::GlobalNetworkPolicy> out;
  out.object.metadata = derived_metadata(source.metadata, source.prefix);
  model::PolicySpec& spec = out.object.spec;
  spec.tier = source.tier;
  spec.order = source.order;
  if (!set_subject(source.subject, spec)) {
    out.errors.push_back(
        {FieldError::Kind::kInvalid, "spec.subject", "exactly one of namespaces and pods has to be given"});
    spec.selector = "!all()";
    return out;
  }
  spec.ingress = RuleTranslator(RuleSide::kIngress, out.errors).translate(source.ingress);
  spec.egress = RuleTranslator(RuleSide::kEgress, out.errors).translate(source.egress);
  if (!spec.ingress.empty()) spec.types.push_back(model::PolicyType::kIngress);
  if (!spec.egress.empty()) spec.types.push_back(model::PolicyType::kEgress);
  return out;
}

RuleAction action_of(model::ClusterPolicyAction action) {
  switch (action) {
    case model::ClusterPolicyAction::kAccept: return RuleAction::kAllow;
    case model::ClusterPolicyAction::kDeny: return RuleAction::kDeny;
    case model::ClusterPolicyAction::kPass: return RuleAction::kPass;
  }
  return RuleAction::kDeny;
}

RuleAction action_of(model::AdminPolicyAction action) {
  switch (action) {
    case model::AdminPolicyAction::kAllow: return RuleAction::kAllow;
    case model::AdminPolicyAction::kDeny: return RuleAction::kDeny;
    case model::AdminPolicyAction::kPass: return RuleAction::kPass;
  }
  return RuleAction::kDeny;
}

RuleAction action_of(model::BaselineAdminPolicyAction action) {
  return action == model::BaselineAdminPolicyAction::kAllow ? RuleAction::kAllow : RuleAction::kDeny;
}

struct Transport {
  std::string_view field;
  model::Protocol protocol;
  const std::optional<model::ClusterPolicyTransport>& given;
};

SourcePort transport_port(const Transport& transport, const std::string& path) {
  SourcePort out;
  out.path = concat(path, ".", transport.field, ".destinationPort");
  out.protocol = transport.protocol;
  const auto& port = transport.given->destination_port;
  if (port && port->number) out.range = {*port->number, *port->number};
  if (port && port->range) out.range = {port->range->start, port->range->end};
  return out;
}

void add_ports(const model::ClusterPolicyProtocol& from, const std::string& path, SourceRule& rule) {
  const std::size_t before = rule.ports.size();
  const Transport transports[] = {{"tcp", model::kProtocolTcp, from.tcp},
                                  {"udp", model::kProtocolUdp, from.udp},
                                  {"sctp", model::kProtocolSctp, from.sctp}};
  for (const Transport& transport : transports) {
    if (transport.given) rule.ports.push_back(transport_port(transport, path));
  }
  if (!from.destination_named_port.empty()) {
    rule.ports.push_back({.path = path, .protocol = {}, .range = {}, .name = from.destination_named_port});
  }
  if (rule.ports.size() != before + 1) {
    rule.errors.push_back(
        {FieldError::Kind::kInvalid, path, "exactly one of tcp, udp, sctp and destinationNamedPort has to be given"});
  }
}

void add_ports(const model::AdminPolicyPort& from, const std::string& path, SourceRule& rule) {
  const std::size_t before = rule.ports.size();
  if (from.port_number) {
    rule.ports.push_back({.path = concat(path, ".portNumber"),
                          .protocol = from.port_number->protocol.value_or(model::kProtocolTcp),
                          .range = std::pair(from.port_number->port, from.port_number->port),
                          .name = {}});
  }
  if (from.port_range) {
    rule.ports.push_back({.path = concat(path, ".portRange"),
                          .protocol = from.port_range->protocol.value_or(model::kProtocolTcp),
                          .range = std::pair(from.port_range->start, from.port_range->end),
                          .name = {}});
  }
  if (!from.named_port.empty()) {
    rule.ports.push_back({.path = path, .protocol = {}, .range = {}, .name = from.named_port});
  }
  if (rule.ports.size() != before + 1) {
    rule.errors.push_back(
        {FieldError::Kind::kInvalid, path, "exactly one of portNumber, portRange and namedPort has to be given"});
  }
}

template <class Port>
void add_all_ports(const std::vector<Port>& ports, std::string_view field, SourceRule& rule) {
  for (std::size_t i = 0; i < ports.size(); ++i) add_ports(ports[i], concat(field, '[', i, ']'), rule);
}

template <class Rule>
std::vector<SourceRule> sources_of(const std::vector<Rule>& rules) {
  std::vector<SourceRule> out;
  for (const Rule& rule : rules) {
    SourceRule& source = out.emplace_back();
    source.name = rule.name;
    source.action = action_of(rule.action);
    source.peers = &rule.peers;
    if constexpr (requires { rule.protocols; }) {
      add_all_ports(rule.protocols, "protocols", source);
    } else {
      add_all_ports(rule.ports, "ports", source);
    }
  }
  return out;
}

}  // namespace

Translated<model::GlobalNetworkPolicy> from_kubernetes(const model::ClusterNetworkPolicy& policy) {
  const bool is_admin = policy.spec.tier == model::ClusterPolicyTier::kAdmin;
  return translated({.metadata = policy.metadata,
                     .prefix = is_admin ? kClusterAdminPrefix : kClusterBaselinePrefix,
                     .tier = is_admin ? model::kKubeAdminTier : model::kKubeBaselineTier,
                     .order = static_cast<double>(policy.spec.priority),
                     .subject = policy.spec.subject,
                     .ingress = sources_of(policy.spec.ingress),
                     .egress = sources_of(policy.spec.egress)});
}

Translated<model::GlobalNetworkPolicy> from_kubernetes(const model::AdminNetworkPolicy& policy) {
  return translated({.metadata = policy.metadata,
                     .prefix = kAdminPolicyPrefix,
                     .tier = model::kKubeAdminTier,
                     .order = static_cast<double>(policy.spec.priority),
                     .subject = policy.spec.subject,
                     .ingress = sources_of(policy.spec.ingress),
                     .egress = sources_of(policy.spec.egress)});
}

Translated<model::GlobalNetworkPolicy> from_kubernetes(const model::BaselineAdminNetworkPolicy& policy) {
  return translated({.metadata = policy.metadata,
                     .prefix = kBaselineAdminPolicyPrefix,
                     .tier = model::kKubeBaselineTier,
                     .order = 0,
                     .subject = policy.spec.subject,
                     .ingress = sources_of(policy.spec.ingress),
                     .egress = sources_of(policy.spec.egress)});
}

}  // namespace margay::policy
