#include "datastore/server/patching.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/patch/apply.h"
#include "datastore/patch/json_patch.h"
#include "datastore/patch/merge_patch.h"
#include "datastore/patch/strategic_patch.h"
#include "datastore/server/schema_lists.h"

namespace margay::server {
namespace {

ApiResult<json::Value> parse_patch(const Call& call) {
  auto patch = json::parse(call.request.body);
  if (!patch) return bad_request(patch.error().within("the patch").message);
  return std::move(patch).value();
}

Failure json_patch_failure(const patch::JsonPatchError& error) {
  if (error.kind == patch::JsonPatchError::Kind::kMalformed) return bad_request(error.message);
  Failure failure = bad_request(error.message);
  failure.code = 422;
  failure.reason = "Invalid";
  return failure;
}

ApiResult<Patching> merge_patching(const Call& call) {
  MARGAY_ASSIGN_OR_RETURN(json::Value patch, parse_patch(call));
  if (patch.as_object() == nullptr) return bad_request("a merge patch is an object");
  return Patching{[subject = call.subject(),
                   patch = std::move(patch)](const std::optional<Current>& current) -> ApiResult<json::Value> {
                    if (!current) return not_found(subject);
                    return patch::merge_patch(current->object, patch);
                  },
                  false};
}

ApiResult<Patching> json_patching(const Call& call) {
  MARGAY_ASSIGN_OR_RETURN(json::Value patch, parse_patch(call));
  return Patching{[subject = call.subject(),
                   patch = std::move(patch)](const std::optional<Current>& current) -> ApiResult<json::Value> {
                    if (!current) return not_found(subject);
                    auto patched = patch::apply_json_patch(current->object, patch);
                    if (!patched) return json_patch_failure(patched.error());
                    return std::move(patched).value();
                  },
                  false};
}

ApiResult<Patching> strategic_patching(const Call& call) {
  MARGAY_ASSIGN_OR_RETURN(json::Value patch, parse_patch(call));
  return Patching{[subject = call.subject(),
                   patch = std::move(patch)](const std::optional<Current>& current) -> ApiResult<json::Value> {
                    if (!current) return not_found(subject);
                    auto patched = patch::strategic_merge_patch(current->object, patch);
                    if (!patched) return bad_request(patched.error().message);
                    return std::move(patched).value();
                  },
                  false};
}

Failure apply_failure(const patch::ApplyFailure& failure) {
  if (failure.conflicts.empty()) return bad_request(failure.message);
  Failure out = bad_request(failure.message);
  out.code = 409;
  out.reason = "Conflict";
  for (const patch::ApplyConflict& conflict : failure.conflicts)
    out.causes.push_back({"FieldManagerConflict", conflict.message, conflict.field});
  return out;
}

Failure manager_required() {
  return invalid_object({"meta.k8s.io", "", "PatchOptions", ""},
                        {{FieldError::Kind::kRequired, "fieldManager", "Required value: is required for apply patch"}});
}

// What is not this endpoint's is not applied: the status beside the status subresource, all else on it.
void keep_applicable(const Call& call, json::Value& config) {
  json::Object& members = config.make_object();
  if (!call.is_status()) {
    if (call.resource->info.has_status) members.erase("status");
    return;
  }
  for (const char* name : {"spec", "data", "stringData"}) members.erase(name);
}

ApiResult<Patching> apply_patching(const Call& call, const WriteOptions& options) {
  if (options.field_manager.empty()) return manager_required();
  MARGAY_ASSIGN_OR_RETURN(json::Value config,
                          parse_body("application/yaml", call.request.body, call.resource->info.kind));
  PlanContext identity;
  identity.resource = call.resource;
  identity.name_space = call.path.name_space;
  identity.name = call.path.name;
  MARGAY_RETURN_IF_ERROR(settle_identity(identity, config));
  keep_applicable(call, config);
  patch::ApplyOptions apply{options.field_manager, options.force ? patch::OnConflict::kForce : patch::OnConflict::kFail,
                            call.now, call.path.subresource};
  const bool may_create = !call.is_status();
  return Patching{
      [resource = call.resource, subject = call.subject(), config = std::move(config), apply = std::move(apply),
       may_create](const std::optional<Current>& current) -> ApiResult<json::Value> {
        if (!current && !may_create) return not_found(subject);
        auto applied = patch::apply_configuration(current ? current->object : json::Value(), config, apply,
                                                  *list_types_of(*resource));
        if (!applied) return apply_failure(applied.error());
        return std::move(applied).value();
      },
      true};
}

}  // namespace

ApiResult<Patching> make_patcher(const Call& call, const WriteOptions& options) {
  MARGAY_ASSIGN_OR_RETURN(const PatchKind kind, patch_kind(call.request.headers.get("Content-Type"),
                                                           is_builtin_group(call.resource->info.group)));
  switch (kind) {
    case PatchKind::kMerge: return merge_patching(call);
    case PatchKind::kStrategic: return strategic_patching(call);
    case PatchKind::kJson: return json_patching(call);
    case PatchKind::kApply: return apply_patching(call, options);
  }
  return method_not_allowed();
}

}  // namespace margay::server
