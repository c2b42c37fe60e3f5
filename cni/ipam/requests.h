// What an Allocator is asked, what it asks, and what it answers. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cni/ipam/held_block.h"
#include "cni/ipam/pools.h"

namespace margay::ipam {

using CallId = std::uint64_t;

struct Demand {
  IpFamily family = IpFamily::kV4;
  std::size_t count = 1;
  std::vector<PoolRange> pools{};      // in order of preference
  std::optional<IpAddress> address{};  // this one, and no other
};

struct AssignRequest {
  RequestId id = 0;  // not 0
  Holder holder{};
  std::vector<Demand> demands{};
  int blocks_max = 0;  // 0: the owner's limit
};

struct ReleaseRequest {
  RequestId id = 0;  // not 0
  std::string handle{};
  std::optional<IpAddress> address{};  // only this one, of a block that is held
};

// What became of one demand: fewer addresses than wanted is no error of the machine; `messages` say why.
struct Got {
  std::vector<IpAddress> addresses;
  std::vector<std::string> messages;
  std::optional<Error> error;
  bool is_exhausted = false;  // the pools have none left for this owner; not: it has as many blocks as it may
  friend bool operator==(const Got&, const Got&) = default;
};

struct Issue {
  CallId id = 0;
  Call call;
};
struct WantListing {};  // answered by on_listing()
struct AssignDone {
  RequestId id = 0;
  std::vector<Got> got{};  // by demand
};
struct ReleaseDone {
  RequestId id = 0;
  Status outcome = ok_status();
  int count = 0;  // addresses that were held
};
using Output = std::variant<Issue, WantListing, AssignDone, ReleaseDone>;
using Outputs = std::vector<Output>;

inline constexpr int kBlocksMaxDefault = 20;

struct AllocatorConfig {
  BlockRules rules{};
  bool auto_allocate_blocks = true;
  int blocks_max = 0;  // 0: kBlocksMaxDefault
  // With fewer addresses left (and less than an eighth of a block) the next block is claimed; 0: when it is needed.
  std::size_t spare_min = 0;
  std::optional<Duration> empty_kept{};  // an empty block that is not the last one is returned after; nullopt: never
};

}  // namespace margay::ipam
