#include "cni/ipam/block.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "cni/ipam/names.h"

namespace margay::ipam {
namespace {

using model::AllocationAttribute;
using model::IpamBlockSpec;

std::size_t index(std::int32_t value) { return static_cast<std::size_t>(value); }

std::int32_t attribute_for(IpamBlockSpec& block, const Holder& holder) {
  for (std::size_t i = 0; i < block.attributes.size(); ++i) {
    const AllocationAttribute& each = block.attributes[i];
    if (each.handle_id == holder.handle && each.active_owner == holder.attributes && !each.released_at &&
        each.alternate_owner.empty()) {
      return static_cast<std::int32_t>(i);
    }
  }
  block.attributes.push_back({.handle_id = holder.handle,
                              .active_owner = holder.attributes,
                              .alternate_owner = {},
                              .released_at = std::nullopt});
  return static_cast<std::int32_t>(block.attributes.size() - 1);
}

// Takes the last attribute's place for one that no slot has any more.
void drop_attribute_if_unused(IpamBlockSpec& block, std::int32_t attribute) {
  const auto last = static_cast<std::int32_t>(block.attributes.size() - 1);
  const auto begin = block.allocations.begin(), end = block.allocations.end();
  if (std::find(begin, end, std::optional(attribute)) != end) return;
  if (attribute != last) {
    block.attributes[index(attribute)] = std::move(block.attributes[index(last)]);
    std::replace(begin, end, std::optional(last), std::optional(attribute));
  }
  block.attributes.pop_back();
}

void give(IpamBlockSpec& block, Ordinal ordinal, std::int32_t attribute) {
  block.allocations[index(ordinal)] = attribute;
  block.sequence_number_for_allocation[ordinal] = block.sequence_number;
}

void free_slot(IpamBlockSpec& block, Ordinal ordinal) {
  const std::int32_t attribute = *block.allocations[index(ordinal)];
  block.allocations[index(ordinal)].reset();
  block.sequence_number_for_allocation.erase(ordinal);
  block.unallocated.push_back(ordinal);
  drop_attribute_if_unused(block, attribute);
}

void cool_slot(IpamBlockSpec& block, Ordinal ordinal, WallTime now) {
  const std::int32_t attribute = *block.allocations[index(ordinal)];
  AllocationAttribute cooling = block.attributes[index(attribute)];
  cooling.released_at = now;
  block.attributes.push_back(std::move(cooling));
  block.allocations[index(ordinal)] = static_cast<std::int32_t>(block.attributes.size() - 1);
  block.sequence_number_for_allocation.erase(ordinal);
  drop_attribute_if_unused(block, attribute);
}

void give_back(IpamBlockSpec& block, Ordinal ordinal, const ReleaseRules& rules) {
  if (rules.cooldown > Duration::zero()) return cool_slot(block, ordinal, rules.now);
  free_slot(block, ordinal);
}

std::int64_t sequence_at(const IpamBlockSpec& block, Ordinal ordinal) {
  const auto found = block.sequence_number_for_allocation.find(ordinal);
  return found == block.sequence_number_for_allocation.end() ? 0 : found->second;
}

Status check_wish(const IpamBlockSpec& block, const ReleaseWish& wish, Ordinal ordinal) {
  const std::string& holder = *holder_of(block, ordinal);
  if (!wish.handle.empty() && to_lower(wish.handle) != to_lower(holder)) {
    return Error{ErrorCode::kConflict, concat(wish.address.to_string(), " is held by handle ", quoted(holder),
                                              ", not by ", quoted(wish.handle))};
  }
  if (wish.sequence && *wish.sequence != sequence_at(block, ordinal)) {
    return Error{ErrorCode::kConflict, concat(wish.address.to_string(), " was given again: its sequence number is ",
                                              sequence_at(block, ordinal), ", not ", *wish.sequence)};
  }
  return ok_status();
}

}  // namespace

IpamBlockSpec make_block(const IpPrefix& cidr, std::optional<model::BlockOwner> owner,
                         std::optional<WallTime> claimed_at) {
  const std::uint64_t size = size_of(cidr);
  MARGAY_CHECK(size <= 65'536);
  IpamBlockSpec out;
  out.cidr = cidr;
  out.affinity = std::move(owner);
  out.affinity_claim_time = claimed_at;
  out.allocations.resize(size);
  out.unallocated.resize(size);
  std::iota(out.unallocated.begin(), out.unallocated.end(), 0);
  return out;
}

IpAddress address_at(const IpamBlockSpec& block, Ordinal ordinal) {
  return *block.cidr.first().plus(static_cast<std::uint64_t>(ordinal));
}

std::optional<Ordinal> ordinal_of(const IpamBlockSpec& block, const IpAddress& address) {
  if (!block.cidr.contains(address)) return std::nullopt;
  return static_cast<Ordinal>(*address.offset_from(block.cidr.first()));
}

const AllocationAttribute* attribute_at(const IpamBlockSpec& block, Ordinal ordinal) {
  const auto& slot = block.allocations[index(ordinal)];
  return slot ? &block.attributes[index(*slot)] : nullptr;
}

const std::string* holder_of(const IpamBlockSpec& block, Ordinal ordinal) {
  const AllocationAttribute* attribute = attribute_at(block, ordinal);
  return attribute == nullptr || attribute->released_at ? nullptr : &attribute->handle_id;
}

Status check_block(const IpamBlockSpec& block) {
  if (size_of(block.cidr) != block.allocations.size()) {
    return invalid(concat("block ", block.cidr.to_string(), " has ", block.allocations.size(), " slots"));
  }
  std::vector<bool> is_free(block.allocations.size());
  for (const Ordinal ordinal : block.unallocated) {
    if (ordinal < 0 || index(ordinal) >= is_free.size() || is_free[index(ordinal)]) {
      return invalid(concat("block ", block.cidr.to_string(), ": unallocated has ", ordinal,
                            ", which is out of range or there twice"));
    }
    is_free[index(ordinal)] = true;
  }
  for (std::size_t i = 0; i < block.allocations.size(); ++i) {
    const auto& slot = block.allocations[i];
    if (slot && (*slot < 0 || index(*slot) >= block.attributes.size())) {
      return invalid(concat("block ", block.cidr.to_string(), ": slot ", i, " has attribute ", *slot, " of ",
                            block.attributes.size()));
    }
    if (slot.has_value() == is_free[i]) {
      return invalid(concat("block ", block.cidr.to_string(), ": slot ", i, slot ? " is given and free" : " is lost"));
    }
  }
  return ok_status();
}

std::vector<Ordinal> assign_any(IpamBlockSpec& block, std::size_t count, const Holder& holder,
                                const AddressSet& reserved) {
  std::vector<Ordinal> out;
  if (count == 0 || block.unallocated.empty()) return out;
  auto kept = block.unallocated.begin();
  auto next = kept;
  for (; next != block.unallocated.end() && out.size() < count; ++next) {
    if (!reserved.empty() && reserved.contains(address_at(block, *next))) {
      *kept++ = *next;
    } else {
      out.push_back(*next);
    }
  }
  block.unallocated.erase(kept, next);
  if (out.empty()) return out;
  const std::int32_t attribute = attribute_for(block, holder);
  for (const Ordinal ordinal : out) give(block, ordinal, attribute);
  return out;
}

Status assign_one(IpamBlockSpec& block, Ordinal ordinal, const Holder& holder) {
  const auto found = std::find(block.unallocated.begin(), block.unallocated.end(), ordinal);
  if (found == block.unallocated.end()) {
    const AllocationAttribute* attribute = attribute_at(block, ordinal);
    const bool is_cooling = attribute != nullptr && attribute->released_at.has_value();
    return Error{ErrorCode::kAlreadyExists,
                 concat("Address already assigned in block: ", address_at(block, ordinal).to_string(),
                        is_cooling ? " cools down after " : " is held by handle ",
                        quoted(attribute == nullptr ? "" : attribute->handle_id))};
  }
  block.unallocated.erase(found);
  give(block, ordinal, attribute_for(block, holder));
  return ok_status();
}

Result<Released> release(IpamBlockSpec& block, const std::vector<ReleaseWish>& wishes, const ReleaseRules& rules) {
  Released out;
  std::vector<Ordinal> ordinals;
  for (const ReleaseWish& wish : wishes) {
    const auto ordinal = ordinal_of(block, wish.address);
    const bool is_named_twice = ordinal && std::find(ordinals.begin(), ordinals.end(), *ordinal) != ordinals.end();
    if (!ordinal || holder_of(block, *ordinal) == nullptr || is_named_twice) {
      out.not_given.push_back(wish.address);
      continue;
    }
    MARGAY_RETURN_IF_ERROR(check_wish(block, wish, *ordinal));
    ordinals.push_back(*ordinal);
  }
  for (const Ordinal ordinal : ordinals) {
    ++out.by_handle[*holder_of(block, ordinal)];
    give_back(block, ordinal, rules);
  }
  return out;
}

std::int32_t release_handle(IpamBlockSpec& block, std::string_view handle, std::optional<std::int64_t> sequence,
                            const ReleaseRules& rules) {
  std::int32_t count = 0;
  for (Ordinal ordinal = 0; index(ordinal) < block.allocations.size(); ++ordinal) {
    const std::string* holder = holder_of(block, ordinal);
    if (holder == nullptr || *holder != handle) continue;
    if (sequence && *sequence != sequence_at(block, ordinal)) continue;
    give_back(block, ordinal, rules);
    ++count;
  }
  return count;
}

std::int32_t end_cooling(IpamBlockSpec& block, const ReleaseRules& rules) {
  std::int32_t count = 0;
  for (Ordinal ordinal = 0; index(ordinal) < block.allocations.size(); ++ordinal) {
    const AllocationAttribute* attribute = attribute_at(block, ordinal);
    if (attribute == nullptr || !attribute->released_at) continue;
    if (rules.now - *attribute->released_at < rules.cooldown) continue;
    free_slot(block, ordinal);
    ++count;
  }
  return count;
}

bool is_empty(const IpamBlockSpec& block) {
  return std::all_of(block.allocations.begin(), block.allocations.end(), [&block](const auto& slot) {
    return !slot || block.attributes[index(*slot)].handle_id == kWindowsReservedHandle;
  });
}

std::vector<IpAddress> addresses_in_use(const IpamBlockSpec& block) {
  std::vector<IpAddress> out;
  for (Ordinal ordinal = 0; index(ordinal) < block.allocations.size(); ++ordinal) {
    if (holder_of(block, ordinal) != nullptr) out.push_back(address_at(block, ordinal));
  }
  return out;
}

std::vector<IpAddress> addresses_of(const IpamBlockSpec& block, std::string_view handle) {
  std::vector<IpAddress> out;
  for (Ordinal ordinal = 0; index(ordinal) < block.allocations.size(); ++ordinal) {
    const std::string* holder = holder_of(block, ordinal);
    if (holder != nullptr && *holder == handle) out.push_back(address_at(block, ordinal));
  }
  return out;
}

std::size_t count_free(const IpamBlockSpec& block, const AddressSet& reserved) {
  if (reserved.empty()) return block.unallocated.size();
  return static_cast<std::size_t>(
      std::count_if(block.unallocated.begin(), block.unallocated.end(),
                    [&](Ordinal ordinal) { return !reserved.contains(address_at(block, ordinal)); }));
}

}  // namespace margay::ipam
