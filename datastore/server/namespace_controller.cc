#include "datastore/server/namespace_controller.h"

#include <utility>

#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr Duration kNamespacePause = std::chrono::milliseconds(500);

// Nothing in it holds the namespace any more.
Planner let_go(PlanContext context) {
  return [context = std::move(context)](const std::optional<Current>& current) -> ApiResult<Plan> {
    if (!current) return not_found(context.subject());
    Plan plan{Plan::Kind::kPut, current->object, {}};
    if (!is_being_deleted(plan.object)) return Plan{Plan::Kind::kKeep, current->object, {}};
    plan.object["spec"]["finalizers"] = json::Array{};
    if (!has_finalizers(plan.object)) plan.kind = Plan::Kind::kRemove;
    return plan;
  };
}

}  // namespace

NamespaceController::NamespaceController(const ControllerContext& context)
    : on_(context),
      queue_(on_.loop, kNamespacePause, [this](const std::string& key, auto done) { empty(key, std::move(done)); }),
      follower_(on_.loop, on_.store, store_prefix("", "namespaces", ""),
                {[this] { queue_.clear(); },
                 [this](const std::string& key, const store::Bytes& now, const store::Bytes&) { on_object(key, now); },
                 [] {}}) {}

void NamespaceController::on_object(const std::string& key, const store::Bytes& now) {
  if (now != nullptr && now->find("\"deletionTimestamp\"") != std::string::npos) queue_.add(key);
}

void NamespaceController::empty(const std::string& key, std::function<void(WorkQueue::Verdict)> done) {
  const auto place = place_of(on_.catalog, key);
  if (!place) return done(WorkQueue::Verdict::kDone);
  on_.store.get(key, [this, key, place = *place, done = std::move(done)](const Result<store::GetReply>& reply) {
    if (!reply) return done(WorkQueue::Verdict::kAgain);
    const auto object = reply->entry ? decode_stored(*reply->entry->value, 0) : Result<json::Value>(json::Value());
    if (!object || !is_being_deleted(object.value())) return done(WorkQueue::Verdict::kDone);
    std::vector<PurgeTarget> targets;
    for (const ResourcePtr& resource : on_.catalog.storage_kinds())
      if (resource->info.is_namespaced) targets.push_back({resource, place.name});
    purge(on_, std::move(targets), [this, key, place, done](bool is_empty) {
      if (!is_empty) return done(WorkQueue::Verdict::kAgain);
      const PlanContext context = plan_context_of(on_, place);
      on_.mutator.run({key, context.subject(), let_go(context), false, true},
                      [done](const ApiResult<Outcome>& outcome) {
                        const bool is_settled = outcome.ok() || outcome.error().code == 404;
                        done(is_settled ? WorkQueue::Verdict::kDone : WorkQueue::Verdict::kAgain);
                      });
    });
  });
}

}  // namespace margay::server
