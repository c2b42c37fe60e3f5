// The OpenAPI documents: what kinds there are and how they look (openapi_schema.h), as far as kubectl needs them for
// `explain` and for its own checks. All else is left to the server, which validates with the same schemas and names
// every error (datastore/schema, datastore/codec).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "datastore/schema/registry.h"

namespace margay::server {

// /openapi/v2 (JSON, or the protobuf form that kubectl asks for), /openapi/v3 and below; nullopt for other paths.
std::optional<http::Response> openapi_response(const schema::Registry& registry, std::string_view path,
                                               std::string_view accept);

}  // namespace margay::server
