// NetworkPolicy of Kubernetes (networking.k8s.io/v1), and its staged form in projectcalico.org/v3.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/ip/prefix.h"
#include "datastore/model/meta.h"
#include "datastore/model/policy.h"
#include "datastore/model/values.h"

namespace margay::model {

struct KubernetesPolicyPort {
  std::optional<Protocol> protocol;      // TCP
  std::optional<PortOrName> port;        // all
  std::optional<std::int32_t> end_port;  // with a numeric port: a range

  friend bool operator==(const KubernetesPolicyPort&, const KubernetesPolicyPort&) = default;
};

struct IpBlock {
  IpPrefix cidr;
  std::vector<IpPrefix> except;  // parts of cidr

  friend bool operator==(const IpBlock&, const IpBlock&) = default;
};

// Either ip_block, or pods: of the policy's namespace, or of those that namespace_selector picks.
struct KubernetesPolicyPeer {
  std::optional<LabelTerms> pod_selector;
  std::optional<LabelTerms> namespace_selector;
  std::optional<IpBlock> ip_block;

  friend bool operator==(const KubernetesPolicyPeer&, const KubernetesPolicyPeer&) = default;
};

struct KubernetesPolicyRule {
  std::vector<KubernetesPolicyPort> ports;  // empty: all
  std::vector<KubernetesPolicyPeer> peers;  // in objects from or to; empty: all

  friend bool operator==(const KubernetesPolicyRule&, const KubernetesPolicyRule&) = default;
};

struct KubernetesPolicySpec {
  LabelTerms pod_selector;
  std::vector<KubernetesPolicyRule> ingress;
  std::vector<KubernetesPolicyRule> egress;
  std::vector<PolicyType> policy_types;  // empty: Ingress, and Egress if there are egress rules

  friend bool operator==(const KubernetesPolicySpec&, const KubernetesPolicySpec&) = default;
};

struct KubernetesNetworkPolicy {
  static constexpr Kind kKind = Kind::kKubernetesNetworkPolicy;

  ObjectMeta metadata;
  KubernetesPolicySpec spec;

  friend bool operator==(const KubernetesNetworkPolicy&, const KubernetesNetworkPolicy&) = default;
};

struct StagedKubernetesPolicySpec {
  StagedAction staged_action = StagedAction::kSet;
  KubernetesPolicySpec policy;  // in objects its members stand beside stagedAction

  friend bool operator==(const StagedKubernetesPolicySpec&, const StagedKubernetesPolicySpec&) = default;
};

struct StagedKubernetesNetworkPolicy {
  static constexpr Kind kKind = Kind::kStagedKubernetesNetworkPolicy;

  ObjectMeta metadata;
  StagedKubernetesPolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const StagedKubernetesNetworkPolicy&, const StagedKubernetesNetworkPolicy&) = default;
};

}  // namespace margay::model
