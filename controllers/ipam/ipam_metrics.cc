#include "controllers/ipam/ipam_metrics.h"

namespace margay::controllers {
namespace {

telemetry::Labels labels_of(const TallyKey& key) { return {{"node", key.first}, {"ippool", key.second}}; }

}  // namespace

void IpamMetrics::update(Family& family, const Values& values) {
  std::erase_if(family.series, [&](const auto& each) {
    if (values.contains(each.first)) return false;
    registry_->remove(family.name, each.first);
    return true;
  });
  for (const auto& [labels, value] : values) {
    auto found = family.series.find(labels);
    if (found == family.series.end()) {
      found = family.series.emplace(labels, registry_->gauge({family.name, family.help, ""}, labels)).first;
    }
    found->second.set(value);
  }
}

void IpamMetrics::set(const Tally& tally) {
  if (registry_ == nullptr) return;
  Values in_use, borrowed, candidates, blocks, in_use_per_node, borrowed_per_node, blocks_per_node;
  for (const auto& [key, each] : tally.addresses) {
    const telemetry::Labels labels = labels_of(key), node{{"node", key.first}};
    in_use[labels] = static_cast<double>(each.in_use);
    borrowed[labels] = static_cast<double>(each.borrowed);
    candidates[labels] = static_cast<double>(each.suspects);
    in_use_per_node[node] += static_cast<double>(each.in_use);
    borrowed_per_node[node] += static_cast<double>(each.borrowed);
  }
  for (const auto& [key, each] : tally.blocks) {
    blocks[labels_of(key)] = static_cast<double>(each.blocks);
    blocks_per_node[{{"node", key.first}}] += static_cast<double>(each.blocks);
  }
  update(in_use_, in_use);
  update(borrowed_, borrowed);
  update(candidates_, candidates);
  update(blocks_, blocks);
  update(in_use_per_node_, in_use_per_node);
  update(borrowed_per_node_, borrowed_per_node);
  update(blocks_per_node_, blocks_per_node);
}

void IpamMetrics::count_reclaimed(std::string_view node, std::string_view pool) {
  if (registry_ == nullptr) return;
  const telemetry::Labels labels{{"node", std::string(node.empty() ? kUnknownNode : node)},
                                 {"ippool", std::string(pool)}};
  registry_->gauge({reclaimed_.name, reclaimed_.help, ""}, labels).add(1);
}

}  // namespace margay::controllers
