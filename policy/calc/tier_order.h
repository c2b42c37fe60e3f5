// Which policies hold for an endpoint, in which order: tiers by order, then name; in a tier policies by order, then
// name, kind and namespace. What has no order comes last.
//
// The three tiers of Kubernetes' policies exist without an object. A tier that does not exist comes after those that
// do and ends in Deny: its policies act, and fail closed. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datastore/model/policy.h"
#include "policy/calc/exchange.h"
#include "policy/desired/policy.h"

namespace margay::policy {

using TierTable = std::map<std::string, model::TierSpec, std::less<>>;

// As given, completed for a built-in tier; nullopt for one that does not exist.
std::optional<model::TierSpec> find_tier(const TierTable& tiers, std::string_view name);

struct OrderedPolicy {
  const ObjectKey* key;
  const PolicyHead* head;
};

// Whether a policy can act on this kind of endpoint at all: doNotTrack and preDNAT are for host endpoints only.
bool applies(const PolicyHead& head, bool is_host);

// The tiers of an endpoint that all these policies select and apply to. Its profiles are left empty.
EndpointPolicy tiers_of(const std::vector<OrderedPolicy>& policies, const TierTable& tiers, bool is_host);

}  // namespace margay::policy
