// What a node enforces besides IP sets: policies, profiles, and the endpoints with the tiers that hold for them.
#pragma once

#include <compare>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "datastore/model/endpoints.h"
#include "datastore/model/key.h"
#include "datastore/model/policy.h"
#include "policy/desired/rule.h"

namespace margay::policy {

using model::ObjectKey;

// The rules of a policy or profile.
struct RuleSet {
  std::vector<Rule> ingress;
  std::vector<Rule> egress;

  friend bool operator==(const RuleSet&, const RuleSet&) = default;
};

// A RuleSet that copies have in common: whoever holds a policy holds the same rules.
class SharedRules {
 public:
  SharedRules() : SharedRules(RuleSet()) {}
  SharedRules(RuleSet rules) : rules_(std::make_shared<const RuleSet>(std::move(rules))) {}
  SharedRules(std::shared_ptr<const RuleSet> rules) : rules_(std::move(rules)) {}  // not null

  operator const RuleSet&() const { return *rules_; }
  const RuleSet* operator->() const { return rules_.get(); }

  friend bool operator==(const SharedRules& a, const SharedRules& b) {
    return a.rules_ == b.rules_ || *a.rules_ == *b.rules_;
  }

 private:
  std::shared_ptr<const RuleSet> rules_;
};

struct Policy {
  ObjectKey id;
  std::string tier;
  bool is_staged = false;  // computed and counted, never enforced
  bool do_not_track = false;
  bool pre_dnat = false;
  bool apply_on_forward = false;
  std::string selector;  // canonical: policies with the same one can be grouped
  SharedRules rules;

  friend bool operator==(const Policy&, const Policy&) = default;
};

struct Profile {
  std::string name;
  bool is_missing = false;  // named by an endpoint, but there is none: denies
  RuleSet rules;

  friend bool operator==(const Profile&, const Profile&) = default;
};

struct PolicyRef {
  ObjectKey id;
  bool is_staged = false;

  friend bool operator==(const PolicyRef&, const PolicyRef&) = default;
};

// The policies of one tier that select an endpoint, in order, by direction. A tier that has none is left out.
struct TierPolicies {
  std::string tier;
  model::TierDefaultAction default_action = model::TierDefaultAction::kDeny;
  std::vector<PolicyRef> ingress;
  std::vector<PolicyRef> egress;

  friend bool operator==(const TierPolicies&, const TierPolicies&) = default;
};

struct EndpointPolicy {
  std::vector<TierPolicies> normal;
  // Of host endpoints only.
  std::vector<TierPolicies> untracked;
  std::vector<TierPolicies> pre_dnat;
  std::vector<TierPolicies> forward;
  std::vector<std::string> profiles;  // in the endpoint's order

  friend bool operator==(const EndpointPolicy&, const EndpointPolicy&) = default;
};

// A workload endpoint (key: of the WorkloadEndpoint, or of the Pod it comes from) or a host endpoint: exactly one of
// the two pointers is set. Values are immutable and shared.
struct Endpoint {
  std::shared_ptr<const model::WorkloadEndpoint> workload;
  std::shared_ptr<const model::HostEndpoint> host;
  EndpointPolicy policy;
};

}  // namespace margay::policy
