#include "datastore/server/collector.h"

#include <memory>
#include <utility>

#include "datastore/server/object.h"

namespace margay::server {
namespace {

constexpr Duration kCollectorPause = std::chrono::seconds(1);
constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";

bool mentions(const store::Bytes& bytes, std::string_view text) {
  return bytes != nullptr && bytes->find(text) != std::string::npos;
}

std::vector<std::string> owner_uids(const json::Value& object) {
  std::vector<std::string> uids;
  const json::Array* owners = meta_array(object, "ownerReferences");
  if (owners == nullptr) return uids;
  for (const json::Value& owner : *owners) uids.emplace_back(owner.string_at({"uid"}));
  return uids;
}

// Deletes what is not being deleted already.
Planner delete_once(const PlanContext& context, const DeleteOptions& options) {
  return [plan = plan_delete(context, options)](const std::optional<Current>& current) -> ApiResult<Plan> {
    if (current && is_being_deleted(current->object)) return Plan{Plan::Kind::kKeep, current->object, {}};
    return plan(current);
  };
}

// Removes the references to these owners.
Planner without_owners(const PlanContext& context, std::set<std::string> uids) {
  return [context, uids = std::move(uids)](const std::optional<Current>& current) -> ApiResult<Plan> {
    if (!current) return not_found(context.subject());
    Plan plan{Plan::Kind::kPut, current->object, {}};
    json::Value* owners = metadata_of(plan.object).find("ownerReferences");
    if (owners == nullptr || owners->as_array() == nullptr) return plan;
    std::erase_if(*owners->as_array(),
                  [&](const json::Value& owner) { return uids.contains(std::string(owner.string_at({"uid"}))); });
    if (owners->as_array()->empty()) metadata_of(plan.object).make_object().erase("ownerReferences");
    return plan;
  };
}

}  // namespace

Collector::Collector(const ControllerContext& context)
    : on_(context),
      queue_(on_.loop, kCollectorPause, [this](const std::string& key, Done done) { look_at(key, std::move(done)); }),
      follower_(on_.loop, on_.store, std::string(kRegistryPrefix),
                {[this] { restart(); },
                 [this](const std::string& key, const store::Bytes& now, const store::Bytes& before) {
                   on_object(key, now, before);
                 },
                 [] {}}) {}

void Collector::restart() {
  dependents_.clear();
  owners_.clear();
  waiting_owners_.clear();
  queue_.clear();
}

void Collector::index(const std::string& key, const store::Bytes& now) {
  if (const auto known = owners_.find(key); known != owners_.end()) {
    for (const std::string& uid : known->second) {
      const auto found = dependents_.find(uid);
      if (found == dependents_.end()) continue;
      found->second.erase(key);
      if (found->second.empty()) dependents_.erase(found);
      if (const auto waiting = waiting_owners_.find(uid); waiting != waiting_owners_.end()) queue_.add(waiting->second);
    }
    owners_.erase(known);
  }
  if (!mentions(now, "\"ownerReferences\"")) return;
  const auto object = decode_stored(*now, 0);
  if (!object) return;
  std::vector<std::string> uids = owner_uids(object.value());
  if (uids.empty()) return;
  for (const std::string& uid : uids) dependents_[uid].insert(key);
  owners_[key] = std::move(uids);
  queue_.add(key);
}

void Collector::on_object(const std::string& key, const store::Bytes& now, const store::Bytes& before) {
  index(key, now);
  if (mentions(now, "\"deletionTimestamp\"") && (mentions(now, kForeground) || mentions(now, kOrphan))) queue_.add(key);
  if (now != nullptr || before == nullptr) return;
  const auto gone = decode_stored(*before, 0);
  if (!gone) return;
  const std::string uid(meta_string(gone.value(), "uid"));
  waiting_owners_.erase(uid);
  if (const auto dependents = dependents_.find(uid); dependents != dependents_.end())
    for (const std::string& dependent : dependents->second) queue_.add(dependent);
}

void Collector::look_at(const std::string& key, Done done) {
  on_.store.get(key, [this, key, done = std::move(done)](const Result<store::GetReply>& reply) {
    if (!reply) return done(WorkQueue::Verdict::kAgain);
    if (!reply->entry) return done(WorkQueue::Verdict::kDone);
    look_at_object(key, *reply->entry, done);
  });
}

void Collector::look_at_object(const std::string& key, const store::Entry& entry, Done done) {
  const auto object = decode_stored(*entry.value, 0);
  if (!object) return done(WorkQueue::Verdict::kDone);
  if (is_being_deleted(object.value())) {
    if (has_finalizer(object.value(), kForeground)) return finish_foreground(key, object.value(), std::move(done));
    if (has_finalizer(object.value(), kOrphan)) return finish_orphaning(key, object.value(), std::move(done));
    return done(WorkQueue::Verdict::kDone);
  }
  check_owners(key, object.value(), done);
}

// Asks for every owner, then judges.
void Collector::check_owners(const std::string& key, const json::Value& object, const Done& done) {
  struct Inquiry {
    std::size_t open = 1;
    bool has_failed = false;
    std::set<std::string> missing;
  };
  const auto place = place_of(on_.catalog, key);
  const json::Array* owners = meta_array(object, "ownerReferences");
  if (!place || owners == nullptr || owners->empty()) return done(WorkQueue::Verdict::kDone);
  auto inquiry = std::make_shared<Inquiry>();
  const auto answered = [this, key, object, inquiry, done] {
    if (--inquiry->open > 0) return;
    if (inquiry->has_failed) return done(WorkQueue::Verdict::kAgain);
    judge(key, object, inquiry->missing, done);
  };
  for (const json::Value& owner : *owners) {
    const ResourcePtr kind = on_.catalog.find_kind(owner.string_at({"apiVersion"}), owner.string_at({"kind"}));
    if (kind == nullptr || (kind->info.is_namespaced && place->name_space.empty())) continue;
    const std::string uid(owner.string_at({"uid"}));
    ++inquiry->open;
    on_.store.get(store_key(kind->info.group, kind->info.plural, kind->info.is_namespaced ? place->name_space : "",
                            owner.string_at({"name"})),
                  [inquiry, uid, answered](const Result<store::GetReply>& reply) {
                    if (!reply) inquiry->has_failed = true;
                    const auto found = reply && reply->entry ? decode_stored(*reply->entry->value, 0)
                                                             : Result<json::Value>(json::Value());
                    if (reply && (!found || meta_string(found.value(), "uid") != uid)) inquiry->missing.insert(uid);
                    answered();
                  });
  }
  answered();
}

void Collector::judge(const std::string& key, const json::Value& object, const std::set<std::string>& missing,
                      Done done) {
  if (missing.empty()) return done(WorkQueue::Verdict::kDone);
  if (missing.size() < meta_array(object, "ownerReferences")->size())
    return change(
        key, [&](const PlanContext& context) { return without_owners(context, missing); }, std::move(done));
  DeleteOptions options;
  options.uid = meta_string(object, "uid");
  options.propagation = Propagation::kBackground;
  change(
      key, [&](const PlanContext& context) { return plan_delete(context, options); }, std::move(done));
}

void Collector::finish_foreground(const std::string& key, const json::Value& object, Done done) {
  const std::string uid(meta_string(object, "uid"));
  waiting_owners_[uid] = key;
  const auto dependents = dependents_.find(uid);
  if (dependents == dependents_.end())
    return change(
        key, [](const PlanContext& context) { return plan_remove_finalizer(context, std::string(kForeground)); },
        std::move(done));
  const std::string dependent = *dependents->second.begin();
  DeleteOptions options;
  options.propagation = Propagation::kForeground;
  // The owner is looked at again when its last dependent goes; until then one after the other.
  change(
      dependent, [&](const PlanContext& context) { return delete_once(context, options); },
      [done = std::move(done)](WorkQueue::Verdict) { done(WorkQueue::Verdict::kAgain); });
}

void Collector::finish_orphaning(const std::string& key, const json::Value& object, Done done) {
  const std::string uid(meta_string(object, "uid"));
  waiting_owners_[uid] = key;
  const auto dependents = dependents_.find(uid);
  if (dependents == dependents_.end())
    return change(
        key, [](const PlanContext& context) { return plan_remove_finalizer(context, std::string(kOrphan)); },
        std::move(done));
  change(
      *dependents->second.begin(), [&](const PlanContext& context) { return without_owners(context, {uid}); },
      [done = std::move(done)](WorkQueue::Verdict) { done(WorkQueue::Verdict::kAgain); });
}

void Collector::change(const std::string& key, const std::function<Planner(const PlanContext&)>& make, Done done) {
  const auto place = place_of(on_.catalog, key);
  if (!place) return done(WorkQueue::Verdict::kDone);
  const PlanContext context = plan_context_of(on_, *place);
  on_.mutator.run({key, context.subject(), make(context), false, true},
                  [done = std::move(done)](const ApiResult<Outcome>& outcome) {
                    const bool is_settled = outcome.ok() || outcome.error().code == 404 || outcome.error().code == 409;
                    done(is_settled ? WorkQueue::Verdict::kDone : WorkQueue::Verdict::kAgain);
                  });
}

}  // namespace margay::server
