// Tier and the policies in tiers (projectcalico.org/v3): NetworkPolicy, GlobalNetworkPolicy, StagedNetworkPolicy,
// StagedGlobalNetworkPolicy.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "datastore/model/meta.h"
#include "datastore/model/rule.h"

namespace margay::model {

// What happens in a tier to packets that one of its policies selects and no rule decides.
enum class TierDefaultAction { kDeny, kPass };
template <>
struct EnumText<TierDefaultAction> {
  static constexpr std::string_view kWords[] = {"Deny", "Pass"};
};

inline constexpr std::string_view kDefaultTier = "default";
inline constexpr std::string_view kKubeAdminTier = "kube-admin";
inline constexpr std::string_view kKubeBaselineTier = "kube-baseline";
inline constexpr double kDefaultTierOrder = 1'000'000;
inline constexpr double kKubeAdminTierOrder = 1'000;
inline constexpr double kKubeBaselineTierOrder = 10'000'000;

struct TierSpec {
  std::optional<double> order;                      // lower comes first; absent: last
  std::optional<TierDefaultAction> default_action;  // Deny

  friend bool operator==(const TierSpec&, const TierSpec&) = default;
};

struct Tier {
  static constexpr Kind kKind = Kind::kTier;

  ObjectMeta metadata;
  TierSpec spec;
  ConditionsStatus status;

  friend bool operator==(const Tier&, const Tier&) = default;
};

enum class PolicyType { kIngress, kEgress };
template <>
struct EnumText<PolicyType> {
  static constexpr std::string_view kWords[] = {"Ingress", "Egress"};
};

enum class PerformanceHint { kAssumeNeededOnEveryNode };
template <>
struct EnumText<PerformanceHint> {
  static constexpr std::string_view kWords[] = {"AssumeNeededOnEveryNode"};
};

// One struct for all four policies: the last four members exist in global ones only.
struct PolicySpec {
  std::string tier;             // "" is default
  std::optional<double> order;  // lower comes first; absent: last
  std::string selector;         // the endpoints it is for; "" is all()
  std::string service_account_selector;
  std::vector<PolicyType>
      types;  // empty: Egress if there are only egress rules, Ingress without any, else as there are
  std::vector<Rule> ingress;
  std::vector<Rule> egress;
  std::vector<PerformanceHint> performance_hints;

  std::string namespace_selector;
  bool do_not_track = false;      // before connection tracking; host endpoints only
  bool pre_dnat = false;          // before DNAT; ingress of host endpoints only
  bool apply_on_forward = false;  // also to what host endpoints forward

  FieldErrors unread;  // in no object: what of this one could not be read (codec::decode_readable)

  friend bool operator==(const PolicySpec&, const PolicySpec&) = default;
};

struct NetworkPolicy {
  static constexpr Kind kKind = Kind::kNetworkPolicy;

  ObjectMeta metadata;
  PolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const NetworkPolicy&, const NetworkPolicy&) = default;
};

struct GlobalNetworkPolicy {
  static constexpr Kind kKind = Kind::kGlobalNetworkPolicy;

  ObjectMeta metadata;
  PolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const GlobalNetworkPolicy&, const GlobalNetworkPolicy&) = default;
};

enum class StagedAction { kSet, kDelete, kLearn, kIgnore };
template <>
struct EnumText<StagedAction> {
  static constexpr std::string_view kWords[] = {"Set", "Delete", "Learn", "Ignore"};
};

struct StagedPolicySpec {
  StagedAction staged_action = StagedAction::kSet;
  PolicySpec policy;  // in objects its members stand beside stagedAction

  friend bool operator==(const StagedPolicySpec&, const StagedPolicySpec&) = default;
};

// Never enforced: what it would do shows in flow logs.
struct StagedNetworkPolicy {
  static constexpr Kind kKind = Kind::kStagedNetworkPolicy;

  ObjectMeta metadata;
  StagedPolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const StagedNetworkPolicy&, const StagedNetworkPolicy&) = default;
};

struct StagedGlobalNetworkPolicy {
  static constexpr Kind kKind = Kind::kStagedGlobalNetworkPolicy;

  ObjectMeta metadata;
  StagedPolicySpec spec;
  ConditionsStatus status;

  friend bool operator==(const StagedGlobalNetworkPolicy&, const StagedGlobalNetworkPolicy&) = default;
};

}  // namespace margay::model
