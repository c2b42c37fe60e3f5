#include "policy/calc/tier_order.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace margay::policy {
namespace {

using model::TierDefaultAction;
using model::TierSpec;

constexpr double kLast = std::numeric_limits<double>::infinity();

struct BuiltInTier {
  std::string_view name;
  double order;
  TierDefaultAction action;
};
constexpr BuiltInTier kBuiltIn[] = {
    {model::kKubeAdminTier, model::kKubeAdminTierOrder, TierDefaultAction::kPass},
    {model::kDefaultTier, model::kDefaultTierOrder, TierDefaultAction::kDeny},
    {model::kKubeBaselineTier, model::kKubeBaselineTierOrder, TierDefaultAction::kPass},
};

// Where a tier stands; compares as the order of tiers.
using TierRank = std::tuple<bool, double, std::string_view>;

TierRank rank_of(const std::optional<TierSpec>& spec, std::string_view name) {
  return {!spec, spec ? spec->order.value_or(kLast) : kLast, name};
}

bool comes_before(const OrderedPolicy& a, const OrderedPolicy& b) {
  const auto rank = [](const OrderedPolicy& policy) {
    return std::make_tuple(policy.head->order.value_or(kLast), std::string_view(policy.key->name),
                           model::info(policy.key->kind).name, std::string_view(policy.key->name_space));
  };
  return rank(a) < rank(b);
}

// One tier's share of one list of an endpoint.
class TierBuilder {
 public:
  TierBuilder(std::string_view name, const std::optional<TierSpec>& spec) {
    tier_.tier = name;
    if (spec) tier_.default_action = spec->default_action.value_or(TierDefaultAction::kDeny);
  }

  void add(const OrderedPolicy& policy) {
    const PolicyRef ref{.id = *policy.key, .is_staged = policy.head->is_staged};
    if (policy.head->has_ingress) tier_.ingress.push_back(ref);
    if (policy.head->has_egress) tier_.egress.push_back(ref);
  }
  void finish(std::vector<TierPolicies>& into) {
    if (tier_.ingress.empty() && tier_.egress.empty()) return;
    tier_.ingress.shrink_to_fit();  // as long as the endpoint is there
    tier_.egress.shrink_to_fit();
    into.push_back(std::move(tier_));
  }

 private:
  TierPolicies tier_;
};

void add_tier(std::string_view name, const std::optional<TierSpec>& spec, std::vector<OrderedPolicy>& policies,
              bool is_host, EndpointPolicy& out) {
  std::sort(policies.begin(), policies.end(), comes_before);
  TierBuilder normal(name, spec);
  TierBuilder untracked(name, spec);
  TierBuilder pre_dnat(name, spec);
  TierBuilder forward(name, spec);
  for (const OrderedPolicy& policy : policies) {
    if (policy.head->do_not_track) {
      untracked.add(policy);
    } else if (policy.head->pre_dnat) {
      pre_dnat.add(policy);
    } else {
      normal.add(policy);
      if (is_host && policy.head->apply_on_forward) forward.add(policy);
    }
  }
  normal.finish(out.normal);
  untracked.finish(out.untracked);
  pre_dnat.finish(out.pre_dnat);
  forward.finish(out.forward);
}

}  // namespace

std::optional<TierSpec> find_tier(const TierTable& tiers, std::string_view name) {
  const auto at = tiers.find(name);
  std::optional<TierSpec> out;
  if (at != tiers.end()) out = at->second;
  for (const BuiltInTier& built_in : kBuiltIn) {
    if (built_in.name != name) continue;
    if (!out) out.emplace();
    if (!out->order) out->order = built_in.order;
    if (!out->default_action) out->default_action = built_in.action;
  }
  return out;
}

bool applies(const PolicyHead& head, bool is_host) {
  if (!head.has_ingress && !head.has_egress) return false;
  return is_host || (!head.do_not_track && !head.pre_dnat);
}

EndpointPolicy tiers_of(const std::vector<OrderedPolicy>& policies, const TierTable& tiers, bool is_host) {
  std::map<std::string_view, std::vector<OrderedPolicy>> by_tier;
  for (const OrderedPolicy& policy : policies) by_tier[policy.head->tier].push_back(policy);
  std::map<TierRank, std::optional<TierSpec>> ranks;
  for (const auto& [name, members] : by_tier) {
    const std::optional<TierSpec> spec = find_tier(tiers, name);
    ranks.emplace(rank_of(spec, name), spec);
  }
  EndpointPolicy out;
  for (const auto& [rank, spec] : ranks) {
    const std::string_view name = std::get<std::string_view>(rank);
    add_tier(name, spec, by_tier.at(name), is_host, out);
  }
  return out;
}

}  // namespace margay::policy
