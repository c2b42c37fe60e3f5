// AdminNetworkPolicy and BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1): what ClusterNetworkPolicy was
// before its two tiers became one kind. Source: network-policy-api.sigs.k8s.io.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip/port.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/meta.h"
#include "datastore/model/values.h"

namespace margay::model {

enum class AdminPolicyAction { kAllow, kDeny, kPass };
template <>
struct EnumText<AdminPolicyAction> {
  static constexpr std::string_view kWords[] = {"Allow", "Deny", "Pass"};
};

// Pass means nothing after the policies of namespaces.
enum class BaselineAdminPolicyAction { kAllow, kDeny };
template <>
struct EnumText<BaselineAdminPolicyAction> {
  static constexpr std::string_view kWords[] = {"Allow", "Deny"};
};

struct AdminPolicyPortNumber {
  std::optional<Protocol> protocol;  // TCP
  Port port;

  friend bool operator==(const AdminPolicyPortNumber&, const AdminPolicyPortNumber&) = default;
};

struct AdminPolicyPortRange {
  std::optional<Protocol> protocol;  // TCP
  Port start;
  Port end;

  friend bool operator==(const AdminPolicyPortRange&, const AdminPolicyPortRange&) = default;
};

// Exactly one is given.
struct AdminPolicyPort {
  std::optional<AdminPolicyPortNumber> port_number;
  std::optional<AdminPolicyPortRange> port_range;
  std::string named_port;

  friend bool operator==(const AdminPolicyPort&, const AdminPolicyPort&) = default;
};

template <class Action>
struct AdminPolicyRuleOf {
  std::string name;
  Action action = Action::kDeny;
  std::vector<ClusterPolicyPeer> peers;  // in objects from or to; at least one
  std::vector<AdminPolicyPort> ports;    // empty: all

  friend bool operator==(const AdminPolicyRuleOf&, const AdminPolicyRuleOf&) = default;
};
using AdminPolicyRule = AdminPolicyRuleOf<AdminPolicyAction>;
using BaselineAdminPolicyRule = AdminPolicyRuleOf<BaselineAdminPolicyAction>;

struct AdminNetworkPolicySpec {
  std::int32_t priority = 0;  // 0 to 1000; lower comes first
  ClusterPolicySubject subject;
  std::vector<AdminPolicyRule> ingress;
  std::vector<AdminPolicyRule> egress;

  friend bool operator==(const AdminNetworkPolicySpec&, const AdminNetworkPolicySpec&) = default;
};

struct AdminNetworkPolicy {
  static constexpr Kind kKind = Kind::kAdminNetworkPolicy;

  ObjectMeta metadata;
  AdminNetworkPolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const AdminNetworkPolicy&, const AdminNetworkPolicy&) = default;
};

struct BaselineAdminNetworkPolicySpec {
  ClusterPolicySubject subject;
  std::vector<BaselineAdminPolicyRule> ingress;
  std::vector<BaselineAdminPolicyRule> egress;

  friend bool operator==(const BaselineAdminNetworkPolicySpec&, const BaselineAdminNetworkPolicySpec&) = default;
};

// There is one at most; its name is default.
struct BaselineAdminNetworkPolicy {
  static constexpr Kind kKind = Kind::kBaselineAdminNetworkPolicy;

  ObjectMeta metadata;
  BaselineAdminNetworkPolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const BaselineAdminNetworkPolicy&, const BaselineAdminNetworkPolicy&) = default;
};

}  // namespace margay::model
