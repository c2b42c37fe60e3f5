// From a demand to slots in blocks.
#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "cni/ipam/allocator.h"
#include "cni/ipam/candidates.h"

namespace margay::ipam {
namespace {

const PoolRange* pool_of(const std::vector<PoolRange>& pools, const IpPrefix& cidr) {
  const auto found =
      std::find_if(pools.begin(), pools.end(), [&cidr](const PoolRange& pool) { return pool.cidr.contains(cidr); });
  return found == pools.end() ? nullptr : &*found;
}

std::string exhausted(const std::vector<PoolRange>& pools) {
  std::vector<std::string> texts;
  for (const PoolRange& pool : pools) texts.push_back(pool.cidr.to_string());
  return concat("No IPs available in pools: [", join(texts, " "), ']');
}

}  // namespace

Outputs Allocator::assign(AssignRequest request, Moment now) {
  Assignment assignment;
  assignment.demands.resize(request.demands.size());
  for (std::size_t i = 0; i < request.demands.size(); ++i) assignment.demands[i].remaining = request.demands[i].count;
  const RequestId id = request.id;
  assignment.request = std::move(request);
  assignments_.emplace(id, std::move(assignment));
  return flush(now);
}

Outputs Allocator::cancel(RequestId request, Moment now) {
  const auto found = assignments_.find(request);
  if (found != assignments_.end()) {
    for (auto& [cidr, block] : held_) block.cancel(request, now);
    const std::string handle = found->second.request.holder.handle;
    // What was stored already.
    for (std::size_t i = 0; i < found->second.demands.size(); ++i) {
      for (const IpAddress& address : found->second.demands[i].got.addresses) {
        for (auto& [cidr, block] : held_) {
          if (!cidr.contains(address)) continue;
          (void)block.add(
              {.kind = Wish::Kind::kRelease, .holder = {handle, {}}, .ordinal = ordinal_of(block.working(), address)},
              now);
        }
      }
    }
    assignments_.erase(found);
    if (handles_.contains(handle)) handles_[handle].is_again = true;
  }
  removals_.erase(request);
  return flush(now);
}

void Allocator::place_all(Moment now) {
  for (auto& [id, assignment] : assignments_) {
    for (std::size_t i = 0; i < assignment.demands.size(); ++i) {
      if (assignment.demands[i].remaining > 0) place(assignment, i, now);
    }
  }
}

void Allocator::place(Assignment& assignment, std::size_t index, Moment now) {
  const Demand& demand = assignment.request.demands[index];
  DemandState& state = assignment.demands[index];
  if (demand.pools.empty()) {
    return fall_short(state, "no IP pool fits",
                      Error{ErrorCode::kNotFound,
                            concat("no enabled ", to_string(demand.family),
                                   " pool fits: check disabled, allowedUses, assignmentMode and both selectors")});
  }
  if (demand.address) return place_fixed(assignment, index, now);
  while (state.remaining > 0 && place_one(assignment, index, now)) {
  }
  if (state.remaining > 0) extend(assignment, index, now);
}

bool Allocator::add_wish(Assignment& assignment, std::size_t index, HeldBlock& block, std::optional<Ordinal> fixed,
                         Moment now) {
  DemandState& state = assignment.demands[index];
  const bool was_added = block.add({.kind = Wish::Kind::kAssign,
                                    .request = assignment.request.id,
                                    .demand = index,
                                    .holder = assignment.request.holder,
                                    .ordinal = fixed,
                                    .is_fixed = fixed.has_value()},
                                   now);
  if (!was_added) return false;
  --state.remaining;
  ++state.open;
  if (!assignment.request.demands[index].address) {
    last_pools_[assignment.request.demands[index].family] = assignment.request.demands[index].pools;
  }
  sync_handle(assignment.request.holder.handle, block.cidr());
  assignment.is_handle_stored = false;
  return true;
}

// Own blocks in order of the pools; those borrowed from only while a write is under way anyway.
bool Allocator::place_one(Assignment& assignment, std::size_t index, Moment now) {
  for (const PoolRange& pool : assignment.request.demands[index].pools) {
    for (auto at = held_.lower_bound(pool.cidr); at != held_.end() && pool.cidr.contains(at->first.first()); ++at) {
      HeldBlock& block = at->second;
      if (!block.is_affine() || claims_.contains(at->first) || !pool.cidr.contains(at->first)) continue;
      if (block.room() > 0 && add_wish(assignment, index, block, std::nullopt, now)) return true;
    }
  }
  return false;
}

void Allocator::place_fixed(Assignment& assignment, std::size_t index, Moment now) {
  const Demand& demand = assignment.request.demands[index];
  DemandState& state = assignment.demands[index];
  const IpPrefix host = IpPrefix::host(*demand.address);
  const PoolRange* pool = pool_of(demand.pools, host);
  if (pool == nullptr) {
    return fall_short(state, "not in a pool",
                      Error{ErrorCode::kNotFound, "The provided IP address is not in a configured pool\n"});
  }
  IpPrefix cidr = IpPrefix::containing(*demand.address, pool->block_length);
  if (const auto* known = index_.overlapping(host)) cidr = known->first;
  if (claims_.contains(cidr) || returns_.contains(cidr)) return;
  const BlockSummary* summary = index_.find(cidr);
  const bool is_foreign = summary != nullptr && summary->owner && *summary->owner != config_.rules.owner;
  if (!held_.contains(cidr) && !is_foreign) return begin_claim(cidr, /*is_search=*/false, now);
  HeldBlock& block = hold(cidr);
  const Ordinal ordinal = static_cast<Ordinal>(*demand.address->offset_from(cidr.first()));
  if (add_wish(assignment, index, block, ordinal, now)) return;
  const std::string* holder = holder_of(block.working(), ordinal);
  if (config_.rules.strict_affinity && !block.is_affine()) {
    const std::string message = concat("block ", cidr.to_string(), " belongs to another, and affinity is strict");
    return fall_short(state, message, Error{ErrorCode::kConflict, message});
  }
  fall_short(state, "taken",
             Error{ErrorCode::kAlreadyExists, concat("Address already assigned in block: ", demand.address->to_string(),
                                                     holder == nullptr ? " cools down" : " is held by handle ",
                                                     holder == nullptr ? std::string() : quoted(*holder))});
}

void Allocator::fall_short(DemandState& state, std::string message, std::optional<Error> error) {
  state.remaining = 0;
  state.got.messages.push_back(std::move(message));
  state.got.error = std::move(error);
}

// No own block has room: one more; one that another has and does not use; or a slot of another's.
void Allocator::extend(Assignment& assignment, std::size_t index, Moment now) {
  const Demand& demand = assignment.request.demands[index];
  DemandState& state = assignment.demands[index];
  if (is_claiming(demand.family) || is_listing_) return;
  if (config_.auto_allocate_blocks) {
    const int max = blocks_max(&assignment.request);
    if (count_owned(demand.family) >= max) {
      std::string message =
          concat("Need to allocate an IPAM block but could not - limit of ", max, " blocks reached for this node");
      return fall_short(state, message, Error{ErrorCode::kLimitExceeded, message});
    }
    if (const auto candidate = find_candidate(demand.pools)) {
      return begin_claim(*candidate, /*is_search=*/true, now);
    }
  }
  // What is known may be old: nobody is refused an address for that.
  if (now.steady - listed_at_ >= std::chrono::seconds(1)) {
    is_listing_ = true;
    out_.emplace_back(WantListing{});
    return;
  }
  if (const auto idle = config_.auto_allocate_blocks ? find_idle(demand.pools, now) : std::nullopt) {
    return begin_return(*idle, *index_.find(*idle)->owner);
  }
  if (config_.rules.strict_affinity) {
    state.got.is_exhausted = true;
    return fall_short(state, "No more free affine blocks and strict affinity enabled");
  }
  while (state.remaining > 0 && borrow(assignment, index, now)) {
  }
  if (state.remaining == 0 || state.open > 0) return;
  state.got.is_exhausted = true;
  fall_short(state, exhausted(demand.pools));
}

bool Allocator::borrow(Assignment& assignment, std::size_t index, Moment now) {
  for (const PoolRange& pool : assignment.request.demands[index].pools) {
    std::vector<std::pair<IpPrefix, std::size_t>> lenders;
    const auto& all = index_.all();
    for (auto at = all.lower_bound(pool.cidr); at != all.end() && pool.cidr.contains(at->first.first()); ++at) {
      if (at->second.owner == config_.rules.owner || returns_.contains(at->first)) continue;
      if (at->second.free > 0) lenders.emplace_back(at->first, at->second.free);
    }
    for (const auto& [cidr, free] : lenders) {
      HeldBlock& block = hold(cidr);
      if (block.is_known() && block.room() == 0) {
        index_.set_free(cidr, 0);
        continue;
      }
      if (!add_wish(assignment, index, block, std::nullopt, now)) continue;
      // Not more wishes than it is thought to have room for.
      index_.set_free(cidr, free - 1);
      return true;
    }
  }
  return false;
}

void Allocator::on_assigned(const Wish& wish, const IpPrefix& cidr) {
  const auto found = assignments_.find(wish.request);
  if (found == assignments_.end()) return;
  DemandState& state = found->second.demands[wish.demand];
  --state.open;
  state.got.addresses.push_back(*cidr.first().plus(static_cast<std::uint64_t>(*wish.ordinal)));
}

void Allocator::on_bounced(const Bounced& bounced) {
  const auto found = assignments_.find(bounced.wish.request);
  if (found == assignments_.end()) return;
  DemandState& state = found->second.demands[bounced.wish.demand];
  --state.open;
  const ErrorCode code = bounced.error.code;
  if (bounced.wish.is_fixed && code == ErrorCode::kLimitExceeded) {
    return fall_short(state, bounced.error.message, Error{ErrorCode::kConflict, bounced.error.message});
  }
  const bool may_try_again =
      code == ErrorCode::kLimitExceeded || code == ErrorCode::kNotFound || code == ErrorCode::kConflict;
  if (may_try_again) {
    ++state.remaining;
  } else {
    state.got.messages.push_back(bounced.error.message);
    state.got.error = bounced.error;
  }
}

void Allocator::finish_assignments() {
  for (auto at = assignments_.begin(); at != assignments_.end();) {
    Assignment& assignment = at->second;
    const auto& demands = assignment.demands;
    const bool is_open = std::any_of(demands.begin(), demands.end(),
                                     [](const DemandState& state) { return state.remaining > 0 || state.open > 0; });
    const auto handle = handles_.find(assignment.request.holder.handle);
    const bool is_handle_open =
        handle != handles_.end() && (handle->second.change || handle->second.is_again) && !assignment.handle_error;
    if (is_open || is_handle_open) {
      ++at;
      continue;
    }
    AssignDone done{at->first, {}};
    for (DemandState& state : assignment.demands) {
      if (assignment.handle_error && !state.got.error) state.got.error = assignment.handle_error;
      std::sort(state.got.addresses.begin(), state.got.addresses.end());
      done.got.push_back(std::move(state.got));
    }
    out_.emplace_back(std::move(done));
    at = assignments_.erase(at);
  }
}

}  // namespace margay::ipam
