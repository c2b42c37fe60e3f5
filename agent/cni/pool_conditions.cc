#include "agent/cni/pool_conditions.h"

#include <algorithm>
#include <utility>

#include "base/core/text.h"
#include "datastore/codec/codec.h"
#include "datastore/watch/resource_of.h"

namespace margay::agent {
namespace {

bool is_said(const model::IpPool& pool) {
  return std::any_of(pool.status.conditions.begin(), pool.status.conditions.end(), [](const auto& condition) {
    return condition.type == kExhausted && condition.status == model::ConditionStatus::kTrue;
  });
}

}  // namespace

PoolConditions::PoolConditions(Parts parts) : parts_(std::move(parts)) {
  timer_ = parts_.loop.make_timer([this] { look(); });
  timer_->arm(kPeriod);
}

void PoolConditions::note_exhausted(const std::vector<ipam::PoolRange>& pools, const std::string& who) {
  for (const model::IpPool* pool : parts_.facts.pools()) {
    const bool is_meant = std::any_of(pools.begin(), pools.end(),
                                      [pool](const auto& range) { return range.name == pool->metadata.name; });
    if (!is_meant || is_said(*pool)) continue;
    write(*pool, true, concat("No free address for ", who, " on node ", parts_.facts.node()));
  }
}

void PoolConditions::look() {
  timer_->arm(kPeriod);
  std::map<std::string, TimePoint> kept;
  for (const model::IpPool* pool : parts_.facts.pools()) {
    if (!is_said(*pool) || !parts_.has_room(ipam::PoolRange::of(*pool))) continue;
    const std::string& name = pool->metadata.name;
    const auto before = free_again_at_.find(name);
    const auto wait = std::chrono::milliseconds(parts_.random.below(kSpread / std::chrono::milliseconds(1)));
    const TimePoint due = before == free_again_at_.end() ? parts_.loop.now() + wait : before->second;
    kept[name] = due;
    if (parts_.loop.now() >= due) write(*pool, false, "There are free addresses");
  }
  free_again_at_ = std::move(kept);
}

void PoolConditions::write(const model::IpPool& pool, bool is_exhausted, const std::string& message) {
  const std::string& name = pool.metadata.name;
  if (writes_.contains(name)) return;
  model::IpPool next = pool;
  auto& conditions = next.status.conditions;
  std::erase_if(conditions, [](const model::Condition& condition) { return condition.type == kExhausted; });
  model::Condition condition;
  condition.type = kExhausted;
  condition.status = is_exhausted ? model::ConditionStatus::kTrue : model::ConditionStatus::kFalse;
  condition.last_transition_time = parts_.loop.wall_now();
  condition.reason = is_exhausted ? "NoFreeAddress" : "FreeAddresses";
  condition.message = message;
  conditions.push_back(std::move(condition));
  json::Value object, patch;
  codec::encode(next, object);
  patch["metadata"]["resourceVersion"] = pool.metadata.resource_version;
  patch["status"] = *object.find("status");
  parts_.log.info("a pool", {{"pool", name}, {"exhausted", is_exhausted}});
  writes_[name] = parts_.client.patch(
      watch::resource_of(model::Kind::kIpPool), {"", name}, "status", kube::PatchType::kMerge, json::dump(patch), {},
      [this, name](const kube::ApiResult<json::Value>& answer) {
        writes_.erase(name);
        if (answer.ok() || answer.error().code == ErrorCode::kConflict) return;
        parts_.log.warn("a pool's condition", {{"pool", name}, {"error", answer.error().to_error()}});
      });
}

}  // namespace margay::agent
