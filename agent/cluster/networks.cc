#include "agent/cluster/networks.h"

#include <utility>
#include <vector>

namespace margay::agent {
namespace {

constexpr std::string_view kGlobalConfiguration = "default";

// A block that is pending may become somebody else's; one that is to be given up is still ours.
bool is_ours(const model::BlockAffinitySpec& spec, const std::string& node) {
  using State = model::BlockAffinityState;
  const bool is_host = spec.type.value_or(model::AffinityType::kHost) == model::AffinityType::kHost;
  return is_host && !spec.deleted && spec.node == node &&
         (spec.state == State::kConfirmed || spec.state == State::kUnset);
}

void add(const std::vector<model::ServiceAddressBlock>& blocks, std::set<IpPrefix>& to) {
  for (const model::ServiceAddressBlock& block : blocks) {
    if (block.cidr) to.insert(*block.cidr);
  }
}

}  // namespace

void Networks::set_pool(const model::ObjectKey& key, std::shared_ptr<const model::IpPool> pool) {
  is_dirty_ = true;
  if (pool == nullptr) {
    pools_.erase(key);
  } else {
    pools_[key] = std::move(pool);
  }
}

void Networks::set_affinity(const model::ObjectKey& key, const std::shared_ptr<const model::BlockAffinity>& affinity) {
  if (affinity != nullptr && is_ours(affinity->spec, node_)) {
    blocks_[key] = affinity->spec.cidr;
  } else if (blocks_.erase(key) == 0) {
    return;
  }
  is_dirty_ = true;
}

void Networks::set_configuration(const model::ObjectKey& key,
                                 std::shared_ptr<const model::BgpConfiguration> configuration) {
  is_dirty_ = true;
  if (configuration == nullptr) {
    configurations_.erase(key);
  } else {
    configurations_[key] = std::move(configuration);
  }
}

// Disabled pools give out no addresses, but those given out are still theirs.
render::NodeNetworks Networks::networks() const {
  render::NodeNetworks out;
  for (const auto& [key, pool] : pools_) {
    out.pools.insert(pool->spec.cidr);
    if (pool->spec.nat_outgoing) out.masquerade_pools.insert(pool->spec.cidr);
  }
  for (const auto& [key, configuration] : configurations_) {
    if (key.name != kGlobalConfiguration) continue;
    add(configuration->spec.service_cluster_ips, out.service_blocks);
    add(configuration->spec.service_external_ips, out.service_blocks);
    add(configuration->spec.service_load_balancer_ips, out.service_blocks);
  }
  return out;
}

Networks::Change Networks::take() {
  Change change;
  if (!std::exchange(is_dirty_, false)) return change;
  render::NodeNetworks now = networks();
  if (told_networks_ != now) change.networks = now;
  told_networks_ = std::move(now);
  std::set<IpPrefix> blocks;
  for (const auto& [key, block] : blocks_) blocks.insert(block);
  if (told_blocks_ != blocks) change.own_blocks = blocks;
  told_blocks_ = std::move(blocks);
  return change;
}

}  // namespace margay::agent
