// Request bodies in Kubernetes' protobuf encoding, for the few kinds that kubectl's own commands send that way:
// `kubectl create namespace|serviceaccount|configmap|secret` and `kubectl auth` of newer releases do, and do not fall
// back to JSON.
//
// Only requests: answers are always JSON, which every client that sends protobuf accepts. Other kinds are refused as an
// unsupported media type.
//
// Source: Kubernetes documentation, "Kubernetes Protobuf encoding" (envelope); the published .proto field numbers of
// k8s.io/api/core/v1 and k8s.io/apimachinery (meta/v1, runtime).
#pragma once

#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::server {

constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";

// kUnsupported: a kind that is not among the few; kInvalid: not what it says it is, with the place.
Result<json::Value> parse_protobuf_body(std::string_view body);

}  // namespace margay::server
