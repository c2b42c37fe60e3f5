#include "agent/cni/cluster_facts.h"

#include <chrono>

namespace margay::agent {
namespace {

constexpr std::size_t kSpareMin = 8;
constexpr Duration kEmptyKept = std::chrono::minutes(5);

template <class Map, class Key, class Value>
void put(Map& map, const Key& key, const Value& value) {
  if (value == nullptr) {
    map.erase(key);
  } else {
    map[key] = value;
  }
}

}  // namespace

void ClusterFacts::set(const model::ObjectKey& key, const std::shared_ptr<const model::IpPool>& pool) {
  put(pools_, key, pool);
}

void ClusterFacts::set(const model::ObjectKey& key, const std::shared_ptr<const model::IpReservation>& reservation) {
  put(reservations_, key, reservation);
  changed();
}

void ClusterFacts::set(const model::ObjectKey& key,
                       const std::shared_ptr<const model::IpamConfiguration>& configuration) {
  if (key.name != "default") return;
  configuration_ = configuration;
  changed();
}

void ClusterFacts::set(const model::ObjectKey& key, const std::shared_ptr<const model::Namespace>& name_space) {
  put(namespaces_, key.name, name_space);
}

void ClusterFacts::set(const model::ObjectKey& key, const std::shared_ptr<const model::Node>& node) {
  if (key.name == node_ && node != nullptr) node_labels_ = node->metadata.labels;
}

void ClusterFacts::set(const model::ObjectKey& key, const std::shared_ptr<const model::Pod>& pod) {
  const bool is_here = pod != nullptr && pod->spec.node_name.view() == node_;
  put(pods_, key, is_here ? pod : nullptr);
}

std::vector<const model::IpPool*> ClusterFacts::pools() const {
  std::vector<const model::IpPool*> out;
  for (const auto& [key, pool] : pools_) out.push_back(pool.get());
  return out;
}

const model::Namespace* ClusterFacts::find_namespace(const std::string& name) const {
  const auto found = namespaces_.find(name);
  return found == namespaces_.end() ? nullptr : found->second.get();
}

const model::Pod* ClusterFacts::find_pod(const std::string& name_space, const std::string& name) const {
  const auto found = pods_.find({model::Kind::kPod, name_space, name});
  return found == pods_.end() ? nullptr : found->second.get();
}

ipam::AllocatorConfig ClusterFacts::allocator_config() const {
  ipam::AllocatorConfig out;
  out.rules.owner = {model::AffinityType::kHost, node_};
  out.spare_min = kSpareMin;
  out.empty_kept = kEmptyKept;
  std::vector<IpPrefix> reserved;
  for (const auto& [key, reservation] : reservations_) {
    reserved.insert(reserved.end(), reservation->spec.reserved_cidrs.begin(), reservation->spec.reserved_cidrs.end());
  }
  out.rules.reserved = ipam::AddressSet(reserved);
  if (configuration_ == nullptr) return out;
  const model::IpamConfigurationSpec& spec = configuration_->spec;
  out.rules.strict_affinity = spec.strict_affinity;
  out.rules.cooldown = std::chrono::seconds(spec.ip_cooldown_seconds.value_or(0));
  out.auto_allocate_blocks = spec.auto_allocate_blocks.value_or(true);
  out.blocks_max = spec.max_blocks_per_host;
  return out;
}

}  // namespace margay::agent
