// How full pools and blocks are. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "cni/ipam/reserved.h"
#include "datastore/model/ipam.h"

namespace margay::ipam {

struct Usage {
  std::uint64_t capacity = 0;
  std::uint64_t in_use = 0;     // given or cooling
  std::uint64_t reserved = 0;   // by reservations, given or not
  std::uint64_t available = 0;  // neither
  friend bool operator==(const Usage&, const Usage&) = default;
};

Usage usage_of(const model::IpamBlockSpec& block, const AddressSet& reserved);

struct PoolSpace {
  std::uint64_t capacity = 0;
  std::uint64_t reserved = 0;
  std::uint64_t available_outside_blocks = 0;
};
// `blocks`: those that lie in the pool.
PoolSpace space_of(const IpPrefix& pool, const AddressSet& reserved, const std::vector<IpPrefix>& blocks);

// `blocks`: any; those outside of the pool do not count.
Usage usage_of(const IpPrefix& pool, const AddressSet& reserved,
               const std::vector<const model::IpamBlockSpec*>& blocks);

}  // namespace margay::ipam
