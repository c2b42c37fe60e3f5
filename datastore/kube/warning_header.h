// The warnings that an API server sends with its answers: `Warning: 299 - "unknown field \"spec.x\""`.
//
// Source: RFC 7234 section 5.5; Kubernetes API concepts (code 299, agent "-"). What has another code or agent, or
// cannot be read, is passed over: a proxy may have put it there.
#pragma once

#include <string>
#include <vector>

#include "base/http/message.h"

namespace margay::kube {

// In order. Control characters become blanks, so that the texts may go to a terminal or a log.
std::vector<std::string> server_warnings(const http::Headers& headers);

}  // namespace margay::kube
