// The machine's inputs, and who gets which answer.
#include "cni/ipam/allocator.h"

#include <algorithm>
#include <utility>

#include "cni/ipam/names.h"

namespace margay::ipam {
namespace {

template <class Job>
void back_off(Job& job, Moment now) {
  job.retry_at = now.steady + backoff(++job.failures);
}

bool is_due(const std::optional<TimePoint>& at, Moment now) { return !at || *at <= now.steady; }

void earliest(std::optional<TimePoint>& out, const std::optional<TimePoint>& at) {
  if (at && (!out || *at < *out)) out = at;
}

}  // namespace

Allocator::Allocator(AllocatorConfig config) : config_(std::move(config)) {}

Outputs Allocator::start(Moment now) {
  is_listing_ = true;
  out_.emplace_back(WantListing{});
  return flush(now);
}

Outputs Allocator::configure(AllocatorConfig config, Moment now) {
  config_ = std::move(config);
  return flush(now);
}

Outputs Allocator::on_listing(Result<Listing> listing, Moment now) {
  is_listing_ = false;
  if (!listing.ok()) {
    list_again_at_ = now.steady + backoff(++list_failures_);
    return flush(now);
  }
  list_failures_ = 0;
  list_again_at_.reset();
  listed_at_ = now.steady;
  index_ = std::move(listing->index);
  if (std::exchange(is_listed_, true)) {
    check_affinities(listing->affinities, now);
  } else {
    take_first_listing(std::move(listing).value(), now);
  }
  return flush(now);
}

// What an earlier run began, or lost one half of, is finished. Later listings may be older than what was done since.
void Allocator::take_first_listing(Listing&& listing, Moment now) {
  for (model::IpamBlock& block : listing.blocks) {
    if (!check_block(block.spec).ok()) continue;
    const IpPrefix cidr = block.spec.cidr;
    held_.try_emplace(cidr, config_.rules, std::move(block));
  }
  std::set<IpPrefix> with_affinity;
  for (const model::BlockAffinity& affinity : listing.affinities) {
    const IpPrefix& cidr = affinity.spec.cidr;
    with_affinity.insert(cidr);
    const bool is_leaving = affinity.spec.state == model::BlockAffinityState::kPendingDeletion || affinity.spec.deleted;
    if (is_leaving) begin_return(cidr, config_.rules.owner);
    if (!is_leaving && !held_.contains(cidr)) begin_claim(cidr, /*is_search=*/false, now);
  }
  for (const auto& [cidr, block] : held_) {
    if (block.is_affine() && !with_affinity.contains(cidr)) begin_claim(cidr, /*is_search=*/false, now);
  }
  check_affinities(listing.affinities, now);
}

void Allocator::check_affinities(const std::vector<model::BlockAffinity>& affinities, Moment now) {
  for (const model::BlockAffinity& affinity : affinities) {
    const bool is_whole = affinity.spec.state == model::BlockAffinityState::kConfirmed ||
                          affinity.spec.state == model::BlockAffinityState::kUnset;
    const auto held = held_.find(affinity.spec.cidr);
    if (held == held_.end()) continue;
    if (!is_whole || !held->second.is_affine()) begin_claim(affinity.spec.cidr, /*is_search=*/false, now);
  }
}

Outputs Allocator::on_answer(CallId id, Answer answered, Moment now) {
  const auto found = callers_.find(id);
  if (found == callers_.end()) return flush(now);
  const Caller caller = std::move(found->second);
  callers_.erase(found);
  std::visit([&](const auto& of) { answer(of, std::move(answered), now); }, caller);
  return flush(now);
}

Outputs Allocator::on_tick(Moment now) {
  for (auto& [cidr, block] : held_) block.free_cooled(now);
  return_empty(now);
  return flush(now);
}

Outputs Allocator::on_block_seen(const model::IpamBlock& block, Moment now) {
  const IpPrefix& cidr = block.spec.cidr;
  if (block.spec.deleted) {
    if (!held_.contains(cidr)) index_.erase(cidr);
    return flush(now);
  }
  index_.put(cidr, summary_of(block.spec));
  if (const auto found = held_.find(cidr); found != held_.end()) found->second.see(block);
  return flush(now);
}

void Allocator::issue(Caller caller, Call call) {
  callers_.emplace(++last_call_, std::move(caller));
  out_.emplace_back(Issue{last_call_, std::move(call)});
}

HeldBlock& Allocator::hold(const IpPrefix& cidr) { return held_.try_emplace(cidr, config_.rules, cidr).first->second; }

// Everything that can go on goes on.
Outputs Allocator::flush(Moment now) {
  if (list_again_at_ && *list_again_at_ <= now.steady) {
    list_again_at_.reset();
    is_listing_ = true;
    out_.emplace_back(WantListing{});
  }
  if (is_listed_) {
    place_all(now);
    claim_spare(now);
    start_jobs(now);
    finish_assignments();
    finish_removals();
    forget_handles();
  }
  return std::exchange(out_, {});
}

void Allocator::start_jobs(Moment now) {
  for (auto& [cidr, job] : claims_) {
    if (job.is_calling || !is_due(job.retry_at, now)) continue;
    job.is_calling = true;
    job.retry_at.reset();
    issue(OfClaim{cidr}, job.claim.start());
  }
  for (auto& [cidr, job] : returns_) {
    if (job.is_calling || !is_due(job.retry_at, now)) continue;
    job.is_calling = true;
    job.retry_at.reset();
    issue(OfReturn{cidr}, job.job.start());
  }
  for (auto& [handle, job] : handles_) {
    if (!job.change && job.is_again && is_due(job.retry_at, now)) start_handle(handle, job);
  }
  for (auto& [id, removal] : removals_) {
    if (removal.retry_at && is_due(removal.retry_at, now)) find_holdings(removal, now);
  }
  for (auto& [cidr, block] : held_) {
    if (auto call = block.next_call(now)) issue(OfBlock{cidr}, std::move(*call));
  }
}

void Allocator::answer(const OfBlock& of, Answer&& answered, Moment now) {
  const auto found = held_.find(of.cidr);
  if (found == held_.end()) return;
  settle(of.cidr, found->second.on_answer(std::move(answered), now), now);
}

void Allocator::settle(const IpPrefix& cidr, const Settled& settled, Moment now) {
  for (const Wish& wish : settled.done) {
    if (wish.kind == Wish::Kind::kAssign) {
      on_assigned(wish, cidr);
      const auto handle = handles_.find(wish.holder.handle);
      if (handle != handles_.end() && std::exchange(handle->second.has_guess, false)) handle->second.is_again = true;
      continue;
    }
    sync_handle(wish.holder.handle, cidr);
    if (const auto removal = removals_.find(wish.request); removal != removals_.end()) --removal->second.open;
  }
  for (const Bounced& bounced : settled.bounced) {
    if (bounced.wish.kind == Wish::Kind::kAssign) {
      on_bounced(bounced);
      sync_handle(bounced.wish.holder.handle, cidr);
      continue;
    }
    if (const auto removal = removals_.find(bounced.wish.request); removal != removals_.end()) {
      --removal->second.open;
      removal->second.error = bounced.error;
    }
  }
  HeldBlock& block = held_.find(cidr)->second;
  if (settled.is_gone) {
    index_.erase(cidr);
    const bool was_affine = block.is_affine();
    held_.erase(cidr);
    empty_since_.erase(cidr);
    // Its affinity may still be there: the claim makes the block again.
    if (was_affine) begin_claim(cidr, /*is_search=*/false, now);
    return;
  }
  if (block.is_known()) {
    BlockSummary summary = summary_of(block.stored().spec);
    summary.free = block.room();
    index_.put(cidr, std::move(summary));
  }
  drop_if_useless(cidr);
}

// A block of another that nothing was taken from.
void Allocator::drop_if_useless(const IpPrefix& cidr) {
  const auto found = held_.find(cidr);
  if (found == held_.end() || found->second.is_affine() || !found->second.is_idle()) return;
  const bool is_used = std::any_of(handles_.begin(), handles_.end(),
                                   [&](const auto& each) { return found->second.count_of(each.first) > 0; });
  const auto& attributes = found->second.stored().spec.attributes;
  const bool has_ours = std::any_of(attributes.begin(), attributes.end(), [this](const auto& attribute) {
    return !attribute.released_at && attribute.active_owner.get(kNodeAttribute) == config_.rules.owner.name;
  });
  if (!is_used && !has_ours) held_.erase(found);
}

void Allocator::answer(const OfClaim& of, Answer&& answered, Moment now) {
  const auto found = claims_.find(of.cidr);
  ClaimJob& job = found->second;
  if (auto next = job.claim.step(answered)) return issue(of, std::move(*next));
  const BlockClaim& claim = job.claim;
  if (claim.outcome() == BlockClaim::Outcome::kFailed) {
    job.is_calling = false;
    back_off(job, now);
    job.claim = BlockClaim({config_.rules.owner, of.cidr, now.wall});
    return;
  }
  index_.put(of.cidr, summary_of(claim.block().spec));
  if (claim.outcome() == BlockClaim::Outcome::kClaimed) {
    const auto held = held_.find(of.cidr);
    if (held != held_.end()) {
      held->second.see(claim.block());
    } else if (check_block(claim.block().spec).ok()) {
      held_.try_emplace(of.cidr, config_.rules, claim.block());
    }
  }
  claims_.erase(found);
}

void Allocator::answer(const OfReturn& of, Answer&& answered, Moment now) {
  const auto found = returns_.find(of.cidr);
  ReturnJob& job = found->second;
  if (auto next = job.job.step(std::move(answered))) return issue(of, std::move(*next));
  if (job.job.outcome() == BlockReturn::Outcome::kFailed) {
    job.is_calling = false;
    back_off(job, now);
    job.job = BlockReturn({job.owner, of.cidr});
    return;
  }
  const bool is_ours = job.owner == config_.rules.owner;
  const bool is_kept = job.job.outcome() == BlockReturn::Outcome::kKept;
  if (!is_kept) index_.erase(of.cidr);
  if (is_kept && is_ours) held_.try_emplace(of.cidr, config_.rules, job.job.block());
  if (is_kept && !is_ours) index_.put(of.cidr, summary_of(job.job.block().spec));
  returns_.erase(found);
  if (!is_kept && !is_ours && count_owned(of.cidr.family()) < blocks_max(nullptr)) {
    begin_claim(of.cidr, /*is_search=*/true, now);
  }
}

std::optional<TimePoint> Allocator::next_wake() const {
  std::optional<TimePoint> out = list_again_at_;
  if (!is_listed_) return out;  // all else waits for that
  for (const auto& [cidr, job] : claims_) earliest(out, job.retry_at);
  for (const auto& [cidr, job] : returns_) earliest(out, job.retry_at);
  for (const auto& [cidr, block] : held_) earliest(out, block.retry_at());
  for (const auto& [handle, job] : handles_) earliest(out, job.retry_at);
  for (const auto& [id, removal] : removals_) earliest(out, removal.retry_at);
  if (config_.empty_kept) {
    for (const auto& [cidr, since] : empty_since_) earliest(out, since + *config_.empty_kept);
  }
  return out;
}

bool Allocator::is_idle() const {
  return callers_.empty() && assignments_.empty() && removals_.empty() && !next_wake();
}

std::vector<IpAddress> Allocator::addresses_of(const std::string& handle) const {
  std::vector<IpAddress> out;
  for (const auto& [cidr, block] : held_) {
    if (!block.is_known()) continue;
    const auto some = ipam::addresses_of(block.stored().spec, handle);
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

std::vector<IpPrefix> Allocator::owned_blocks() const {
  std::vector<IpPrefix> out;
  for (const auto& [cidr, block] : held_) {
    if (block.is_affine() && !claims_.contains(cidr)) out.push_back(cidr);
  }
  return out;
}

}  // namespace margay::ipam
