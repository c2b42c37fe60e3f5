#include "cni/ipam/give_back.h"

#include <utility>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"

namespace margay::ipam {

using model::BlockAffinityState;

BlockReturn::BlockReturn(ReturnRequest request) : request_(std::move(request)) {
  affinity_.metadata.name = affinity_name(request_.owner, request_.cidr);
  block_.metadata.name = block_name(request_.cidr);
}

Call BlockReturn::start() { return get_affinity(); }

Call BlockReturn::get_affinity() {
  state_ = State::kGetAffinity;
  return {Verb::kGet, affinity_};
}

Call BlockReturn::get_block() {
  state_ = State::kGetBlock;
  return {Verb::kGet, block_};
}

Call BlockReturn::remove_affinity() {
  state_ = State::kRemoveAffinity;
  return {Verb::kDelete, affinity_};
}

std::optional<Call> BlockReturn::end(Outcome outcome) {
  outcome_ = outcome;
  return std::nullopt;
}

std::optional<Call> BlockReturn::step(Answer answer) {
  const bool is_known = answer.ok() || is_lost_race(answer.error());
  if (!is_known || ++attempts_ > kAttemptsMax) {
    error_ = answer.ok() ? Error{ErrorCode::kConflict, "others kept changing it"} : answer.error();
    error_ = error_.within(concat("returning block ", request_.cidr.to_string()));
    return end(Outcome::kFailed);
  }
  if (state_ == State::kGetAffinity) return on_affinity(answer);
  if (state_ == State::kGetBlock) return on_block(answer);
  if (!answer.ok()) return on_race();
  switch (state_) {
    case State::kMark: affinity_ = std::get<model::BlockAffinity>(answer.value()); return get_block();
    case State::kChangeBlock: return remove_affinity();
    case State::kRestore: return end(Outcome::kKept);
    case State::kRemoveAffinity:
    case State::kGetAffinity:
    case State::kGetBlock: break;
  }
  return end(Outcome::kReturned);
}

// What was to be changed is not as it was read.
std::optional<Call> BlockReturn::on_race() {
  if (state_ == State::kChangeBlock) return get_block();
  return get_affinity();
}

std::optional<Call> BlockReturn::on_affinity(const Answer& answer) {
  if (!answer.ok()) {
    // Without it nothing says that the block is ours but the block.
    affinity_.metadata.resource_version.clear();
    return get_block();
  }
  affinity_ = std::get<model::BlockAffinity>(answer.value());
  if (affinity_.spec.state == BlockAffinityState::kPendingDeletion || affinity_.spec.deleted) return get_block();
  state_ = State::kMark;
  model::BlockAffinity next = affinity_;
  next.spec.state = BlockAffinityState::kPendingDeletion;
  return Call{Verb::kUpdate, std::move(next)};
}

std::optional<Call> BlockReturn::on_block(const Answer& answer) {
  const bool has_affinity = !affinity_.metadata.resource_version.empty();
  const bool is_gone = !answer.ok();
  if (!is_gone) block_ = std::get<model::IpamBlock>(answer.value());
  if (is_gone || block_.spec.affinity != request_.owner) {
    return has_affinity ? std::optional(remove_affinity()) : end(Outcome::kReturned);
  }
  if (is_empty(block_.spec)) {
    state_ = State::kChangeBlock;
    return Call{Verb::kDelete, block_};
  }
  if (request_.must_be_empty) {
    if (!has_affinity || affinity_.spec.deleted) return end(Outcome::kKept);
    state_ = State::kRestore;
    model::BlockAffinity next = affinity_;
    next.spec.state = BlockAffinityState::kConfirmed;
    return Call{Verb::kUpdate, std::move(next)};
  }
  state_ = State::kChangeBlock;
  model::IpamBlock next = block_;
  next.spec.affinity.reset();
  next.spec.affinity_claim_time.reset();
  ++next.spec.sequence_number;
  return Call{Verb::kUpdate, std::move(next)};
}

}  // namespace margay::ipam
