#include "controllers/ipam/pool_plan.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

const model::Condition* allocatable_of(const model::IpPool& pool) {
  const auto& all = pool.status.conditions;
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& each) { return each.type == kAllocatable; });
  return found == all.end() ? nullptr : &*found;
}

// Who is looked at first keeps its place.
int rank_of(const model::IpPool& pool) {
  if (pool.metadata.deletion_timestamp) return 1;
  const model::Condition* condition = allocatable_of(pool);
  if (condition == nullptr || condition->status == model::ConditionStatus::kUnknown) return 3;
  return condition->status == model::ConditionStatus::kTrue ? 0 : 2;
}

bool comes_first(const model::IpPool* a, const model::IpPool* b) {
  const auto key = [](const model::IpPool& pool) {
    return std::tuple(rank_of(pool), pool.metadata.creation_timestamp.value_or(WallTime::max()), pool.metadata.name);
  };
  return key(*a) < key(*b);
}

model::Condition condition(const model::IpPool& pool, std::string_view reason, std::string message) {
  model::Condition out;
  out.type = kAllocatable;
  out.status = reason == kReasonOk ? model::ConditionStatus::kTrue : model::ConditionStatus::kFalse;
  out.observed_generation = pool.metadata.generation;
  out.reason = reason;
  out.message = std::move(message);
  return out;
}

}  // namespace

std::map<std::string, PoolPlan> plan_pools(const PoolsByName& pools) {
  std::vector<const model::IpPool*> order;
  for (const auto& [name, pool] : pools) order.push_back(pool.get());
  std::sort(order.begin(), order.end(), comes_first);
  std::map<std::string, PoolPlan> out;
  std::vector<const model::IpPool*> placed;
  for (const model::IpPool* pool : order) {
    PoolPlan& plan = out[pool->metadata.name];
    if (pool->spec.disabled && !pool->metadata.deletion_timestamp) {
      plan = {condition(*pool, kReasonDisabled, "spec.disabled is true"), false};
      continue;
    }
    if (pool->metadata.deletion_timestamp) {
      plan = {condition(*pool, kReasonTerminating, "is deleted once no block of it is left"), std::nullopt};
      placed.push_back(pool);
      continue;
    }
    const auto other = std::find_if(placed.begin(), placed.end(), [pool](const model::IpPool* each) {
      return each->spec.cidr.overlaps(pool->spec.cidr);
    });
    if (other != placed.end()) {
      plan = {condition(*pool, kReasonOverlap,
                        concat("spec.cidr ", pool->spec.cidr.to_string(), " overlaps ", (*other)->spec.cidr.to_string(),
                               " of IPPool ", (*other)->metadata.name, ", which gives the addresses")),
              false};
      continue;
    }
    plan = {condition(*pool, kReasonOk, "gives addresses"), true};
    placed.push_back(pool);
  }
  return out;
}

bool has_pool_finalizer(const model::IpPool& pool) {
  const auto& all = pool.metadata.finalizers;
  return std::find(all.begin(), all.end(), kPoolFinalizer) != all.end();
}

bool says(const model::IpPool& pool, const model::Condition& condition) {
  const model::Condition* said = allocatable_of(pool);
  return said != nullptr && said->status == condition.status && said->reason == condition.reason &&
         said->message == condition.message && said->observed_generation == condition.observed_generation;
}

}  // namespace margay::controllers
