#include "datastore/server/startup.h"

#include <algorithm>
#include <utility>

#include "datastore/server/kind_rules.h"
#include "datastore/server/object.h"
#include "datastore/server/planner.h"
#include "datastore/server/request_path.h"
#include "datastore/server/seeds.h"

namespace margay::server {
namespace {

constexpr Duration kRetryDelay = std::chrono::seconds(1);

}  // namespace

Startup::Startup(Dependencies dependencies)
    : on_(std::move(dependencies)),
      retry_timer_(on_.loop.make_timer([this] {
        if (has_crds_)
          make_next_seed();
        else
          load_crds();
      })),
      seeds_(seed_objects()) {
  std::reverse(seeds_.begin(), seeds_.end());
}

void Startup::run(Task ready) {
  ready_ = std::move(ready);
  load_crds();
}

void Startup::retry(const Error& error) {
  on_.log.warn("the store cannot be used yet", {{"error", error}});
  retry_timer_->arm(kRetryDelay);
}

void Startup::load_crds() {
  on_.store.list({.prefix = store_prefix(kCrdGroup, kCrdPlural, ""), .limit = 0, .start_after = "", .at_revision = {}},
                 [this](const Result<store::ListReply>& reply) {
                   if (!reply) return retry(reply.error());
                   for (const store::Entry& entry : reply->entries) {
                     const auto crd = decode_stored(*entry.value, 0);
                     const Status added = crd ? on_.catalog.add_crd(crd.value()) : Status(crd.error());
                     if (!added.ok())
                       on_.log.error("a stored kind is not served", {{"key", entry.key}, {"error", added.error()}});
                   }
                   has_crds_ = true;
                   make_next_seed();
                 });
}

void Startup::make_next_seed() {
  if (seeds_.empty()) {
    is_done_ = true;
    if (ready_) std::exchange(ready_, {})();
    return;
  }
  const json::Value& seed = seeds_.back();
  PlanContext context;
  context.resource = on_.catalog.find_kind(seed.string_at({"apiVersion"}), seed.string_at({"kind"}));
  if (context.resource == nullptr) {
    seeds_.pop_back();
    return make_next_seed();
  }
  context.name = meta_string(seed, "name");
  context.now = on_.loop.wall_now();
  context.random = &on_.random;
  const schema::ResourceInfo& info = context.resource->info;
  on_.mutator.run({store_key(info.group, info.plural, "", context.name), context.subject(), plan_create(context, seed),
                   false, true},
                  [this](const ApiResult<Outcome>& outcome) {
                    const bool is_there = outcome.ok() || outcome.error().code == 409;
                    if (!is_there && outcome.error().code >= 500)
                      return retry(Error{ErrorCode::kUnavailable, outcome.error().message});
                    if (!is_there)
                      on_.log.error("an initial object cannot be made", {{"error", outcome.error().message}});
                    seeds_.pop_back();
                    make_next_seed();
                  });
}

}  // namespace margay::server
