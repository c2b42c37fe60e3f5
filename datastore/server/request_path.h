// The paths of the API: which resource, object and subresource a URL names.
//
//   /api/v1/namespaces/NS/pods/NAME/status   /apis/GROUP/VERSION/namespaces/NS/PLURAL   /apis/GROUP/VERSION/PLURAL/NAME
//
// Source: Kubernetes API concepts, "Resource URIs".
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace margay::server {

struct ResourcePath {
  std::string group;  // "" for the core group
  std::string version;
  std::string name_space;  // "": all namespaces, or a cluster-scoped resource
  std::string plural;
  std::string name;  // "": the collection
  std::string subresource;

  friend bool operator==(const ResourcePath&, const ResourcePath&) = default;
};

// nullopt when the path names no resource (discovery, health, nonsense). `path` is decoded.
std::optional<ResourcePath> parse_resource_path(std::string_view path);

// Where an object is kept in the store.
//   /margay/registry/<group, "core">/<plural>/[<namespace>/]<name>
std::string store_key(std::string_view group, std::string_view plural, std::string_view name_space,
                      std::string_view name);
// All of a resource, or all of it in one namespace.
std::string store_prefix(std::string_view group, std::string_view plural, std::string_view name_space);
inline constexpr std::string_view kRegistryPrefix = "/margay/registry/";

}  // namespace margay::server
