#include "cni/ipam/utilization.h"

#include "cni/ipam/block.h"

namespace margay::ipam {
namespace {

std::uint64_t minus(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

Usage usage_of(const model::IpamBlockSpec& block, const AddressSet& reserved) {
  Usage out;
  out.capacity = block.allocations.size();
  out.in_use = minus(out.capacity, block.unallocated.size());
  out.reserved = reserved.count_within(block.cidr);
  out.available = count_free(block, reserved);
  return out;
}

PoolSpace space_of(const IpPrefix& pool, const AddressSet& reserved, const std::vector<IpPrefix>& blocks) {
  PoolSpace out{size_of(pool), reserved.count_within(pool), 0};
  std::uint64_t in_blocks = 0, reserved_in_blocks = 0;
  for (const IpPrefix& block : blocks) {
    in_blocks = saturating_add(in_blocks, size_of(block));
    reserved_in_blocks = saturating_add(reserved_in_blocks, reserved.count_within(block));
  }
  // Of a pool that is too big to be counted nothing is missing.
  if (out.capacity == kCountMax) {
    out.available_outside_blocks = out.reserved == kCountMax ? 0 : kCountMax;
    return out;
  }
  out.available_outside_blocks = minus(minus(out.capacity, in_blocks), minus(out.reserved, reserved_in_blocks));
  return out;
}

Usage usage_of(const IpPrefix& pool, const AddressSet& reserved,
               const std::vector<const model::IpamBlockSpec*>& blocks) {
  std::vector<IpPrefix> inside;
  Usage out;
  for (const model::IpamBlockSpec* block : blocks) {
    if (!pool.contains(block->cidr)) continue;
    const Usage each = usage_of(*block, reserved);
    out.in_use = saturating_add(out.in_use, each.in_use);
    out.available = saturating_add(out.available, each.available);
    inside.push_back(block->cidr);
  }
  const PoolSpace space = space_of(pool, reserved, inside);
  out.capacity = space.capacity;
  out.reserved = space.reserved;
  out.available = saturating_add(out.available, space.available_outside_blocks);
  return out;
}

}  // namespace margay::ipam
