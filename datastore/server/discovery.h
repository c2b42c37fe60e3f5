// Discovery: the documents by which clients learn what is served. Pure.
//   /api  /apis  /api/v1  /apis/GROUP  /apis/GROUP/VERSION  /version  /openapi/v2  /openapi/v3
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "datastore/schema/registry.h"

namespace margay::server {

// Answers a GET of a discovery path; nullopt for other paths. `accept` matters for /openapi/v2 only.
std::optional<http::Response> discovery_response(const schema::Registry& registry, std::string_view path,
                                                 std::string_view accept, std::string_view host);

}  // namespace margay::server
