// Reviews: questions of clients about themselves, answered at once and never stored.
//
//   POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews   kubectl auth can-i VERB KIND
//   POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews    kubectl auth can-i --list
//   POST /apis/authentication.k8s.io/v1/selfsubjectreviews        kubectl auth whoami
//
// Anybody who is known may ask. Pure. Source: Kubernetes documentation, "Authorization: Checking API access".
#pragma once

#include <optional>
#include <string_view>

#include "base/http/message.h"
#include "datastore/server/access.h"

namespace margay::server {

// nullopt: the path is none of these.
std::optional<http::Response> review_response(const Access& access, const User& user, const http::Request& request,
                                              std::string_view path);

}  // namespace margay::server
