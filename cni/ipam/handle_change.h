// HandleChange: makes a handle say how many addresses it has of some blocks; what it says of others stays, and a handle
// that has nothing left is deleted. Doing it twice is doing it once. Handles are an index, for finding an allocation by
// its owner; the blocks say what is true. Pure: call in, answer out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cni/ipam/calls.h"

namespace margay::ipam {

// By block: how many of its addresses the handle has; 0: none.
using HandleCounts = std::map<IpPrefix, std::int32_t>;

class HandleChange {
 public:
  enum class Outcome { kOpen, kDone, kFailed };

  // `known`: the handle as it was last seen, which saves reading it.
  HandleChange(std::string handle, HandleCounts counts, std::optional<model::IpamHandle> known = std::nullopt);

  // nullopt: there is nothing to do.
  std::optional<Call> start();
  std::optional<Call> step(Answer answer);

  [[nodiscard]] Outcome outcome() const { return outcome_; }
  // kDone: as stored; nullopt: it is gone.
  [[nodiscard]] const std::optional<model::IpamHandle>& handle() const { return handle_; }
  [[nodiscard]] const Error& error() const { return error_; }  // kFailed

 private:
  std::optional<Call> write();
  std::optional<Call> end(Outcome outcome);

  std::string name_;
  HandleCounts counts_;
  std::optional<model::IpamHandle> handle_;
  Verb verb_ = Verb::kGet;
  bool is_known_;
  Outcome outcome_ = Outcome::kOpen;
  int attempts_ = 0;
  Error error_;
};

}  // namespace margay::ipam
