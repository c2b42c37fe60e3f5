// Blocks come and go.
#include <algorithm>

#include "cni/ipam/allocator.h"
#include "cni/ipam/candidates.h"

namespace margay::ipam {
namespace {

constexpr std::size_t kSpareDivisor = 8;  // of a block
constexpr std::size_t kKeptDivisor = 4;
// A block that was claimed just now is about to be used. Calico's value.
constexpr Duration kIdleMin = std::chrono::minutes(1);

}  // namespace

int Allocator::blocks_max(const AssignRequest* request) const {
  const int global = config_.blocks_max, own = request == nullptr ? 0 : request->blocks_max;
  if (global == 0 && own == 0) return kBlocksMaxDefault;
  if (global == 0 || own == 0) return std::max(global, own);
  return std::min(global, own);
}

int Allocator::count_owned(IpFamily family) const {
  int count = 0;
  for (const auto& [cidr, block] : held_) count += cidr.family() == family && block.is_affine();
  for (const auto& [cidr, job] : claims_) {
    const auto held = held_.find(cidr);
    const bool is_counted = held != held_.end() && held->second.is_affine();
    count += cidr.family() == family && !is_counted;
  }
  // A block on its way back is ours until it is gone.
  for (const auto& [cidr, job] : returns_) {
    count += cidr.family() == family && job.owner == config_.rules.owner && !held_.contains(cidr);
  }
  return count;
}

bool Allocator::is_claiming(IpFamily family) const {
  const auto is_of_it = [family](const auto& each) { return each.first.family() == family; };
  return std::any_of(claims_.begin(), claims_.end(), is_of_it) ||
         std::any_of(returns_.begin(), returns_.end(),
                     [&](const auto& each) { return is_of_it(each) && each.second.owner != config_.rules.owner; });
}

// The first block that nobody has, as far as is known; then those that nobody owns but some use.
std::optional<IpPrefix> Allocator::find_candidate(const std::vector<PoolRange>& pools) const {
  for (const PoolRange& pool : pools) {
    const BlockOrder order(pool.cidr, pool.block_length, config_.rules.owner.name);
    for (std::uint64_t i = 0; i < order.size(); ++i) {
      const IpPrefix cidr = order.at(i);
      if (returns_.contains(cidr) || claims_.contains(cidr)) continue;
      // A block without one free address is no help, be it reserved or given.
      if (config_.rules.reserved.contains(cidr)) continue;
      if (index_.overlapping(cidr) == nullptr) return cidr;
    }
  }
  for (const PoolRange& pool : pools) {
    for (const auto& [cidr, summary] : index_.all()) {
      const bool is_free = !summary.owner && summary.free > 0 && !claims_.contains(cidr) && !returns_.contains(cidr);
      if (is_free && pool.cidr.contains(cidr) && !held_.contains(cidr)) return cidr;
    }
  }
  return std::nullopt;
}

void Allocator::begin_claim(const IpPrefix& cidr, bool is_search, Moment now) {
  claims_.try_emplace(cidr, ClaimJob{BlockClaim({config_.rules.owner, cidr, now.wall}), is_search, false, 0, {}});
}

// Of another node, that has nothing in it: nodes only, and only when there is no block left that nobody has.
std::optional<IpPrefix> Allocator::find_idle(const std::vector<PoolRange>& pools, Moment now) const {
  if (config_.rules.owner.type != model::AffinityType::kHost) return std::nullopt;
  for (const PoolRange& pool : pools) {
    const auto& all = index_.all();
    for (auto at = all.lower_bound(pool.cidr); at != all.end() && pool.cidr.contains(at->first.first()); ++at) {
      const BlockSummary& summary = at->second;
      const bool is_anothers =
          summary.owner && summary.owner->type == model::AffinityType::kHost && *summary.owner != config_.rules.owner;
      const bool is_old = !summary.claimed_at || now.wall - *summary.claimed_at >= kIdleMin;
      const bool is_busy = claims_.contains(at->first) || returns_.contains(at->first) || held_.contains(at->first);
      if (!is_anothers || !summary.is_empty || !is_old || is_busy || !pool.cidr.contains(at->first)) continue;
      if (!config_.rules.reserved.contains(at->first)) return at->first;
    }
  }
  return std::nullopt;
}

// An owner's block, which has to be empty, is to be nobody's: our own, or another's that is then claimed.
void Allocator::begin_return(const IpPrefix& cidr, const model::BlockOwner& owner) {
  held_.erase(cidr);
  empty_since_.erase(cidr);
  returns_.try_emplace(cidr, ReturnJob{owner, BlockReturn({owner, cidr}), false, 0, {}});
}

bool Allocator::has_room(const PoolRange& pool) const {
  const int bits = pool.block_length - pool.cidr.length();
  std::uint64_t blocks = 0;
  const auto& all = index_.all();
  for (auto at = all.lower_bound(pool.cidr); at != all.end() && pool.cidr.contains(at->first.first()); ++at, ++blocks) {
    const BlockSummary& summary = at->second;
    const bool is_open = !summary.owner || *summary.owner == config_.rules.owner || !config_.rules.strict_affinity;
    if (summary.free > 0 && (is_open || summary.is_empty)) return true;
  }
  return config_.auto_allocate_blocks && (bits >= 63 || blocks < std::uint64_t{1} << bits);
}

void Allocator::claim_spare(Moment now) {
  if (config_.spare_min == 0 || !config_.auto_allocate_blocks) return;
  for (const auto& [family, pools] : last_pools_) {
    if (is_claiming(family) || count_owned(family) >= blocks_max(nullptr)) continue;
    std::size_t room = 0, enough = config_.spare_min;
    for (const auto& [cidr, block] : held_) {
      if (cidr.family() != family || !block.is_affine()) continue;
      room += block.room();
      enough = std::min(enough, block.working().allocations.size() / kSpareDivisor);
    }
    if (room >= enough) continue;
    if (const auto candidate = find_candidate(pools)) begin_claim(*candidate, /*is_search=*/true, now);
  }
}

// One at a time of each family, and never what would soon be claimed again.
void Allocator::return_empty(Moment now) {
  if (!config_.empty_kept) return;
  std::map<IpFamily, std::size_t> room;
  for (const auto& [cidr, block] : held_) {
    const bool is_candidate = block.is_affine() && block.is_idle() && is_empty(block.working());
    if (is_candidate) {
      empty_since_.try_emplace(cidr, now.steady);
    } else {
      empty_since_.erase(cidr);
    }
    if (block.is_affine()) room[cidr.family()] += block.room();
  }
  std::vector<IpPrefix> old;
  for (const auto& [cidr, since] : empty_since_) {
    if (now.steady - since >= *config_.empty_kept) old.push_back(cidr);
  }
  for (const IpPrefix& cidr : old) {
    const auto held = held_.find(cidr);
    if (held == held_.end() || claims_.contains(cidr)) {
      empty_since_.erase(cidr);  // it counts anew, if it is there then
      continue;
    }
    const std::size_t size = held->second.working().allocations.size(), own = held->second.room();
    std::size_t& rest = room[cidr.family()];
    const std::size_t needed = std::max<std::size_t>({1, config_.spare_min, size / kKeptDivisor});
    if (rest < own + needed) {
      empty_since_[cidr] = now.steady;
      continue;
    }
    rest -= own;
    begin_return(cidr, config_.rules.owner);
  }
}

}  // namespace margay::ipam
