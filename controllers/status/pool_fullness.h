// Whether a pool is nearly full, and what its users are told. Pure.
//
// True at kNearlyFullShare of its addresses in use, false again below kRelaxedShare: a pod that comes and goes does not
// make the condition flap. Cooling addresses are in use; reserved ones are no room.
#pragma once

#include <optional>
#include <string>

#include "cni/ipam/utilization.h"
#include "datastore/model/ip_pool.h"

namespace margay::controllers {

inline constexpr std::string_view kNearlyFullCondition = "NearlyFull";
inline constexpr double kNearlyFullShare = 0.9;
inline constexpr double kRelaxedShare = 0.85;

enum class Fullness { kRoom, kNearlyFull, kFull };

// `before`: what the pool's condition says; nullopt: it has none.
Fullness fullness_of(const ipam::Usage& usage, std::optional<bool> was_nearly_full);

// Without a time. The message has no numbers that change all the time.
model::Condition condition_of(Fullness fullness);
std::optional<bool> was_nearly_full(const model::IpPool& pool);

}  // namespace margay::controllers
