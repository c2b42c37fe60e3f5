// What the two halves of the calculation say to each other. They may run in one process (engine.h) or apart, the
// cluster half once for many nodes: to_json and from_json carry both messages.
//
//   ClusterHalf ── ClusterUpdate ─▶ NodeHalf    heads of all policies and tiers; rules, sets and labels demanded
//   ClusterHalf ◀── NodeDemand ──── NodeHalf    the policies that select this node's endpoints, and their profiles
//
// A node knows every policy's head (who it is for, a few dozen bytes) and the whole of those it needs. Rules of a
// demanded policy come together with, or after, the sets they refer to. A node sends its next demand once it has
// applied the answer to the last one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/core/string_map.h"
#include "base/json/value.h"
#include "datastore/model/policy.h"
#include "policy/desired/ip_set.h"
#include "policy/desired/policy.h"

namespace margay::policy {

// Who a policy is for, and where in the order it stands.
struct PolicyHead {
  std::string tier;
  std::optional<double> order;  // absent: last
  std::string selector;         // canonical, with what namespaceSelector and serviceAccountSelector add
  bool has_ingress = false;     // its types, defaulted
  bool has_egress = false;
  bool is_staged = false;
  bool do_not_track = false;
  bool pre_dnat = false;
  bool apply_on_forward = false;
  bool is_for_every_node = false;  // performance hint AssumeNeededOnEveryNode

  friend bool operator==(const PolicyHead&, const PolicyHead&) = default;
};

struct ProfileBody {
  StringMap labels;
  bool is_missing = false;
  RuleSet rules;

  friend bool operator==(const ProfileBody&, const ProfileBody&) = default;
};

// Null and nullopt: absent from now on, or no longer demanded.
struct ClusterUpdate {
  std::map<std::string, std::optional<model::TierSpec>> tiers;
  std::map<ObjectKey, std::optional<PolicyHead>> heads;
  std::map<IpSetId, IpSetDelta> ip_sets;
  std::map<ObjectKey, std::shared_ptr<const RuleSet>> policies;
  std::map<std::string, std::shared_ptr<const ProfileBody>> profiles;
  bool is_in_sync = false;

  [[nodiscard]] bool empty() const {
    return tiers.empty() && heads.empty() && ip_sets.empty() && policies.empty() && profiles.empty();
  }
};

// Differences to what was demanded before.
struct NodeDemand {
  std::set<ObjectKey> policies_added;
  std::set<ObjectKey> policies_removed;
  std::set<std::string> profiles_added;
  std::set<std::string> profiles_removed;

  [[nodiscard]] bool empty() const {
    return policies_added.empty() && policies_removed.empty() && profiles_added.empty() && profiles_removed.empty();
  }
};

json::Value to_json(const ClusterUpdate& update);
json::Value to_json(const NodeDemand& demand);
Result<ClusterUpdate> cluster_update_from_json(const json::Value& value);
Result<NodeDemand> demand_from_json(const json::Value& value);

}  // namespace margay::policy
