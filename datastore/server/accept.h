// In which form a client wants its answer (Accept) and sends its objects (Content-Type).
// Source: Kubernetes API concepts, "Resource representations", "Receiving resources as Tables".
#pragma once

#include <string_view>

#include "datastore/server/failure.h"

namespace margay::server {

enum class Form { kObject, kTable, kPartialMetadata };

// The first clause that can be served, in JSON in any case. Nothing asked means the object itself.
ApiResult<Form> negotiate(std::string_view accept);

enum class PatchKind { kMerge, kJson, kStrategic, kApply };
// Custom resources know no strategic merge.
ApiResult<PatchKind> patch_kind(std::string_view content_type, bool is_builtin);

// An object in JSON, or YAML when the content type says so.
ApiResult<json::Value> parse_body(std::string_view content_type, std::string_view body, std::string_view kind);

}  // namespace margay::server
