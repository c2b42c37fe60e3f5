// Allocator: gives addresses out of the blocks of one owner (a node; or, for services, a virtual owner), which it holds
// in memory. One writer's whole address management as a machine: requests and answers in, calls and results out.
//
//   assign ─▶ room in a held block ─▶ wish in its next write        release ─▶ wish in its next write
//                  │ none
//                  ▼
//             claim a block (BlockClaim) ─▶ none left: take another node's that is empty (BlockReturn, then BlockClaim)
//                                             └─▶ none, limit reached ─▶ borrow from another's block (not when strict)
//
// Invariants
//   1. An address is told given only when the write of its block was answered; then no one else gets it.
//   2. Requests that come while a block is being written leave together in its next write.
//   3. Crash at any step: the next Allocator's listing finds all that was begun, and finishes it.
//   4. Never more than blocks_max blocks of a family.
//   5. The API server away: requests wait until they are cancelled; nothing is given up by itself.
//
// Pure: no clock, no I/O. Calls may be answered in any order; every call is answered once.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cni/ipam/block_index.h"
#include "cni/ipam/jobs.h"
#include "cni/ipam/requests.h"

namespace margay::ipam {

class Allocator {
 public:
  explicit Allocator(AllocatorConfig config);

  // Asks for the listing; requests wait for it.
  Outputs start(Moment now);
  // An error: asked for again later.
  Outputs on_listing(Result<Listing> listing, Moment now);
  Outputs configure(AllocatorConfig config, Moment now);

  Outputs assign(AssignRequest request, Moment now);
  // Assignments of the handle that are under way end with kCancelled, unless one address alone is to be released.
  Outputs release(ReleaseRequest request, Moment now);
  // No AssignDone follows; what was given already is released.
  Outputs cancel(RequestId request, Moment now);
  Outputs on_answer(CallId id, Answer answer, Moment now);
  Outputs on_tick(Moment now);
  // Somebody else's news (a watch) of a block; an old one does no harm.
  Outputs on_block_seen(const model::IpamBlock& block, Moment now);

  // When on_tick() is wanted.
  [[nodiscard]] std::optional<TimePoint> next_wake() const;
  [[nodiscard]] bool is_listed() const { return is_listed_; }
  [[nodiscard]] bool is_idle() const;
  // Stored, in order.
  [[nodiscard]] std::vector<IpAddress> addresses_of(const std::string& handle) const;
  [[nodiscard]] const std::map<IpPrefix, HeldBlock>& blocks() const { return held_; }
  // Of this pool an address could be given here, as far as is known, but for the limit of blocks.
  [[nodiscard]] bool has_room(const PoolRange& pool) const;
  // Claimed, and not on their way back.
  [[nodiscard]] std::vector<IpPrefix> owned_blocks() const;

 private:
  // allocator.cc
  Outputs flush(Moment now);
  void issue(Caller caller, Call call);
  void answer(const OfBlock& of, Answer&& answer, Moment now);
  void answer(const OfClaim& of, Answer&& answer, Moment now);
  void answer(const OfReturn& of, Answer&& answer, Moment now);
  void answer(const OfHandle& of, Answer&& answer, Moment now);
  void answer(const OfLookup& of, Answer&& answer, Moment now);
  void settle(const IpPrefix& cidr, const Settled& settled, Moment now);
  void drop_if_useless(const IpPrefix& cidr);
  HeldBlock& hold(const IpPrefix& cidr);
  void take_first_listing(Listing&& listing, Moment now);
  void check_affinities(const std::vector<model::BlockAffinity>& affinities, Moment now);
  void start_jobs(Moment now);

  // allocator_assign.cc
  void place_all(Moment now);
  void place(Assignment& assignment, std::size_t index, Moment now);
  bool place_one(Assignment& assignment, std::size_t index, Moment now);
  void place_fixed(Assignment& assignment, std::size_t index, Moment now);
  void extend(Assignment& assignment, std::size_t index, Moment now);
  bool borrow(Assignment& assignment, std::size_t index, Moment now);
  void fall_short(DemandState& state, std::string message, std::optional<Error> error = std::nullopt);
  bool add_wish(Assignment& assignment, std::size_t index, HeldBlock& block, std::optional<Ordinal> fixed, Moment now);
  void on_assigned(const Wish& wish, const IpPrefix& cidr);
  void on_bounced(const Bounced& bounced);
  void finish_assignments();

  // allocator_claim.cc
  [[nodiscard]] int blocks_max(const AssignRequest* request) const;
  [[nodiscard]] int count_owned(IpFamily family) const;
  [[nodiscard]] bool is_claiming(IpFamily family) const;
  std::optional<IpPrefix> find_candidate(const std::vector<PoolRange>& pools) const;
  void begin_claim(const IpPrefix& cidr, bool is_search, Moment now);
  std::optional<IpPrefix> find_idle(const std::vector<PoolRange>& pools, Moment now) const;
  void begin_return(const IpPrefix& cidr, const model::BlockOwner& owner);
  void claim_spare(Moment now);
  void return_empty(Moment now);

  // allocator_release.cc
  void find_holdings(Removal& removal, Moment now);
  void find_address(Removal& removal, const IpAddress& address, Moment now);
  void sync_handle(const std::string& handle, const IpPrefix& cidr);
  void start_handle(const std::string& handle, HandleJob& job);
  void forget_handles();
  void finish_removals();

  AllocatorConfig config_;
  bool is_listed_ = false;
  bool is_listing_ = false;
  TimePoint listed_at_{};
  std::optional<TimePoint> list_again_at_;
  int list_failures_ = 0;
  std::map<IpPrefix, HeldBlock> held_;
  std::map<IpPrefix, TimePoint> empty_since_;
  BlockIndex index_;  // all blocks there are, as far as known
  std::map<RequestId, Assignment> assignments_;
  std::map<RequestId, Removal> removals_;
  std::map<IpPrefix, ClaimJob> claims_;
  std::map<IpPrefix, ReturnJob> returns_;
  std::map<std::string, HandleJob, std::less<>> handles_;
  std::map<IpFamily, std::vector<PoolRange>> last_pools_;  // what spare blocks are claimed of
  std::map<CallId, Caller> callers_;
  CallId last_call_ = 0;
  Outputs out_;
};

}  // namespace margay::ipam
