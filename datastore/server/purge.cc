#include "datastore/server/purge.h"

#include <deque>
#include <memory>
#include <utility>

#include "base/core/text.h"

namespace margay::server {
namespace {

constexpr std::size_t kPurgePageSize = 200;

struct Run {
  ControllerContext on;
  std::vector<PurgeTarget> targets;  // last first
  std::function<void(bool)> done;
  std::string start_after;
  std::deque<std::string> keys;
  bool has_more = false;
  bool is_empty = true;
};

void remove_next(std::unique_ptr<Run> run);

void next_page(std::unique_ptr<Run> run) {
  if (run->targets.empty()) return run->done(run->is_empty);
  const PurgeTarget& target = run->targets.back();
  const schema::ResourceInfo& info = target.resource->info;
  store::ListQuery query{.prefix = store_prefix(info.group, info.plural, target.name_space),
                         .limit = kPurgePageSize,
                         .start_after = run->start_after,
                         .at_revision = {}};
  store::Store& store = run->on.store;
  store.list(std::move(query), [run = std::move(run)](const Result<store::ListReply>& reply) mutable {
    if (!reply) return run->done(false);
    run->has_more = reply->has_more;
    for (const store::Entry& entry : reply->entries) run->keys.push_back(entry.key);
    remove_next(std::move(run));
  });
}

void remove_next(std::unique_ptr<Run> run) {
  if (run->keys.empty()) {
    if (!run->has_more) {
      run->targets.pop_back();
      run->start_after.clear();
    }
    return next_page(std::move(run));
  }
  const std::string key = run->keys.front();
  run->keys.pop_front();
  run->start_after = key;
  const auto place = place_of(run->on.catalog, key);
  if (!place) return remove_next(std::move(run));
  const PlanContext context = plan_context_of(run->on, *place);
  Mutator& mutator = run->on.mutator;
  mutator.run({key, context.subject(), plan_delete(context, {}), false, true},
              [run = std::move(run)](const ApiResult<Outcome>& outcome) mutable {
                const bool is_gone = outcome.ok() ? outcome->kind == Plan::Kind::kRemove : outcome.error().code == 404;
                if (!is_gone) run->is_empty = false;
                remove_next(std::move(run));
              });
}

}  // namespace

std::optional<ObjectPlace> place_of(Catalog& catalog, std::string_view key) {
  if (!key.starts_with(kRegistryPrefix)) return std::nullopt;
  const auto parts = split(key.substr(kRegistryPrefix.size()), '/');
  if (parts.size() < 3 || parts.size() > 4) return std::nullopt;
  const std::string_view group = parts[0] == "core" ? "" : parts[0];
  for (const ResourcePtr& resource : catalog.storage_kinds()) {
    if (resource->info.group != group || resource->info.plural != parts[1]) continue;
    if (resource->info.is_namespaced != (parts.size() == 4)) return std::nullopt;
    return ObjectPlace{resource, std::string(parts.size() == 4 ? parts[2] : ""), std::string(parts.back())};
  }
  return std::nullopt;
}

PlanContext plan_context_of(const ControllerContext& on, const ObjectPlace& place) {
  PlanContext context;
  context.resource = place.resource;
  context.name_space = place.name_space;
  context.name = place.name;
  context.now = on.loop.wall_now();
  context.random = &on.random;
  return context;
}

void purge(const ControllerContext& on, std::vector<PurgeTarget> targets, std::function<void(bool is_empty)> done) {
  next_page(std::make_unique<Run>(Run{on, std::move(targets), std::move(done), "", {}, false, true}));
}

}  // namespace margay::server
