#include "datastore/server/discovery.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "datastore/server/call.h"
#include "datastore/server/failure.h"
#include "datastore/server/openapi.h"

namespace margay::server {
namespace {

// What the protocol served here corresponds to; clients adapt to it.
constexpr std::string_view kMajor = "1";
constexpr std::string_view kMinor = "32";
constexpr std::string_view kVersion = "v1.32.0-margay";

json::Array strings(const std::vector<std::string>& texts) {
  json::Array out;
  for (const std::string& text : texts) out.push_back(text);
  return out;
}

json::Value core_versions(std::string_view host) {
  json::Object address{{"clientCIDR", "0.0.0.0/0"}};
  address.append_new("serverAddress", host);
  json::Object out{{"kind", "APIVersions"}};
  out.append_new("versions", json::Array{"v1"});
  out.append_new("serverAddressByClientCIDRs", json::Array{address});
  return out;
}

json::Value group_version(const std::string& group, const std::string& version) {
  json::Object out;
  out.append_new("groupVersion", concat(group, '/', version));
  out.append_new("version", version);
  return out;
}

using Groups = std::map<std::string, std::vector<std::string>>;

// Versions of each group, in the order the registry gives them.
Groups groups_of(const schema::Registry& registry) {
  Groups groups;
  for (const schema::ResourceInfo* info : registry.all()) {
    if (info->group.empty()) continue;
    std::vector<std::string>& versions = groups[info->group];
    if (std::find(versions.begin(), versions.end(), info->version) == versions.end()) versions.push_back(info->version);
  }
  return groups;
}

json::Object group_object(const std::string& group, const std::vector<std::string>& versions) {
  json::Object out;
  out.append_new("name", group);
  json::Array list;
  for (const std::string& version : versions) list.push_back(group_version(group, version));
  out.append_new("versions", std::move(list));
  out.append_new("preferredVersion", group_version(group, versions.front()));
  return out;
}

json::Value group_list(const schema::Registry& registry) {
  json::Array groups;
  for (const auto& [group, versions] : groups_of(registry)) groups.push_back(group_object(group, versions));
  json::Object out{{"kind", "APIGroupList"}, {"apiVersion", "v1"}};
  out.append_new("groups", std::move(groups));
  return out;
}

json::Value resource_entry(const schema::ResourceInfo& info) {
  json::Object out;
  out.append_new("name", info.plural);
  out.append_new("singularName", info.singular);
  out.append_new("namespaced", info.is_namespaced);
  out.append_new("kind", info.kind);
  out.append_new("verbs",
                 json::Array{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"});
  if (!info.short_names.empty()) out.append_new("shortNames", strings(info.short_names));
  if (!info.categories.empty()) out.append_new("categories", strings(info.categories));
  return out;
}

json::Value status_entry(const schema::ResourceInfo& info) {
  json::Object out;
  out.append_new("name", info.plural + "/status");
  out.append_new("singularName", "");
  out.append_new("namespaced", info.is_namespaced);
  out.append_new("kind", info.kind);
  out.append_new("verbs", json::Array{"get", "patch", "update"});
  return out;
}

std::optional<json::Value> resource_list(const schema::Registry& registry, std::string_view group,
                                         std::string_view version) {
  json::Array resources;
  for (const schema::ResourceInfo* info : registry.all()) {
    if (info->group != group || info->version != version) continue;
    resources.push_back(resource_entry(*info));
    if (info->has_status) resources.push_back(status_entry(*info));
  }
  if (resources.empty()) return std::nullopt;
  json::Object out{{"kind", "APIResourceList"}, {"apiVersion", "v1"}};
  out.append_new("groupVersion", group.empty() ? std::string(version) : concat(group, '/', version));
  out.append_new("resources", std::move(resources));
  return out;
}

json::Value version_document() {
  json::Object out;
  out.append_new("major", kMajor);
  out.append_new("minor", kMinor);
  out.append_new("gitVersion", kVersion);
  out.append_new("gitCommit", "");
  out.append_new("gitTreeState", "");
  out.append_new("buildDate", "");
  out.append_new("goVersion", "");
  out.append_new("compiler", "gcc");
  out.append_new("platform", "linux/amd64");
  return out;
}

http::Response document(const json::Value& value) { return json_response(200, json::dump(value)); }

std::optional<http::Response> group_response(const schema::Registry& registry, std::string_view rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view group = rest.substr(0, slash);
  if (slash == std::string_view::npos) {
    const Groups groups = groups_of(registry);
    const auto found = groups.find(std::string(group));
    if (found == groups.end()) return failure_response(no_such_path());
    json::Object out{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
    for (json::Member& member : group_object(found->first, found->second))
      out.append_new(std::move(member.name), std::move(member.value));
    return document(out);
  }
  const std::string_view version = rest.substr(slash + 1);
  if (version.find('/') != std::string_view::npos) return std::nullopt;
  if (const auto list = resource_list(registry, group, version)) return document(*list);
  return failure_response(no_such_path());
}

}  // namespace

std::optional<http::Response> discovery_response(const schema::Registry& registry, std::string_view path,
                                                 std::string_view accept, std::string_view host) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/version") return document(version_document());
  if (path == "/api") return document(core_versions(host));
  if (path == "/apis") return document(group_list(registry));
  if (path == "/api/v1") return document(resource_list(registry, "", "v1").value_or(json::Value()));
  if (path.starts_with("/apis/")) return group_response(registry, path.substr(6));
  return openapi_response(registry, path, accept);
}

}  // namespace margay::server
