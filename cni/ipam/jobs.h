// What an Allocator has under way. For its own files.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "cni/ipam/claim.h"
#include "cni/ipam/give_back.h"
#include "cni/ipam/handle_change.h"
#include "cni/ipam/requests.h"

namespace margay::ipam {

struct DemandState {
  std::size_t remaining = 0;  // not yet in any block
  std::size_t open = 0;       // in a block, but not stored
  Got got;
};
struct Assignment {
  AssignRequest request;
  std::vector<DemandState> demands;
  bool is_handle_stored = false;
  std::optional<Error> handle_error;
};
struct Removal {
  ReleaseRequest request;
  std::size_t open = 0;
  int count = 0;
  bool is_looking = false;  // asks the handle which blocks it has
  std::optional<Error> error;
  std::optional<TimePoint> retry_at;
  int failures = 0;
};
struct ClaimJob {
  BlockClaim claim;
  bool is_search = false;  // any block would do: one at a time for each family
  bool is_calling = false;
  int failures = 0;
  std::optional<TimePoint> retry_at;
};
struct ReturnJob {
  model::BlockOwner owner;  // another: its empty block is wanted here
  BlockReturn job;
  bool is_calling = false;
  int failures = 0;
  std::optional<TimePoint> retry_at;
};
struct HandleJob {
  std::optional<model::IpamHandle> known;
  std::optional<HandleChange> change;  // under way
  std::set<IpPrefix> blocks;           // that it has or had something of
  bool is_again = false;               // changed since
  bool has_guess = false;              // a block was not yet read
  int failures = 0;
  std::optional<TimePoint> retry_at;
};
// Who made a call.
struct OfBlock {
  IpPrefix cidr;
};
struct OfClaim {
  IpPrefix cidr;
};
struct OfReturn {
  IpPrefix cidr;
};
struct OfHandle {
  std::string handle;
};
struct OfLookup {
  RequestId request;
};
using Caller = std::variant<OfBlock, OfClaim, OfReturn, OfHandle, OfLookup>;

}  // namespace margay::ipam
