#include "cni/ipam/claim.h"

#include <utility>

#include "base/core/text.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"

namespace margay::ipam {

using model::BlockAffinityState;

Call BlockClaim::start() { return create_affinity(); }

Call BlockClaim::create_affinity() {
  state_ = State::kCreateAffinity;
  affinity_ = {};
  affinity_.metadata.name = affinity_name(request_.owner, request_.cidr);
  affinity_.spec.state = BlockAffinityState::kPending;
  affinity_.spec.node = request_.owner.name;
  affinity_.spec.type = request_.owner.type;
  affinity_.spec.cidr = request_.cidr;
  return {Verb::kCreate, affinity_};
}

Call BlockClaim::get_affinity() {
  state_ = State::kGetAffinity;
  return {Verb::kGet, affinity_};
}

Call BlockClaim::update_affinity(State state, BlockAffinityState wanted) {
  state_ = state;
  model::BlockAffinity next = affinity_;
  next.spec.state = wanted;
  return {Verb::kUpdate, std::move(next)};
}

Call BlockClaim::create_block() {
  state_ = State::kCreateBlock;
  block_ = {};
  block_.metadata.name = block_name(request_.cidr);
  block_.spec = make_block(request_.cidr, request_.owner, request_.now);
  return {Verb::kCreate, block_};
}

Call BlockClaim::get_block() {
  state_ = State::kGetBlock;
  return {Verb::kGet, block_};
}

std::optional<Call> BlockClaim::end(Outcome outcome) {
  outcome_ = outcome;
  return std::nullopt;
}

std::optional<Call> BlockClaim::fail(const Error& error) {
  error_ = error.within(concat("claiming block ", request_.cidr.to_string()));
  return end(Outcome::kFailed);
}

std::optional<Call> BlockClaim::step(const Answer& answer) {
  const bool is_race =
      !answer.ok() && (is_lost_race(answer.error()) || answer.error().code == ErrorCode::kAlreadyExists);
  if (!answer.ok() && !is_race) return fail(answer.error());
  if (++attempts_ > kAttemptsMax) return fail({ErrorCode::kConflict, "others kept changing it"});
  switch (state_) {
    case State::kGetAffinity: return on_affinity_read(answer);
    case State::kGetBlock: return on_block_read(answer);
    case State::kRemoveOldAffinity: return create_affinity();
    case State::kRemoveOldBlock: return create_block();
    // Gone, or changed by somebody who will end it: either way it is not ours.
    case State::kGiveUpAffinity: return end(Outcome::kTaken);
    case State::kCreateAffinity:
    case State::kSetPending:
    case State::kCreateBlock:
    case State::kTakeBlock:
    case State::kConfirm: return on_written(answer);
  }
  return fail({ErrorCode::kInternal, "in no state"});
}

std::optional<Call> BlockClaim::on_written(const Answer& answer) {
  const bool is_block = state_ == State::kCreateBlock || state_ == State::kTakeBlock;
  if (!answer.ok()) return is_block ? get_block() : get_affinity();
  if (is_block) {
    block_ = std::get<model::IpamBlock>(answer.value());
    return confirm();
  }
  affinity_ = std::get<model::BlockAffinity>(answer.value());
  return state_ == State::kConfirm ? end(Outcome::kClaimed) : after_affinity();
}

// The affinity is ours and pending or confirmed.
std::optional<Call> BlockClaim::after_affinity() { return create_block(); }

std::optional<Call> BlockClaim::confirm() {
  if (affinity_.spec.state == BlockAffinityState::kConfirmed) return end(Outcome::kClaimed);
  return update_affinity(State::kConfirm, BlockAffinityState::kConfirmed);
}

std::optional<Call> BlockClaim::on_affinity_read(const Answer& answer) {
  if (!answer.ok()) return create_affinity();
  affinity_ = std::get<model::BlockAffinity>(answer.value());
  if (affinity_.spec.deleted) {
    state_ = State::kRemoveOldAffinity;
    return Call{Verb::kDelete, affinity_};
  }
  if (affinity_.spec.state == BlockAffinityState::kPendingDeletion) {
    return update_affinity(State::kSetPending, BlockAffinityState::kPending);
  }
  return after_affinity();
}

std::optional<Call> BlockClaim::on_block_read(const Answer& answer) {
  if (!answer.ok()) return create_block();
  block_ = std::get<model::IpamBlock>(answer.value());
  if (block_.spec.deleted) {
    state_ = State::kRemoveOldBlock;
    return Call{Verb::kDelete, block_};
  }
  if (block_.spec.affinity == request_.owner) return confirm();
  if (block_.spec.affinity) return give_up();
  state_ = State::kTakeBlock;
  model::IpamBlock next = block_;
  next.spec.affinity = request_.owner;
  next.spec.affinity_claim_time = request_.now;
  ++next.spec.sequence_number;
  return Call{Verb::kUpdate, std::move(next)};
}

std::optional<Call> BlockClaim::give_up() {
  state_ = State::kGiveUpAffinity;
  return Call{Verb::kDelete, affinity_};
}

}  // namespace margay::ipam
