// NetworkPolicy of Kubernetes, StagedKubernetesNetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy and
// BaselineAdminNetworkPolicy.
#include <algorithm>

#include "base/core/text.h"
#include "datastore/codec/kind_codec.h"
#include "datastore/codec/with_list.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/kubernetes_policy.h"

namespace margay::codec {
namespace {

// Rules differ by direction in the name of their peers only.
constexpr auto kIngressRule = [](auto& a, auto& s) {
  a.field("ports", s.ports);
  a.field("from", s.peers);
};
constexpr auto kEgressRule = [](auto& a, auto& s) {
  a.field("ports", s.ports);
  a.field("to", s.peers);
};
constexpr auto kClusterIngressRule = [](auto& a, auto& s) {
  a.field("name", s.name);
  a.required("action", s.action);
  a.required("from", s.peers);
  a.field("protocols", s.protocols);
};
constexpr auto kClusterEgressRule = [](auto& a, auto& s) {
  a.field("name", s.name);
  a.required("action", s.action);
  a.required("to", s.peers);
  a.field("protocols", s.protocols);
};
constexpr auto kAdminIngressRule = [](auto& a, auto& s) {
  a.field("name", s.name);
  a.required("action", s.action);
  a.required("from", s.peers);
  a.field("ports", s.ports);
};
constexpr auto kAdminEgressRule = [](auto& a, auto& s) {
  a.field("name", s.name);
  a.required("action", s.action);
  a.required("to", s.peers);
  a.field("ports", s.ports);
};

bool is_service_name_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

bool is_service_name(std::string_view text) {
  return !text.empty() && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_service_name_byte) &&
         std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; }) && text.front() != '-' &&
         text.back() != '-' && text.find("--") == std::string_view::npos;
}

}  // namespace

// A number is a port and a text a name, even "80" (RFC 6335 §5.1: up to 15 letters, digits and "-", with a letter).
template <class T>
class NumberOrName {
 public:
  explicit NumberOrName(T& value) : value_(value) {}
  [[nodiscard]] T& value() const { return value_; }
  [[nodiscard]] bool has_value() const { return value_.has_value(); }

 private:
  T& value_;
};

void read(const Input& input, const NumberOrName<std::optional<model::PortOrName>>& port) {
  const std::optional<std::string_view> name = input.view.string();
  if (!name) return read(input, port.value());
  if (is_service_name(*name)) {
    port.value() = model::PortOrName(std::string(*name));
  } else {
    input.error(
        FieldError::Kind::kInvalid,
        concat(quoted(*name), " is not the name of a port: at most 15 lower-case letters, digits and single \"-\" ",
               "between them, with a letter; a number goes without quotes"));
  }
}

void write(Output to, const NumberOrName<const std::optional<model::PortOrName>>& port) { write(to, *port.value()); }

template <class Archive, Is<model::KubernetesPolicyPort> S>
void fields(Archive& a, S& s) {
  a.field("protocol", s.protocol);
  a.field("port", NumberOrName(s.port));
  a.field("endPort", s.end_port);
}

template <class Archive, Is<model::IpBlock> S>
void fields(Archive& a, S& s) {
  a.required("cidr", prefixes(s.cidr, PrefixForm::kAny));
  a.field("except", prefixes(s.except, PrefixForm::kAny));
}

template <class Archive, Is<model::KubernetesPolicyPeer> S>
void fields(Archive& a, S& s) {
  a.field("podSelector", s.pod_selector);
  a.field("namespaceSelector", s.namespace_selector);
  a.field("ipBlock", s.ip_block);
}

template <class Archive, Is<model::KubernetesPolicySpec> S>
void fields(Archive& a, S& s) {
  a.field("podSelector", s.pod_selector);
  a.field("ingress", with_element_list(s.ingress, kIngressRule));
  a.field("egress", with_element_list(s.egress, kEgressRule));
  a.field("policyTypes", s.policy_types);
}

template <class Archive, Is<model::KubernetesNetworkPolicy> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, Is<model::StagedKubernetesPolicySpec> S>
void fields(Archive& a, S& s) {
  a.field("stagedAction", s.staged_action);
  a.field("podSelector", s.policy.pod_selector);
  a.field("ingress", with_element_list(s.policy.ingress, kIngressRule));
  a.field("egress", with_element_list(s.policy.egress, kEgressRule));
  a.field("policyTypes", s.policy.policy_types);
}

template <class Archive, Is<model::StagedKubernetesNetworkPolicy> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, Is<model::NamespacedPods> S>
void fields(Archive& a, S& s) {
  a.field("namespaceSelector", s.namespace_selector);
  a.required("podSelector", s.pod_selector);
}

template <class Archive, Is<model::ClusterPolicySubject> S>
void fields(Archive& a, S& s) {
  a.field("namespaces", s.namespaces);
  a.field("pods", s.pods);
}

template <class Archive, Is<model::ClusterPolicyPeer> S>
void fields(Archive& a, S& s) {
  a.field("namespaces", s.namespaces);
  a.field("pods", s.pods);
  a.field("nodes", s.nodes);
  a.field("networks", prefixes(s.networks, PrefixForm::kAny));
  a.field("domainNames", s.domain_names);
}

template <class Archive, Is<model::ClusterPolicyPortRange> S>
void fields(Archive& a, S& s) {
  a.required("start", s.start);
  a.required("end", s.end);
}

template <class Archive, Is<model::ClusterPolicyPort> S>
void fields(Archive& a, S& s) {
  a.field("number", s.number);
  a.field("range", s.range);
}

template <class Archive, Is<model::ClusterPolicyTransport> S>
void fields(Archive& a, S& s) {
  a.field("destinationPort", s.destination_port);
}

template <class Archive, Is<model::ClusterPolicyProtocol> S>
void fields(Archive& a, S& s) {
  a.field("tcp", s.tcp);
  a.field("udp", s.udp);
  a.field("sctp", s.sctp);
  a.field("destinationNamedPort", s.destination_named_port);
}

template <class Archive, Is<model::ClusterNetworkPolicySpec> S>
void fields(Archive& a, S& s) {
  a.required("tier", s.tier);
  a.required("priority", s.priority);
  a.required("subject", s.subject);
  a.field("ingress", with_element_list(s.ingress, kClusterIngressRule));
  a.field("egress", with_element_list(s.egress, kClusterEgressRule));
}

template <class Archive, Is<model::ClusterNetworkPolicy> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, Is<model::AdminPolicyPortNumber> S>
void fields(Archive& a, S& s) {
  a.field("protocol", s.protocol);
  a.required("port", s.port);
}

template <class Archive, Is<model::AdminPolicyPortRange> S>
void fields(Archive& a, S& s) {
  a.field("protocol", s.protocol);
  a.required("start", s.start);
  a.required("end", s.end);
}

template <class Archive, Is<model::AdminPolicyPort> S>
void fields(Archive& a, S& s) {
  a.field("portNumber", s.port_number);
  a.field("portRange", s.port_range);
  a.field("namedPort", s.named_port);
}

template <class Archive, Is<model::AdminNetworkPolicySpec> S>
void fields(Archive& a, S& s) {
  a.required("priority", s.priority);
  a.required("subject", s.subject);
  a.field("ingress", with_element_list(s.ingress, kAdminIngressRule));
  a.field("egress", with_element_list(s.egress, kAdminEgressRule));
}

template <class Archive, Is<model::AdminNetworkPolicy> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template <class Archive, Is<model::BaselineAdminNetworkPolicySpec> S>
void fields(Archive& a, S& s) {
  a.required("subject", s.subject);
  a.field("ingress", with_element_list(s.ingress, kAdminIngressRule));
  a.field("egress", with_element_list(s.egress, kAdminEgressRule));
}

template <class Archive, Is<model::BaselineAdminNetworkPolicy> S>
void fields(Archive& a, S& s) {
  object_fields(a, s);
}

template FieldErrors decode(json::View object, model::AdminNetworkPolicy& out);
template void encode(const model::AdminNetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::BaselineAdminNetworkPolicy& out);
template void encode(const model::BaselineAdminNetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::KubernetesNetworkPolicy& out);
template void encode(const model::KubernetesNetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::StagedKubernetesNetworkPolicy& out);
template void encode(const model::StagedKubernetesNetworkPolicy& object, json::Value& into);
template FieldErrors decode(json::View object, model::ClusterNetworkPolicy& out);
template void encode(const model::ClusterNetworkPolicy& object, json::Value& into);

}  // namespace margay::codec
