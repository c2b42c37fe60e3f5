// From answers to errors: HTTP statuses and the server's Status objects as ApiError. Pure.
// Source: Kubernetes API conventions, "Response Status Kind" and "HTTP Status codes".
#pragma once

#include <string_view>

#include "base/http/message.h"
#include "base/json/value.h"
#include "datastore/kube/client.h"

namespace margay::kube {

// A transport failure: no answer.
ApiError api_error(Error error);

// An answer with a status that is no success. `body` is a Status object or anything else (a proxy's page), of which the
// message then shows the beginning.
ApiError error_of_response(const http::ResponseHead& head, std::string_view body, WallTime now);

// The Status object of a watch's ERROR event.
ApiError error_of_status(const json::Value& status);

// The `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date, which is taken from `now` and no wait at all
// when it has passed (proxies write dates). At most five minutes: longer is left to the caller's own backoff.
std::optional<Duration> retry_after(const http::Headers& headers, WallTime now);

}  // namespace margay::kube
