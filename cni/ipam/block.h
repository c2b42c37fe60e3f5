// What can be done with a block of addresses: its slots are called ordinals, 0 for the block's first address. The
// arithmetic of Calico's blocks, on the object as it is stored. Pure; nothing here counts writes (sequence_number is
// the writer's).
//
// A slot is free (its ordinal is in `unallocated`), given (its attribute names the handle), or cooling: released, but
// not to be given again for a while (its attribute says since when). Free slots are given in the order in which they
// became free.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "cni/ipam/reserved.h"
#include "datastore/model/ipam.h"

namespace margay::ipam {

using Ordinal = std::int32_t;

model::IpamBlockSpec make_block(const IpPrefix& cidr, std::optional<model::BlockOwner> owner,
                                std::optional<WallTime> claimed_at);

IpAddress address_at(const model::IpamBlockSpec& block, Ordinal ordinal);
// nullopt: not of this block.
std::optional<Ordinal> ordinal_of(const model::IpamBlockSpec& block, const IpAddress& address);
// Of a given or cooling slot; nullptr for a free one.
const model::AllocationAttribute* attribute_at(const model::IpamBlockSpec& block, Ordinal ordinal);
// The handle a slot is given to; nullptr when it is free or cooling.
const std::string* holder_of(const model::IpamBlockSpec& block, Ordinal ordinal);
// Whether what was read makes sense: sizes, indices, every slot either free or given. The error says what does not.
Status check_block(const model::IpamBlockSpec& block);

struct Holder {
  std::string handle{};
  StringMap attributes{};
};

// Up to `count` free slots that are not reserved, the longest free first.
std::vector<Ordinal> assign_any(model::IpamBlockSpec& block, std::size_t count, const Holder& holder,
                                const AddressSet& reserved);
// kAlreadyExists: it is not free. Reserved addresses can be asked for.
Status assign_one(model::IpamBlockSpec& block, Ordinal ordinal, const Holder& holder);

struct ReleaseWish {
  IpAddress address{};
  std::string handle{};                    // "": whoever has it
  std::optional<std::int64_t> sequence{};  // as it was when the address was given; nullopt: whichever
};
struct ReleaseRules {
  Duration cooldown{0};
  WallTime now{};
};
struct Released {
  std::vector<IpAddress> not_given;                            // were free already
  std::map<std::string, std::int32_t, std::less<>> by_handle;  // how many of each
};
// kConflict: an address is held by another handle or was given again since; then nothing is released.
Result<Released> release(model::IpamBlockSpec& block, const std::vector<ReleaseWish>& wishes,
                         const ReleaseRules& rules);
// All slots of a handle (with that sequence number, when one is said). How many.
std::int32_t release_handle(model::IpamBlockSpec& block, std::string_view handle, std::optional<std::int64_t> sequence,
                            const ReleaseRules& rules);
// Frees what has cooled. How many.
std::int32_t end_cooling(model::IpamBlockSpec& block, const ReleaseRules& rules);

// Nothing is given or cooling; what is set aside for Windows does not count.
bool is_empty(const model::IpamBlockSpec& block);
std::vector<IpAddress> addresses_in_use(const model::IpamBlockSpec& block);
std::vector<IpAddress> addresses_of(const model::IpamBlockSpec& block, std::string_view handle);
// Free and not reserved.
std::size_t count_free(const model::IpamBlockSpec& block, const AddressSet& reserved);

}  // namespace margay::ipam
