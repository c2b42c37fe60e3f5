#include "datastore/server/openapi.h"

#include <set>
#include <utility>

#include "base/core/text.h"
#include "base/json/value.h"
#include "datastore/server/call.h"
#include "datastore/server/openapi_schema.h"

namespace margay::server {
namespace {

constexpr std::string_view kTitle = "margay-apiserver";
constexpr std::string_view kDocumentVersion = "v1";

json::Object info() {
  json::Object out;
  out.append_new("title", kTitle);
  out.append_new("version", kDocumentVersion);
  return out;
}

// Kinds of CustomResourceDefinitions. What we have of Kubernetes' own kinds is only what Margay uses: clients would
// take the rest for mistakes.
json::Object v2_definitions(const schema::Registry& registry) {
  json::Object out;
  for (const schema::ResourceInfo* resource : registry.all()) {
    const bool is_of_kubernetes = resource->group.empty() || resource->group.ends_with(".k8s.io") ||
                                  resource->group.find('.') == std::string::npos;
    if (!is_of_kubernetes) out.append_new(definition_name(*resource), v2_definition(registry, *resource));
  }
  return out;
}

std::string group_path(const schema::ResourceInfo& resource) {
  return resource.group.empty() ? concat("api/", resource.version)
                                : concat("apis/", resource.group, '/', resource.version);
}

http::Response v3_index(const schema::Registry& registry) {
  json::Object paths;
  std::set<std::string> seen;
  for (const schema::ResourceInfo* resource : registry.all()) {
    const std::string path = group_path(*resource);
    if (!seen.insert(path).second) continue;
    json::Object entry;
    entry.append_new("serverRelativeURL", concat("/openapi/v3/", path));
    paths.append_new(path, std::move(entry));
  }
  json::Object out;
  out.append_new("paths", std::move(paths));
  return json_response(200, json::dump(out));
}

json::Value query_parameter(std::string_view name, OpenApiVersion version) {
  json::Object out;
  out.append_new("name", name);
  out.append_new("in", "query");
  if (version == OpenApiVersion::kTwo) {
    out.append_new("type", "string");
  } else {
    out.append_new("schema", json::Object{{"type", "string"}});
  }
  return out;
}

// kubectl looks here whether a kind's PATCH takes fieldValidation; if so, it leaves validation to the server.
// kubectl 1.20 looks for dryRun in version 2, for `diff` and `--dry-run=server`.
json::Value patch_operation(const schema::ResourceInfo& resource, OpenApiVersion version) {
  json::Object type;
  type.append_new("group", resource.group);
  type.append_new("kind", resource.kind);
  type.append_new("version", resource.version);
  json::Object patch;
  json::Array parameters;
  for (const char* name : {"dryRun", "fieldManager", "fieldValidation", "force"})
    parameters.push_back(query_parameter(name, version));
  patch.append_new("parameters", std::move(parameters));
  patch.append_new("responses", json::Object{});
  patch.append_new("x-kubernetes-action", "patch");
  patch.append_new("x-kubernetes-group-version-kind", std::move(type));
  json::Object out;
  out.append_new("patch", std::move(patch));
  return out;
}

std::string object_path(const schema::ResourceInfo& resource) {
  const std::string_view scope = resource.is_namespaced ? "/namespaces/{namespace}/" : "/";
  return concat('/', group_path(resource), scope, resource.plural, "/{name}");
}

http::Response v2_response(const schema::Registry& registry, std::string_view accept) {
  json::Object paths;
  for (const schema::ResourceInfo* resource : registry.all())
    paths.append_new(object_path(*resource), patch_operation(*resource, OpenApiVersion::kTwo));
  json::Object out{{"swagger", "2.0"}};
  out.append_new("info", info());
  out.append_new("paths", std::move(paths));
  out.append_new("definitions", v2_definitions(registry));
  if (accept.find("+protobuf") == std::string_view::npos) return json_response(200, json::dump(out));
  http::Response response{200, {}, v2_protobuf(out)};
  // kubectl 1.20 does not understand the media type that it asks for; kube-apiserver of that age says this, too.
  response.headers.add("Content-Type", "application/octet-stream");
  return response;
}

http::Response v3_group(const schema::Registry& registry, std::string_view group) {
  json::Object paths;
  json::Object schemas;
  for (const schema::ResourceInfo* resource : registry.all()) {
    if (group_path(*resource) != group) continue;
    schemas.append_new(definition_name(*resource), v3_definition(registry, *resource));
    paths.append_new(object_path(*resource), patch_operation(*resource, OpenApiVersion::kThree));
  }
  if (paths.empty()) return failure_response(no_such_path());
  json::Object out{{"openapi", "3.0.0"}};
  out.append_new("info", info());
  out.append_new("paths", std::move(paths));
  json::Object components;
  components.append_new("schemas", std::move(schemas));
  out.append_new("components", std::move(components));
  return json_response(200, json::dump(out));
}

}  // namespace

std::optional<http::Response> openapi_response(const schema::Registry& registry, std::string_view path,
                                               std::string_view accept) {
  constexpr std::string_view kV3 = "/openapi/v3";
  if (path == "/openapi/v2") return v2_response(registry, accept);
  if (path == kV3) return v3_index(registry);
  if (!path.starts_with(kV3) || path[kV3.size()] != '/') return std::nullopt;
  if (accept.find("application/json") == std::string_view::npos && accept.find("protobuf") != std::string_view::npos)
    return failure_response(not_acceptable("application/json"));
  return v3_group(registry, path.substr(kV3.size() + 1));
}

}  // namespace margay::server
