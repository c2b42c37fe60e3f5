// The rules on NetworkPolicy of Kubernetes, StagedKubernetesNetworkPolicy, ClusterNetworkPolicy, its predecessors and
// Node.
#include <algorithm>
#include <string_view>
#include <vector>

#include "base/core/text.h"
#include "datastore/codec/node_annotations.h"
#include "datastore/codec/rules.h"
#include "datastore/codec/validate.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/kubernetes_policy.h"
#include "datastore/selector/label_selector.h"

namespace margay::codec {
namespace {

using model::KubernetesPolicyPeer;
using model::KubernetesPolicyPort;
using model::KubernetesPolicyRule;
using model::KubernetesPolicySpec;
using model::LabelOperator;

constexpr int kPortMax = 65535;
constexpr std::size_t kPolicyTypesMax = 2;

// Values of expressions are not looked at, as kube-apiserver does not: policies with such exist.
void check_term(const At& at, const model::LabelTerm& term) {
  if (const std::string problem = selector::label_key_problem(term.key); !problem.empty())
    at.member("key").invalid(problem);
  const bool needs_values = term.op == LabelOperator::kIn || term.op == LabelOperator::kNotIn;
  if (needs_values && term.values.empty()) at.member("values").required("In and NotIn need values");
  if (!needs_values && !term.values.empty()) at.member("values").forbidden("Exists and DoesNotExist have no values");
}

void check_terms(const At& at, const model::LabelTerms& terms) {
  check_labels(at.member("matchLabels"), terms.match_labels);
  const At expressions = at.member("matchExpressions");
  for (std::size_t i = 0; i < terms.match_expressions.size(); ++i) {
    check_term(expressions.element(i), terms.match_expressions[i]);
  }
}

void check_port(const At& at, const KubernetesPolicyPort& port) {
  if (port.protocol && !port.protocol->has_ports()) {
    at.member("protocol")
        .error(FieldError::Kind::kNotSupported,
               concat(quoted(port.protocol->to_string()), " is not one of TCP, UDP, SCTP"));
  }
  if (!port.end_port) return;
  const PortRange* numbers = port.port ? port.port->range() : nullptr;
  if (numbers == nullptr) {
    at.member("endPort").forbidden("endPort needs port as a number");
  } else if (*port.end_port < numbers->first().value() || *port.end_port > kPortMax) {
    at.member("endPort").invalid(
        concat(*port.end_port, " is not between port ", numbers->first().value(), " and ", kPortMax));
  }
}

void check_block(const At& at, const model::IpBlock& block) {
  const At except = at.member("except");
  for (std::size_t i = 0; i < block.except.size(); ++i) {
    if (block.cidr.contains(block.except[i]) && block.cidr != block.except[i]) continue;
    except.element(i).invalid(concat(block.except[i].to_string(), " is not a part of cidr ", block.cidr.to_string()));
  }
}

void check_peer(const At& at, const KubernetesPolicyPeer& peer) {
  const bool has_selector = peer.pod_selector || peer.namespace_selector;
  if (!has_selector && !peer.ip_block) at.required("podSelector, namespaceSelector or ipBlock has to be given");
  if (has_selector && peer.ip_block) at.forbidden("ipBlock cannot be combined with selectors");
  if (peer.pod_selector) check_terms(at.member("podSelector"), *peer.pod_selector);
  if (peer.namespace_selector) check_terms(at.member("namespaceSelector"), *peer.namespace_selector);
  if (peer.ip_block) check_block(at.member("ipBlock"), *peer.ip_block);
}

void check_rules(const At& at, const std::vector<KubernetesPolicyRule>& rules, std::string_view peers_name) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const At rule = at.element(i);
    const At ports = rule.member("ports");
    for (std::size_t k = 0; k < rules[i].ports.size(); ++k) check_port(ports.element(k), rules[i].ports[k]);
    const At peers = rule.member(peers_name);
    for (std::size_t k = 0; k < rules[i].peers.size(); ++k) check_peer(peers.element(k), rules[i].peers[k]);
  }
}

void check_policy(const At& at, const KubernetesPolicySpec& spec) {
  check_terms(at.member("podSelector"), spec.pod_selector);
  check_rules(at.member("ingress"), spec.ingress, "from");
  check_rules(at.member("egress"), spec.egress, "to");
  if (spec.policy_types.size() > kPolicyTypesMax) {
    at.member("policyTypes").error(FieldError::Kind::kTooMany, "has more than Ingress and Egress");
  }
}

void check_range(const At& at, const std::optional<model::ClusterPolicyTransport>& transport) {
  if (!transport || !transport->destination_port) return;
  const At port = at.member("destinationPort");
  const model::ClusterPolicyPort& given = *transport->destination_port;
  if (given.number.has_value() == given.range.has_value())
    port.invalid("exactly one of number and range has to be given");
  if (given.range && given.range->start >= given.range->end) {
    port.member("range").invalid(
        concat("start ", given.range->start.value(), " is not below end ", given.range->end.value()));
  }
}

void check_protocol(const At& at, const model::ClusterPolicyProtocol& protocol) {
  const int given = protocol.tcp.has_value() + protocol.udp.has_value() + protocol.sctp.has_value() +
                    (protocol.destination_named_port.empty() ? 0 : 1);
  if (given != 1) {
    at.invalid(concat("has ", given, " of tcp, udp, sctp and destinationNamedPort, exactly one is allowed"));
  }
  check_range(at.member("tcp"), protocol.tcp);
  check_range(at.member("udp"), protocol.udp);
  check_range(at.member("sctp"), protocol.sctp);
}

void check_pods(const At& at, const std::optional<model::NamespacedPods>& pods) {
  if (!pods) return;
  check_terms(at.member("namespaceSelector"), pods->namespace_selector);
  check_terms(at.member("podSelector"), pods->pod_selector);
}

bool is_outside(const model::ClusterPolicyPeer& peer) {
  return peer.nodes.has_value() || !peer.networks.empty() || !peer.domain_names.empty();
}

void check_cluster_peer(const At& at, const model::ClusterPolicyPeer& peer) {
  const int given = peer.namespaces.has_value() + peer.pods.has_value() + peer.nodes.has_value() +
                    (peer.networks.empty() ? 0 : 1) + (peer.domain_names.empty() ? 0 : 1);
  if (given != 1) at.invalid(concat("has ", given, " kinds of peers, exactly one is allowed"));
  if (peer.namespaces) check_terms(at.member("namespaces"), *peer.namespaces);
  if (peer.nodes) check_terms(at.member("nodes"), *peer.nodes);
  check_pods(at.member("pods"), peer.pods);
}

// Peers outside the cluster: in egress rules only, without names of ports, and names of hosts only where they allow.
void check_outside_peer(const At& at, const model::ClusterPolicyPeer& peer, std::string_view peers_name,
                        std::string_view named_port_field) {
  if (!is_outside(peer)) return;
  if (peers_name == "from") at.forbidden("nodes, networks and domainNames are for egress rules only");
  if (!named_port_field.empty()) {
    at.forbidden(concat(named_port_field, " means nothing for nodes, networks and domainNames"));
  }
}

void check_cluster_rule(const At& at, const model::ClusterPolicyRule& rule, std::string_view peers_name) {
  const At peers = at.member(peers_name);
  if (rule.peers.empty()) peers.required("at least one peer has to be given");
  bool has_named_port = false;
  const At protocols = at.member("protocols");
  for (std::size_t i = 0; i < rule.protocols.size(); ++i) {
    check_protocol(protocols.element(i), rule.protocols[i]);
    has_named_port |= !rule.protocols[i].destination_named_port.empty();
  }
  for (std::size_t i = 0; i < rule.peers.size(); ++i) {
    const At peer = peers.element(i);
    check_cluster_peer(peer, rule.peers[i]);
    check_outside_peer(peer, rule.peers[i], peers_name, has_named_port ? "destinationNamedPort" : "");
    if (!rule.peers[i].domain_names.empty() && rule.action != model::ClusterPolicyAction::kAccept) {
      peer.member("domainNames").forbidden("domainNames need action Accept");
    }
  }
}

void check_optional_transport(const At& at, const std::optional<model::Protocol>& protocol) {
  if (!protocol || protocol->has_ports()) return;
  at.member("protocol")
      .error(FieldError::Kind::kNotSupported, concat(quoted(protocol->to_string()), " is not one of TCP, UDP, SCTP"));
}

void check_admin_port(const At& at, const model::AdminPolicyPort& port) {
  const int given = port.port_number.has_value() + port.port_range.has_value() + (port.named_port.empty() ? 0 : 1);
  if (given != 1) {
    at.invalid(concat("has ", given, " of portNumber, portRange and namedPort, exactly one is allowed"));
  }
  if (port.port_number) check_optional_transport(at.member("portNumber"), port.port_number->protocol);
  if (!port.port_range) return;
  const At range = at.member("portRange");
  check_optional_transport(range, port.port_range->protocol);
  if (port.port_range->start >= port.port_range->end) {
    range.invalid(concat("start ", port.port_range->start.value(), " is not below end ", port.port_range->end.value()));
  }
}

template <class Action>
void check_admin_rule(const At& at, const model::AdminPolicyRuleOf<Action>& rule, std::string_view peers_name) {
  const At peers = at.member(peers_name);
  if (rule.peers.empty()) peers.required("at least one peer has to be given");
  const At ports = at.member("ports");
  bool has_named_port = false;
  for (std::size_t i = 0; i < rule.ports.size(); ++i) {
    check_admin_port(ports.element(i), rule.ports[i]);
    has_named_port |= !rule.ports[i].named_port.empty();
  }
  for (std::size_t i = 0; i < rule.peers.size(); ++i) {
    const At peer = peers.element(i);
    check_cluster_peer(peer, rule.peers[i]);
    check_outside_peer(peer, rule.peers[i], peers_name, has_named_port ? "namedPort" : "");
    if (!rule.peers[i].domain_names.empty() && rule.action != Action::kAllow) {
      peer.member("domainNames").forbidden("domainNames need action Allow");
    }
  }
}

template <class Action>
void check_admin_rules(const At& at, const std::vector<model::AdminPolicyRuleOf<Action>>& rules,
                       std::string_view peers_name) {
  for (std::size_t i = 0; i < rules.size(); ++i) check_admin_rule(at.element(i), rules[i], peers_name);
}

void check_subject(const At& at, const model::ClusterPolicySubject& subject) {
  if (subject.namespaces.has_value() == subject.pods.has_value()) {
    at.invalid("exactly one of namespaces and pods has to be given");
  }
  if (subject.namespaces) check_terms(at.member("namespaces"), *subject.namespaces);
  check_pods(at.member("pods"), subject.pods);
}

}  // namespace

FieldErrors validate(const model::KubernetesNetworkPolicy& object) {
  FieldErrors errors;
  const At root(errors);
  const At metadata = root.member("metadata");
  check_metadata(metadata, object.metadata, NameForm::kSubdomain, true);
  if (object.metadata.name_space.empty()) metadata.member("namespace").required("is required");
  check_policy(root.member("spec"), object.spec);
  return errors;
}

FieldErrors validate(const model::StagedKubernetesNetworkPolicy& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, true);
  if (object.spec.staged_action != model::StagedAction::kDelete) {
    check_policy(spec, object.spec.policy);
  } else if (object.spec.policy != KubernetesPolicySpec{}) {
    spec.forbidden("with stagedAction Delete the rest has to be empty");
  }
  return errors;
}

FieldErrors validate(const model::Node& object) {
  FieldErrors errors;
  check_metadata(At(errors).member("metadata"), object.metadata, NameForm::kSubdomain, false);
  model::NodeNetworking networking;
  const FieldErrors found = read_node_annotations(object.metadata.annotations, networking);
  errors.insert(errors.end(), found.begin(), found.end());
  return errors;
}

FieldErrors validate(const model::AdminNetworkPolicy& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  check_subject(spec.member("subject"), object.spec.subject);
  check_admin_rules(spec.member("ingress"), object.spec.ingress, "from");
  check_admin_rules(spec.member("egress"), object.spec.egress, "to");
  return errors;
}

FieldErrors validate(const model::BaselineAdminNetworkPolicy& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kDefault, false);
  check_subject(spec.member("subject"), object.spec.subject);
  check_admin_rules(spec.member("ingress"), object.spec.ingress, "from");
  check_admin_rules(spec.member("egress"), object.spec.egress, "to");
  return errors;
}

FieldErrors validate(const model::ClusterNetworkPolicy& object) {
  FieldErrors errors;
  const At root(errors);
  const At spec = root.member("spec");
  check_metadata(root.member("metadata"), object.metadata, NameForm::kSubdomain, false);
  check_subject(spec.member("subject"), object.spec.subject);
  const At ingress = spec.member("ingress");
  for (std::size_t i = 0; i < object.spec.ingress.size(); ++i) {
    check_cluster_rule(ingress.element(i), object.spec.ingress[i], "from");
  }
  const At egress = spec.member("egress");
  for (std::size_t i = 0; i < object.spec.egress.size(); ++i) {
    check_cluster_rule(egress.element(i), object.spec.egress[i], "to");
  }
  return errors;
}

}  // namespace margay::codec
