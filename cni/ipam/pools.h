// From which pools a workload, tunnel or service gets its address. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/string_map.h"
#include "base/ip/address.h"
#include "datastore/model/ip_pool.h"

namespace margay::ipam {

// What the allocator has to know of a pool.
struct PoolRange {
  std::string name{};
  IpPrefix cidr{};
  int block_length = 0;

  static PoolRange of(const model::IpPool& pool);
  friend bool operator==(const PoolRange&, const PoolRange&) = default;
};

struct PoolQuery {
  IpFamily family = IpFamily::kV4;
  model::IpPoolUse use = model::IpPoolUse::kWorkload;
  StringMap node_labels{};
  StringMap namespace_labels{};
  // Names or CIDRs, from configuration or annotations; empty: all that fit. Selectors and the assignment mode do not
  // hold for pools that are named; `disabled` and the allowed uses do.
  std::vector<std::string> requested{};
};

// In order of the request, else of `pools`. No pool fits: empty. The error names a requested pool that cannot be used,
// and why.
Result<std::vector<PoolRange>> select_pools(const std::vector<const model::IpPool*>& pools, const PoolQuery& query);

// Why select_pools() passes this one over; empty: it does not.
std::string why_not(const model::IpPool& pool, const PoolQuery& query);

bool allows(const model::IpPool& pool, model::IpPoolUse use);
// Both selectors; one that cannot be read selects nothing.
bool selects(const model::IpPool& pool, const StringMap& node_labels, const StringMap& namespace_labels);

// The blocks a CIDR consists of. kInvalid: it is smaller than a block; kLimitExceeded: it has more than 65,536.
Result<std::vector<IpPrefix>> blocks_within(const IpPrefix& cidr, int block_length);

}  // namespace margay::ipam
