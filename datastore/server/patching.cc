#include "datastore/server/patching.h"

#include <utility>

#include "base/core/text.h"
#include "datastore/patch/json_patch.h"
#include "datastore/patch/merge_patch.h"
#include "datastore/patch/strategic_patch.h"

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

}  // namespace

ApiResult<Patching> make_patcher(const Call& call, const WriteOptions&) {
  MARGAY_ASSIGN_OR_RETURN(const PatchKind kind, patch_kind(call.request.headers.get("Content-Type"),
                                                           is_builtin_group(call.resource->info.group)));
  switch (kind) {
    case PatchKind::kMerge: return merge_patching(call);
    case PatchKind::kStrategic: return strategic_patching(call);
    case PatchKind::kJson: return json_patching(call);
    case PatchKind::kApply:
      return unsupported_media_type("application/apply-patch+yaml", "application/merge-patch+json");
  }
  return method_not_allowed();
}

}  // namespace margay::server
