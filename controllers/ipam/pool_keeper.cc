#include "controllers/ipam/pool_keeper.h"

#include <algorithm>
#include <utility>

#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/ipam.h"
#include "datastore/watch/resource_of.h"

namespace margay::controllers {
namespace {

const kube::ResourceType& pool_type() {
  static const kube::ResourceType type = watch::resource_of(model::Kind::kIpPool);
  return type;
}

json::Value versioned(const model::IpPool& pool) {
  json::Value body;
  body["metadata"]["resourceVersion"] = pool.metadata.resource_version;
  return body;
}

}  // namespace

PoolKeeper::PoolKeeper(const WriterParts& parts, EventGate& events)
    : parts_(parts),
      events_(events),
      queue_(parts.loop, parts.random, {.in_work_max = 4},
             [this](const std::string& name, const Done& done) { work(name, done); }) {
  queue_.hold();
}

void PoolKeeper::note(const std::string& name, const std::shared_ptr<const model::IpPool>& pool) {
  if (pool == nullptr) {
    pools_.erase(name);
    events_.forget({model::Kind::kIpPool, "", name});
  } else {
    pools_[name] = pool;
  }
  is_changed_ = true;
}

void PoolKeeper::note_block_gone() {
  for (const auto& [name, pool] : pools_) {
    if (pool->metadata.deletion_timestamp) queue_.add(name);
  }
}

void PoolKeeper::on_turn(bool is_in_sync) {
  if (!is_in_sync || !std::exchange(is_changed_, false)) return;
  plans_ = plan_pools(pools_);
  for (const auto& [name, plan] : plans_) {
    const model::IpPool& pool = *pools_.at(name);
    const bool is_waiting = !plan.has_finalizer && has_pool_finalizer(pool);
    const bool is_right =
        says(pool, plan.allocatable) && (!plan.has_finalizer || *plan.has_finalizer == has_pool_finalizer(pool));
    if (!is_right || is_waiting) queue_.add(name);
    const model::ObjectKey key{model::Kind::kIpPool, "", name};
    if (plan.allocatable.reason == kReasonOverlap) {
      events_.warn(key, pool.metadata, kReasonOverlap, plan.allocatable.message);
    } else {
      events_.forget(key, kReasonOverlap);
    }
  }
}

void PoolKeeper::lead(bool is_leading) { is_leading ? queue_.release_all() : queue_.hold(); }

void PoolKeeper::work(const std::string& name, const Done& done) {
  const auto found = pools_.find(name);
  const auto planned = plans_.find(name);
  if (found == pools_.end() || planned == plans_.end()) return done(Verdict::kDone);
  const model::IpPool& pool = *found->second;
  const PoolPlan& plan = planned->second;
  if (!says(pool, plan.allocatable)) return set_condition(pool, plan.allocatable, done);
  if (!plan.has_finalizer) {
    return has_pool_finalizer(pool) ? look_for_blocks(pool, done) : done(Verdict::kDone);
  }
  if (*plan.has_finalizer != has_pool_finalizer(pool)) return set_finalizer(pool, *plan.has_finalizer, done);
  done(Verdict::kDone);
}

void PoolKeeper::set_finalizer(const model::IpPool& pool, bool is_wanted, const Done& done) {
  json::Value body = versioned(pool);
  json::Array finalizers;
  for (const std::string& each : pool.metadata.finalizers) {
    if (each != kPoolFinalizer) finalizers.emplace_back(each);
  }
  if (is_wanted) finalizers.emplace_back(std::string(kPoolFinalizer));
  body["metadata"]["finalizers"] = std::move(finalizers);
  patch(pool, "", body, done);
}

void PoolKeeper::set_condition(const model::IpPool& pool, model::Condition condition, const Done& done) {
  model::IpPool next = pool;
  auto& all = next.status.conditions;
  const auto same = std::find_if(all.begin(), all.end(), [](const auto& each) { return each.type == kAllocatable; });
  const bool has_turned = same == all.end() || same->status != condition.status;
  condition.last_transition_time = has_turned ? std::optional(parts_.loop.wall_now()) : same->last_transition_time;
  if (same == all.end()) {
    all.push_back(std::move(condition));
  } else {
    *same = std::move(condition);
  }
  json::Value whole;
  codec::encode(next, whole);
  json::Value body = versioned(pool);
  body["status"]["conditions"] = *whole.find("status")->find("conditions");
  patch(pool, "status", body, done);
}

void PoolKeeper::look_for_blocks(const model::IpPool& pool, const Done& done) {
  const auto has_blocks = std::make_shared<bool>(false);
  const std::string name = pool.metadata.name;
  operations_[name] = parts_.client.list(
      watch::resource_of(model::Kind::kIpamBlock), "", {},
      {.on_item =
           [has_blocks, cidr = pool.spec.cidr](std::string_view item) {
             const auto block = codec::decoded<model::IpamBlock>(item);
             *has_blocks = *has_blocks || !block.ok() || (cidr.contains(block->spec.cidr) && !block->spec.deleted);
           },
       .on_done =
           [this, has_blocks, name, done](const kube::ApiResult<kube::ListMeta>& outcome) {
             const auto operation = operations_.extract(name);
             if (!outcome.ok()) return done(Verdict::kRetry);
             const auto found = pools_.find(name);
             // A block that goes is told of, and then it is looked again.
             if (*has_blocks || found == pools_.end()) return done(Verdict::kDone);
             set_finalizer(*found->second, false, done);
           }});
}

void PoolKeeper::patch(const model::IpPool& pool, std::string_view subresource, const json::Value& body,
                       const Done& done) {
  const std::string name = pool.metadata.name;
  operations_[name] = parts_.client.patch(
      pool_type(), {"", name}, subresource, kube::PatchType::kMerge, json::dump(body), {},
      [this, name, done](const kube::ApiResult<json::Value>& answer) {
        const auto operation = operations_.extract(name);
        if (answer.ok()) return done(Verdict::kDone);
        const bool is_race = answer.error().code == ErrorCode::kConflict || answer.error().code == ErrorCode::kNotFound;
        if (!is_race) parts_.log.warn("a pool cannot be written", {{"pool", name}, {"error", answer.error().message}});
        // The watch will show what is there now; looking again does no harm.
        done(Verdict::kRetry);
      });
}

}  // namespace margay::controllers
