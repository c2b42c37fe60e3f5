// ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2): policy of the cluster's administrator, before (Admin) and
// after (Baseline) the policies of namespaces. Source: network-policy-api.sigs.k8s.io.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip/port.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"

namespace margay::model {

enum class ClusterPolicyTier { kAdmin, kBaseline };
template <>
struct EnumText<ClusterPolicyTier> {
  static constexpr std::string_view kWords[] = {"Admin", "Baseline"};
};

enum class ClusterPolicyAction { kAccept, kDeny, kPass };
template <>
struct EnumText<ClusterPolicyAction> {
  static constexpr std::string_view kWords[] = {"Accept", "Deny", "Pass"};
};

struct NamespacedPods {
  LabelTerms namespace_selector;
  LabelTerms pod_selector;

  friend bool operator==(const NamespacedPods&, const NamespacedPods&) = default;
};

// Exactly one is given.
struct ClusterPolicySubject {
  std::optional<LabelTerms> namespaces;
  std::optional<NamespacedPods> pods;

  friend bool operator==(const ClusterPolicySubject&, const ClusterPolicySubject&) = default;
};

// Exactly one is given; the last three in egress rules only.
struct ClusterPolicyPeer {
  std::optional<LabelTerms> namespaces;
  std::optional<NamespacedPods> pods;
  std::optional<LabelTerms> nodes;
  std::vector<IpPrefix> networks;
  std::vector<std::string> domain_names;

  friend bool operator==(const ClusterPolicyPeer&, const ClusterPolicyPeer&) = default;
};

struct ClusterPolicyPortRange {
  Port start;
  Port end;

  friend bool operator==(const ClusterPolicyPortRange&, const ClusterPolicyPortRange&) = default;
};

// One of the two.
struct ClusterPolicyPort {
  std::optional<Port> number;
  std::optional<ClusterPolicyPortRange> range;

  friend bool operator==(const ClusterPolicyPort&, const ClusterPolicyPort&) = default;
};

struct ClusterPolicyTransport {
  std::optional<ClusterPolicyPort> destination_port;  // all

  friend bool operator==(const ClusterPolicyTransport&, const ClusterPolicyTransport&) = default;
};

// Exactly one is given.
struct ClusterPolicyProtocol {
  std::optional<ClusterPolicyTransport> tcp;
  std::optional<ClusterPolicyTransport> udp;
  std::optional<ClusterPolicyTransport> sctp;
  std::string destination_named_port;

  friend bool operator==(const ClusterPolicyProtocol&, const ClusterPolicyProtocol&) = default;
};

struct ClusterPolicyRule {
  std::string name;
  ClusterPolicyAction action = ClusterPolicyAction::kDeny;
  std::vector<ClusterPolicyPeer> peers;          // in objects from or to; at least one
  std::vector<ClusterPolicyProtocol> protocols;  // empty: all

  friend bool operator==(const ClusterPolicyRule&, const ClusterPolicyRule&) = default;
};

struct ClusterNetworkPolicySpec {
  ClusterPolicyTier tier = ClusterPolicyTier::kAdmin;
  std::int32_t priority = 0;  // 0 to 1000; lower comes first
  ClusterPolicySubject subject;
  std::vector<ClusterPolicyRule> ingress;
  std::vector<ClusterPolicyRule> egress;

  friend bool operator==(const ClusterNetworkPolicySpec&, const ClusterNetworkPolicySpec&) = default;
};

struct ClusterNetworkPolicy {
  static constexpr Kind kKind = Kind::kClusterNetworkPolicy;

  ObjectMeta metadata;
  ClusterNetworkPolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const ClusterNetworkPolicy&, const ClusterNetworkPolicy&) = default;
};

}  // namespace margay::model
