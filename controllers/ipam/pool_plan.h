// What is said of each IPPool, and which of them may not go before its blocks have gone. Pure.
//
// Of pools that overlap one gives addresses: the one that does already, else the oldest. A pool that is being deleted
// keeps its place until it is gone; one that is disabled, or stands behind another, keeps nobody and is kept by
// nothing, as the blocks in its range are the other's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "datastore/model/ip_pool.h"

namespace margay::controllers {

inline constexpr std::string_view kPoolFinalizer = "projectcalico.org/ippool-finalizer";
inline constexpr std::string_view kAllocatable = "Allocatable";
inline constexpr std::string_view kReasonOk = "OK", kReasonOverlap = "CIDROverlap", kReasonTerminating = "Terminating",
                                  kReasonDisabled = "PoolDisabled";

struct PoolPlan {
  model::Condition allocatable;  // without time
  // nullopt: as it is, until the pool's blocks are gone.
  std::optional<bool> has_finalizer;

  friend bool operator==(const PoolPlan&, const PoolPlan&) = default;
};

using PoolsByName = std::map<std::string, std::shared_ptr<const model::IpPool>, std::less<>>;
std::map<std::string, PoolPlan> plan_pools(const PoolsByName& pools);

bool has_pool_finalizer(const model::IpPool& pool);
// Says it already.
bool says(const model::IpPool& pool, const model::Condition& condition);

}  // namespace margay::controllers
