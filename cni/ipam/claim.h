// BlockClaim: makes a block an owner's. Two-phase, so that a crash at any step leaves what the next attempt finishes
// and others can see; claiming again what is already the owner's is how a claim is finished. Pure: call in, answer out.
//
//   affinity pending ──▶ create block ──▶ affinity confirmed ──▶ kClaimed
//          ▲                  │ it exists: read it
//          │                  ├─ ours ──▶ confirm        nobody's ──▶ take it (compare-and-swap) ──▶ confirm
//          └── changed by     └─ another's ──▶ remove our affinity ──▶ kTaken
//              others                          an error ──▶ kFailed: nothing is known, claim again later
//
// An affinity that is not confirmed counts as not owned (for routes, too); of two owners with pending affinities the
// one who created the block wins.
#pragma once

#include <optional>
#include <string>

#include "cni/ipam/calls.h"

namespace margay::ipam {

struct ClaimRequest {
  model::BlockOwner owner{};
  IpPrefix cidr{};
  WallTime now{};
};

class BlockClaim {
 public:
  enum class Outcome { kOpen, kClaimed, kTaken, kFailed };

  explicit BlockClaim(ClaimRequest request) : request_(std::move(request)) {}

  Call start();
  // The next call; nullopt when it is over.
  std::optional<Call> step(const Answer& answer);

  [[nodiscard]] const IpPrefix& cidr() const { return request_.cidr; }
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  // kClaimed: both as stored. kTaken: the block as it was read.
  [[nodiscard]] const model::IpamBlock& block() const { return block_; }
  [[nodiscard]] const model::BlockAffinity& affinity() const { return affinity_; }
  [[nodiscard]] const Error& error() const { return error_; }  // kFailed

 private:
  enum class State {
    kCreateAffinity,
    kGetAffinity,
    kRemoveOldAffinity,  // that was marked as deleted
    kSetPending,
    kCreateBlock,
    kGetBlock,
    kRemoveOldBlock,
    kTakeBlock,
    kConfirm,
    kGiveUpAffinity,
  };

  Call create_affinity();
  Call get_affinity();
  Call update_affinity(State state, model::BlockAffinityState wanted);
  Call create_block();
  Call get_block();
  std::optional<Call> on_affinity_read(const Answer& answer);
  std::optional<Call> on_block_read(const Answer& answer);
  std::optional<Call> on_written(const Answer& answer);
  std::optional<Call> after_affinity();
  std::optional<Call> confirm();
  std::optional<Call> give_up();
  std::optional<Call> end(Outcome outcome);
  std::optional<Call> fail(const Error& error);

  ClaimRequest request_;
  State state_ = State::kCreateAffinity;
  Outcome outcome_ = Outcome::kOpen;
  int attempts_ = 0;
  model::BlockAffinity affinity_;
  model::IpamBlock block_;
  Error error_;
};

}  // namespace margay::ipam
