#include "cni/ipam/block_index.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "cni/ipam/block.h"
#include "cni/ipam/names.h"

namespace margay::ipam {
namespace {

bool has_addresses_of(const model::IpamBlockSpec& block, const model::BlockOwner& owner) {
  if (owner.type != model::AffinityType::kHost) return false;
  return std::any_of(block.attributes.begin(), block.attributes.end(), [&owner](const auto& attribute) {
    return !attribute.released_at && attribute.active_owner.get(kNodeAttribute) == owner.name;
  });
}

}  // namespace

BlockSummary summary_of(const model::IpamBlockSpec& block) {
  return {block.affinity, block.unallocated.size(), is_empty(block), block.affinity_claim_time};
}

const BlockSummary* BlockIndex::find(const IpPrefix& cidr) const {
  const auto found = blocks_.find(cidr);
  return found == blocks_.end() ? nullptr : &found->second;
}

const std::pair<const IpPrefix, BlockSummary>* BlockIndex::overlapping(const IpPrefix& cidr) const {
  // A larger one begins before it, or at the same place and is shorter; smaller ones follow.
  const auto next = blocks_.lower_bound(cidr);
  if (next != blocks_.end() && next->first.overlaps(cidr)) return &*next;
  if (next == blocks_.begin()) return nullptr;
  const auto& before = *std::prev(next);
  return before.first.overlaps(cidr) ? &before : nullptr;
}

void ListingBuilder::add(model::IpamBlock block) {
  if (block.spec.deleted) return;
  listing_.index.put(block.spec.cidr, summary_of(block.spec));
  if (block.spec.affinity == owner_ || has_addresses_of(block.spec, owner_))
    listing_.blocks.push_back(std::move(block));
}

void ListingBuilder::add(model::BlockAffinity affinity) {
  const auto type = affinity.spec.type.value_or(model::AffinityType::kHost);
  if (affinity.spec.node == owner_.name && type == owner_.type) listing_.affinities.push_back(std::move(affinity));
}

}  // namespace margay::ipam
