// create and replace.
#include "base/core/text.h"
#include "ctl/verbs/pools.h"
#include "ctl/verbs/rules.h"
#include "ctl/verbs/three_way.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using kube::ApiResult;

ApiResult<Done> create_one(Api& api, const render::Item& item, const kube::WriteOptions& options, bool skips_existing) {
  const kube::ObjectName name = name_in(*item.resource, item.object);
  const std::string overlap = overlap_on_server(api, *item.resource, item.object);
  if (!overlap.empty()) return refused(invalid(concat("spec.cidr: ", overlap)));
  auto created = api.create(*item.resource, name.name_space, item.object, options);
  if (created.ok()) return Done{*std::move(created), "created"};
  if (created.error().code != ErrorCode::kAlreadyExists || !skips_existing) return std::move(created).error();
  auto live = api.get(*item.resource, name);
  if (!live.ok()) return std::move(live).error();
  return Done{*std::move(live), kSkipped};
}

ApiResult<Done> replace_attempt(const schema::Registry& registry, Api& api, const render::Item& item,
                                const kube::WriteOptions& options) {
  const kube::ObjectName name = name_in(*item.resource, item.object);
  auto live = api.get(*item.resource, name);
  if (!live.ok()) return std::move(live).error();
  const FieldErrors fixed = check_change(registry, *item.resource, *live, item.object);
  if (!fixed.empty()) return refused(invalid(to_string(fixed)));
  // An object that is applied stays one that is applied: the next apply compares with what stands here now.
  const bool is_applied = last_applied_of(*live).has_value();
  json::Value next = is_applied ? with_last_applied(item.object) : item.object;
  json::Value& version = next["metadata"]["resourceVersion"];
  if (version.is_null()) version = live->string_at({"metadata", "resourceVersion"});
  auto updated = api.update(*item.resource, name, next, options);
  if (!updated.ok()) return std::move(updated).error();
  return Done{*std::move(updated), "replaced"};
}

ApiResult<Done> replace_one(const schema::Registry& registry, Api& api, const render::Item& item,
                            const kube::WriteOptions& options) {
  const bool names_version = !item.object.string_at({"metadata", "resourceVersion"}).empty();
  if (names_version) return replace_attempt(registry, api, item, options);
  return until_no_conflict([&] { return replace_attempt(registry, api, item, options); });
}

}  // namespace

command::ExitCode run_create(Session& session) {
  const kube::WriteOptions options = write_options(session.invocation());
  const bool skips_existing = session.invocation().is_on("skip-exists");
  const LoadOptions load{.unknown_fields = unknown_fields_of(session.invocation()), .allows_generate_name = true};
  return write_files(session, load, "created", [&](Api& api, const render::Item& item) {
    return create_one(api, item, options, skips_existing);
  });
}

command::ExitCode run_replace(Session& session) {
  const kube::WriteOptions options = write_options(session.invocation());
  const LoadOptions load{.unknown_fields = unknown_fields_of(session.invocation())};
  return write_files(session, load, "replaced", [&](Api& api, const render::Item& item) {
    return replace_one(session.registry(), api, item, options);
  });
}

}  // namespace margay::verbs
