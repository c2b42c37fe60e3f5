#include "datastore/server/patching.h"

#include <utility>

namespace margay::server {
namespace {

// RFC 7386.
void merge(json::Value& target, const json::Value& patch) {
  if (patch.as_object() == nullptr) {
    target = patch;
    return;
  }
  if (target.as_object() == nullptr) target = json::Object{};
  for (const json::Member& member : *patch.as_object()) {
    if (member.value.is_null())
      target.make_object().erase(member.name);
    else
      merge(target[member.name], member.value);
  }
}

}  // namespace

ApiResult<Patching> make_patcher(const Call& call, const WriteOptions&) {
  MARGAY_ASSIGN_OR_RETURN(const PatchKind kind, patch_kind(call.request.headers.get("Content-Type"),
                                                           is_builtin_group(call.resource->info.group)));
  if (kind == PatchKind::kJson || kind == PatchKind::kApply)
    return unsupported_media_type("this patch", "application/merge-patch+json");
  auto patch = json::parse(call.request.body);
  if (!patch) return bad_request(patch.error().within("patch").message);
  const auto patcher = [subject = call.subject(), patch = std::move(patch).value()](
                           const std::optional<Current>& current) -> ApiResult<json::Value> {
    if (!current) return not_found(subject);
    json::Value object = current->object;
    merge(object, patch);
    return object;
  };
  return Patching{patcher, false};
}

}  // namespace margay::server
