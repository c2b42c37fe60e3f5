#include "ipip/plan/plan.h"

#include <algorithm>
#include <utility>

namespace margay::ipip {

using model::EncapMode;

std::string_view to_string(Carrier carrier) {
  switch (carrier) {
    case Carrier::kPlain: return "plain";
    case Carrier::kIpip: return "ipip";
    case Carrier::kVxlan: return "vxlan";
  }
  return "plain";
}

LearnedRule::LearnedRule(std::vector<Pool> pools, std::vector<IpPrefix> subnets, std::vector<IpAddress> nodes)
    : pools_(std::move(pools)), subnets_(std::move(subnets)), nodes_(std::move(nodes)) {}

Carrier LearnedRule::carrier_of(const IpPrefix& prefix, const IpAddress& next_hop) const {
  const Pool* pool = nullptr;
  for (const Pool& each : pools_) {
    if (each.cidr.contains(prefix) && (pool == nullptr || each.cidr.length() > pool->cidr.length())) pool = &each;
  }
  if (pool == nullptr) return Carrier::kPlain;
  if (pool->vxlan != EncapMode::kNever) return Carrier::kVxlan;
  if (pool->ipip == EncapMode::kNever || !prefix.is_v4()) return Carrier::kPlain;
  if (!std::binary_search(nodes_.begin(), nodes_.end(), next_hop)) return Carrier::kPlain;
  const bool is_near =
      std::any_of(subnets_.begin(), subnets_.end(), [&](const IpPrefix& subnet) { return subnet.contains(next_hop); });
  return pool->ipip == EncapMode::kCrossSubnet && is_near ? Carrier::kPlain : Carrier::kIpip;
}

void PeerChange::merge(const PeerChange& later) {
  for (const IpAddress& address : later.added) {
    removed.erase(address);
    added.insert(address);
  }
  for (const IpAddress& address : later.removed) {
    added.erase(address);
    removed.insert(address);
  }
}

void PlanDelta::merge(PlanDelta&& later) {
  for (auto& [prefix, route] : later.routes) routes.insert_or_assign(prefix, std::move(route));
  for (auto& [key, vtep] : later.vteps) vteps.insert_or_assign(key, vtep);
  for (const auto& [block, is_ours] : later.local_blocks) local_blocks.insert_or_assign(block, is_ours);
  ipip_peers.merge(later.ipip_peers);
  vxlan_peers.merge(later.vxlan_peers);
  if (later.local) local = later.local;
  if (later.learned_rule != nullptr) learned_rule = std::move(later.learned_rule);
}

bool PlanDelta::empty() const {
  return routes.empty() && vteps.empty() && local_blocks.empty() && ipip_peers.empty() && vxlan_peers.empty() &&
         !local && learned_rule == nullptr;
}

}  // namespace margay::ipip
