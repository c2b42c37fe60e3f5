#include "agent/bgp/own_prefixes.h"

#include <utility>

namespace margay::agent {
namespace {

constexpr std::string_view kNodeAttribute = "node";

bool is_confirmed(const model::BlockAffinitySpec& spec) {
  using State = model::BlockAffinityState;
  return !spec.deleted && (spec.state == State::kConfirmed || spec.state == State::kUnset);
}

// Addresses of the block that are given to the node.
std::set<IpPrefix> given_to(const std::string& node, const model::IpamBlockSpec& block) {
  std::set<IpPrefix> out;
  for (std::size_t ordinal = 0; ordinal < block.allocations.size(); ++ordinal) {
    const auto& index = block.allocations[ordinal];
    if (!index || *index < 0 || static_cast<std::size_t>(*index) >= block.attributes.size()) continue;
    if (block.attributes[static_cast<std::size_t>(*index)].active_owner.get(kNodeAttribute) != node) continue;
    const auto address = block.cidr.first().plus(ordinal);
    if (address && block.cidr.contains(*address)) out.insert(IpPrefix::host(*address));
  }
  return out;
}

}  // namespace

template <class Key, class Value>
void OwnPrefixes::put(std::map<Key, Value>& map, const Key& key, Value value) {
  if (value.empty()) {
    is_dirty_ |= map.erase(key) > 0;
    return;
  }
  Value& place = map[key];
  if (place == value) return;
  place = std::move(value);
  is_dirty_ = true;
}

void OwnPrefixes::set_affinity(const model::ObjectKey& key,
                               const std::shared_ptr<const model::BlockAffinity>& affinity) {
  std::set<IpPrefix> block;
  const bool is_ours = affinity != nullptr && affinity->spec.node == node_ &&
                       affinity->spec.type.value_or(model::AffinityType::kHost) == model::AffinityType::kHost;
  if (is_ours && is_confirmed(affinity->spec)) block.insert(affinity->spec.cidr);
  put(blocks_, key.name, std::move(block));
}

void OwnPrefixes::set_block(const model::ObjectKey& key, const std::shared_ptr<const model::IpamBlock>& block) {
  std::set<IpPrefix> given;
  const model::BlockOwner ours{model::AffinityType::kHost, node_};
  if (block != nullptr && block->spec.affinity != ours) given = given_to(node_, block->spec);
  put(given_, key.name, std::move(given));
}

void OwnPrefixes::set_workload(const model::ObjectKey& key,
                               const std::shared_ptr<const model::WorkloadEndpoint>& workload) {
  std::set<IpPrefix> addresses;
  if (workload != nullptr && workload->spec.node == node_) {
    addresses.insert(workload->spec.ip_networks.begin(), workload->spec.ip_networks.end());
  }
  put(workloads_, Name{key.name_space, key.name}, std::move(addresses));
}

void OwnPrefixes::set_pools(const std::vector<IpPrefix>& pools) {
  pools_.clear();
  for (const IpPrefix& pool : pools) pools_.insert(pool, true);
  is_dirty_ = true;
}

bool OwnPrefixes::is_told_alone(const IpPrefix& prefix) const {
  return pools_.longest_match(prefix).has_value() && !own_blocks_.longest_match(prefix).has_value();
}

bool OwnPrefixes::update() {
  if (!std::exchange(is_dirty_, false)) return false;
  own_blocks_.clear();
  std::set<IpPrefix> all;
  for (const auto& [name, blocks] : blocks_) {
    for (const IpPrefix& block : blocks) {
      own_blocks_.insert(block, true);
      all.insert(block);
    }
  }
  const auto add = [&](const std::set<IpPrefix>& addresses) {
    for (const IpPrefix& address : addresses) {
      if (is_told_alone(address)) all.insert(address);
    }
  };
  for (const auto& [name, addresses] : given_) add(addresses);
  for (const auto& [name, addresses] : workloads_) add(addresses);
  if (all == prefixes_) return false;
  prefixes_ = std::move(all);
  return true;
}

}  // namespace margay::agent
