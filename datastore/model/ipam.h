// The kinds in which address management keeps its state (projectcalico.org/v3): IPAMConfiguration, BlockAffinity,
// IPAMBlock, IPAMHandle. People write only the first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/core/string_map.h"
#include "base/core/time.h"
#include "base/ip/prefix.h"
#include "datastore/model/meta.h"
#include "datastore/model/values.h"

namespace margay::model {

struct IpamConfigurationSpec {
  bool strict_affinity = false;                           // addresses only from the node's own blocks
  std::int32_t max_blocks_per_host = 0;                   // 0: 20
  std::optional<bool> auto_allocate_blocks;               // true
  std::optional<Switch> kubevirt_vm_address_persistence;  // Enabled
  std::optional<std::int32_t> ip_cooldown_seconds;        // before an address is used again; 0

  friend bool operator==(const IpamConfigurationSpec&, const IpamConfigurationSpec&) = default;
};

struct IpamConfiguration {
  static constexpr Kind kKind = Kind::kIpamConfiguration;

  ObjectMeta metadata;
  IpamConfigurationSpec spec;

  friend bool operator==(const IpamConfiguration&, const IpamConfiguration&) = default;
};

// kPending counts as not owned. The empty word is what very old writers left; it counts as confirmed.
enum class BlockAffinityState { kUnset, kPending, kConfirmed, kPendingDeletion };
template <>
struct EnumText<BlockAffinityState> {
  static constexpr std::string_view kWords[] = {"", "pending", "confirmed", "pendingDeletion"};
};

struct BlockAffinitySpec {
  BlockAffinityState state = BlockAffinityState::kUnset;
  std::string node;
  std::optional<AffinityType> type;  // host
  IpPrefix cidr;
  bool deleted = false;  // first half of a deletion: to be read as absent

  friend bool operator==(const BlockAffinitySpec&, const BlockAffinitySpec&) = default;
};

struct BlockAffinity {
  static constexpr Kind kKind = Kind::kBlockAffinity;

  ObjectMeta metadata;
  BlockAffinitySpec spec;

  friend bool operator==(const BlockAffinity&, const BlockAffinity&) = default;
};

struct AllocationAttribute {
  std::string handle_id;
  StringMap active_owner;               // in objects: secondary
  StringMap alternate_owner;            // in objects: alternateOwnerAttrs
  std::optional<WallTime> released_at;  // cooling down since

  friend bool operator==(const AllocationAttribute&, const AllocationAttribute&) = default;
};

// One block of addresses: the unit of compare-and-swap.
struct IpamBlockSpec {
  IpPrefix cidr;
  std::optional<BlockOwner> affinity;
  std::optional<WallTime> affinity_claim_time;
  std::vector<std::optional<std::int32_t>> allocations;  // by ordinal in the block: index into attributes, or free
  std::vector<std::int32_t> unallocated;                 // ordinals, the longest free first
  std::vector<AllocationAttribute> attributes;
  std::int64_t sequence_number = 0;                                     // counts writes of the block
  std::map<std::int32_t, std::int64_t> sequence_number_for_allocation;  // by ordinal: sequence_number when it was given
  bool strict_affinity = false;                                         // of old writers
  bool deleted = false;  // first half of a deletion: to be read as absent

  friend bool operator==(const IpamBlockSpec&, const IpamBlockSpec&) = default;
};

struct IpamBlock {
  static constexpr Kind kKind = Kind::kIpamBlock;

  ObjectMeta metadata;
  IpamBlockSpec spec;

  friend bool operator==(const IpamBlock&, const IpamBlock&) = default;
};

struct IpamHandleSpec {
  std::string handle_id;
  std::map<std::string, std::int32_t, std::less<>> block;  // by block's prefix: how many of its addresses
  bool deleted = false;

  friend bool operator==(const IpamHandleSpec&, const IpamHandleSpec&) = default;
};

struct IpamHandle {
  static constexpr Kind kKind = Kind::kIpamHandle;

  ObjectMeta metadata;
  IpamHandleSpec spec;

  friend bool operator==(const IpamHandle&, const IpamHandle&) = default;
};

}  // namespace margay::model
