#include "base/core/text.h"
#include "ctl/verbs/pools.h"
#include "ctl/verbs/rules.h"
#include "ctl/verbs/three_way.h"
#include "ctl/verbs/verbs.h"
#include "ctl/verbs/write.h"

namespace margay::verbs {
namespace {

using kube::ApiError;
using kube::ApiResult;

// What only the server says, and a file holds when it was made by `get -o yaml`. resourceVersion and uid stay: they say
// which state of which object is meant.
json::Value without_server_fields(const render::Item& item) {
  json::Value object = item.object;
  if (item.resource->has_status) object.as_object()->erase("status");
  json::Object& metadata = *object["metadata"].as_object();
  for (const char* name : {"managedFields", "creationTimestamp", "generation", "selfLink"}) metadata.erase(name);
  return object;
}

class Applier {
 public:
  Applier(const schema::Registry& registry, Api& api, const render::Item& item, const kube::WriteOptions& options)
      : registry_(registry),
        api_(api),
        resource_(*item.resource),
        wanted_(without_server_fields(item)),
        options_(options) {}

  ApiResult<Done> run() {
    const bool names_version = !wanted_.string_at({"metadata", "resourceVersion"}).empty();
    if (!names_version) return explained(until_no_conflict([this] { return attempt(); }), "");
    return explained(attempt(),
                     "; the file names a metadata.resourceVersion: without it, apply takes the object as it is now");
  }

 private:
  ApiResult<Done> attempt() {
    const kube::ObjectName name = name_in(resource_, wanted_);
    auto live = api_.get(resource_, name);
    if (!live.ok() && live.error().code == ErrorCode::kNotFound) return create(name);
    if (!live.ok()) return std::move(live).error();
    const json::Value next = applied_to(*live, wanted_);
    if (next == *live) return Done{*std::move(live), "unchanged"};
    const FieldErrors fixed = check_change(registry_, resource_, *live, next);
    if (!fixed.empty()) return refused(invalid(to_string(fixed)));
    auto updated = api_.update(resource_, name, next, options_);
    if (!updated.ok()) return std::move(updated).error();
    return Done{*std::move(updated), "configured"};
  }

  ApiResult<Done> create(const kube::ObjectName& name) {
    json::Value object = with_last_applied(wanted_);
    object["metadata"].as_object()->erase("resourceVersion");
    object["metadata"].as_object()->erase("uid");
    const std::string overlap = overlap_on_server(api_, resource_, object);
    if (!overlap.empty()) return refused(invalid(concat("spec.cidr: ", overlap)));
    auto created = api_.create(resource_, name.name_space, object, options_);
    if (created.ok()) return Done{*std::move(created), "created"};
    ApiError error = std::move(created).error();
    // Somebody else was quicker: look again.
    if (error.code == ErrorCode::kAlreadyExists) error.code = ErrorCode::kConflict;
    return error;
  }

  static ApiResult<Done> explained(ApiResult<Done> result, std::string_view on_conflict) {
    if (result.ok()) return result;
    ApiError error = std::move(result).error();
    if (error.code == ErrorCode::kConflict) error.message.append(on_conflict);
    const bool is_too_long = describe(error).find("metadata.annotations: Too long") != std::string::npos;
    if (is_too_long) {
      error.message.append("; apply keeps a copy of the file there, which has no room: use create or replace");
    }
    return error;
  }

  const schema::Registry& registry_;
  Api& api_;
  const schema::ResourceInfo& resource_;
  json::Value wanted_;
  const kube::WriteOptions& options_;
};

}  // namespace

command::ExitCode run_apply(Session& session) {
  const kube::WriteOptions options = write_options(session.invocation());
  const LoadOptions load{.unknown_fields = unknown_fields_of(session.invocation())};
  return write_files(session, load, "applied", [&](Api& api, const render::Item& item) {
    return Applier(session.registry(), api, item, options).run();
  });
}

}  // namespace margay::verbs
