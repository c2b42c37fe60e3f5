#include "datastore/server/crd_controller.h"

#include <utility>

#include "datastore/server/kind_rules.h"
#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr Duration kCrdPause = std::chrono::milliseconds(500);

}  // namespace

CrdController::CrdController(const ControllerContext& context, telemetry::Logger log)
    : on_(context),
      log_(std::move(log)),
      queue_(on_.loop, kCrdPause, [this](const std::string& key, auto done) { clean_up(key, std::move(done)); }),
      follower_(on_.loop, on_.store, store_prefix(kCrdGroup, kCrdPlural, ""),
                {[this] {
                   for (auto& [key, served] : served_) served.is_seen = false;
                 },
                 [this](const std::string& key, const store::Bytes& now, const store::Bytes&) { on_object(key, now); },
                 [this] { forget_unseen(); }}) {}

void CrdController::on_object(const std::string& key, const store::Bytes& now) {
  if (now == nullptr) {
    const auto found = served_.find(key);
    if (found == served_.end()) return;
    on_.catalog.remove_crd(found->second.group, found->second.plural);
    served_.erase(found);
    return;
  }
  const auto crd = decode_stored(*now, 0);
  const Status added = crd ? on_.catalog.add_crd(crd.value()) : Status(crd.error());
  if (!added.ok()) return log_.error("a stored kind is not served", {{"key", key}, {"error", added.error()}});
  served_[key] = {std::string(crd->string_at({"spec", "group"})),
                  std::string(crd->string_at({"spec", "names", "plural"})), true};
  if (is_being_deleted(crd.value())) queue_.add(key);
}

void CrdController::forget_unseen() {
  std::vector<std::string> gone;
  for (const auto& [key, served] : served_)
    if (!served.is_seen) gone.push_back(key);
  for (const std::string& key : gone) on_object(key, nullptr);
}

void CrdController::clean_up(const std::string& key, std::function<void(WorkQueue::Verdict)> done) {
  const auto served = served_.find(key);
  if (served == served_.end()) return done(WorkQueue::Verdict::kDone);
  std::vector<PurgeTarget> targets;
  for (const ResourcePtr& resource : on_.catalog.storage_kinds())
    if (resource->info.group == served->second.group && resource->info.plural == served->second.plural)
      targets.push_back({resource, ""});
  purge(on_, std::move(targets), [this, key, done = std::move(done)](bool is_empty) {
    const auto place = place_of(on_.catalog, key);
    if (!is_empty || !place) return done(place ? WorkQueue::Verdict::kAgain : WorkQueue::Verdict::kDone);
    const PlanContext context = plan_context_of(on_, *place);
    on_.mutator.run({key, context.subject(), plan_remove_finalizer(context, std::string(kCrdFinalizer)), false, true},
                    [done](const ApiResult<Outcome>& outcome) {
                      const bool is_settled = outcome.ok() || outcome.error().code == 404;
                      done(is_settled ? WorkQueue::Verdict::kDone : WorkQueue::Verdict::kAgain);
                    });
  });
}

}  // namespace margay::server
