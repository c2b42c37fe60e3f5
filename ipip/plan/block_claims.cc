#include "ipip/plan/block_claims.h"

#include <utility>

namespace margay::ipip {
namespace {

constexpr std::string_view kNodeAttribute = "node";

// "" where nobody says.
std::string_view node_of_allocation(const model::IpamBlockSpec& spec, std::size_t ordinal) {
  const auto& index = spec.allocations[ordinal];
  if (!index || *index < 0 || static_cast<std::size_t>(*index) >= spec.attributes.size()) return {};
  return spec.attributes[static_cast<std::size_t>(*index)].active_owner.get(kNodeAttribute);
}

}  // namespace

BlockClaims::Block BlockClaims::block_of(const model::IpamBlockSpec& spec) {
  Block block;
  block.cidr = spec.cidr;
  if (spec.affinity && spec.affinity->type == model::AffinityType::kHost) block.owner = spec.affinity->name;
  if (!block.owner.empty()) block.claims[spec.cidr] = block.owner;
  for (std::size_t ordinal = 0; ordinal < spec.allocations.size(); ++ordinal) {
    const std::string_view node = node_of_allocation(spec, ordinal);
    if (node.empty() || node == block.owner) continue;
    const auto address = spec.cidr.first().plus(ordinal);
    if (address && spec.cidr.contains(*address)) block.claims[IpPrefix::host(*address)] = std::string(node);
  }
  return block;
}

void BlockClaims::forget(const std::string& name, std::set<IpPrefix>& dirty) {
  const auto found = blocks_.find(name);
  if (found == blocks_.end()) return;
  const auto drop = [&](auto& map, const auto& key, const auto& value) {
    const auto place = map.find(key);
    if (place == map.end()) return;
    place->second.erase(value);
    if (place->second.empty()) map.erase(place);
  };
  for (const auto& [prefix, node] : found->second.claims) {
    dirty.insert(prefix);
    drop(claims_, prefix, name);
    drop(prefixes_, node, prefix);
  }
  drop(owners_, found->second.cidr, name);
  blocks_.erase(found);
}

void BlockClaims::set(const std::string& name, const model::IpamBlockSpec* block, std::set<IpPrefix>& dirty) {
  std::set<IpPrefix> touched;
  Block after;
  if (block != nullptr && !block->deleted) after = block_of(*block);
  const auto before = blocks_.find(name);
  if (before != blocks_.end() && before->second.cidr == after.cidr && before->second.claims == after.claims) return;
  forget(name, touched);
  for (const auto& [prefix, node] : after.claims) {
    touched.insert(prefix);
    claims_[prefix][name] = node;
    prefixes_[node].insert(prefix);
  }
  // Another block may claim what this one gave up.
  for (const IpPrefix& prefix : touched) {
    const std::string* const node = node_of(prefix);
    if (node != nullptr) prefixes_[*node].insert(prefix);
  }
  dirty.merge(touched);
  if (after.claims.empty()) return;
  if (!after.owner.empty()) owners_[after.cidr][name] = after.owner;
  blocks_.emplace(name, std::move(after));
}

const std::string* BlockClaims::node_of(const IpPrefix& prefix) const {
  const auto found = claims_.find(prefix);
  return found == claims_.end() ? nullptr : &found->second.rbegin()->second;
}

const std::set<IpPrefix>& BlockClaims::prefixes_of(const std::string& node) const {
  const auto found = prefixes_.find(node);
  return found == prefixes_.end() ? none_ : found->second;
}

bool BlockClaims::is_block_of(const IpPrefix& prefix, const std::string& node) const {
  const auto found = owners_.find(prefix);
  return found != owners_.end() && found->second.rbegin()->second == node;
}

}  // namespace margay::ipip
