// BlockReturn: ends an owner's claim of a block. A crash at any step leaves an affinity that says pendingDeletion, and
// returning it again finishes. Pure: call in, answer out.
//
//   affinity pendingDeletion ──▶ read block ──▶ empty: delete it            ──▶ delete affinity ──▶ kReturned
//                                     ├─ in use: let go of it                ──┘
//                                     ├─ another's, or gone                  ──┘
//                                     └─ in use, but must be empty: affinity confirmed again ──▶ kKept
#pragma once

#include <optional>

#include "cni/ipam/calls.h"

namespace margay::ipam {

struct ReturnRequest {
  model::BlockOwner owner{};
  IpPrefix cidr{};
  bool must_be_empty = true;  // else a block that is in use stays, without owner
};

class BlockReturn {
 public:
  enum class Outcome { kOpen, kReturned, kKept, kFailed };

  explicit BlockReturn(ReturnRequest request);

  Call start();
  // The next call; nullopt when it is over.
  std::optional<Call> step(Answer answer);

  [[nodiscard]] const IpPrefix& cidr() const { return request_.cidr; }
  [[nodiscard]] Outcome outcome() const { return outcome_; }
  [[nodiscard]] const model::IpamBlock& block() const { return block_; }  // kKept: as it was read
  [[nodiscard]] const Error& error() const { return error_; }             // kFailed

 private:
  enum class State { kGetAffinity, kMark, kGetBlock, kChangeBlock, kRestore, kRemoveAffinity };

  Call get_affinity();
  Call get_block();
  Call remove_affinity();
  std::optional<Call> on_affinity(const Answer& answer);
  std::optional<Call> on_block(const Answer& answer);
  std::optional<Call> on_race();
  std::optional<Call> end(Outcome outcome);

  ReturnRequest request_;
  State state_ = State::kGetAffinity;
  Outcome outcome_ = Outcome::kOpen;
  int attempts_ = 0;
  model::BlockAffinity affinity_;
  model::IpamBlock block_;
  Error error_;
};

}  // namespace margay::ipam
