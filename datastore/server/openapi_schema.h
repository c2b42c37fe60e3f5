// Kinds as OpenAPI describes them, for `kubectl explain` and for what kubectl checks before it asks us. Pure.
//
// Version 3 says all that a schema says. Version 2 cannot say "nullable" or "integer or string": as in kube-apiserver
// the type is left out there, and so are conditions on values, which the server checks better.
//
// Source: Kubernetes documentation, "CustomResourceDefinition: Publish validation schema in OpenAPI"; the published
// OpenAPIv2.proto of gnostic (field numbers).
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::server {

enum class OpenApiVersion { kTwo, kThree };

// "org.projectcalico.v3.IPPool": the group's labels in reverse, version, kind.
std::string definition_name(const schema::ResourceInfo& resource);
// With the kind's name in x-kubernetes-group-version-kind.
json::Value v3_definition(const schema::Registry& registry, const schema::ResourceInfo& resource);
json::Value v2_definition(const schema::Registry& registry, const schema::ResourceInfo& resource);
// An OpenAPI 2 document in protobuf, of one in JSON with info, paths (PATCH and its query parameters) and definitions
// (v2_definition).
std::string v2_protobuf(const json::Value& document);

}  // namespace margay::server
