#include "datastore/server/request_path.h"

#include <utility>
#include <vector>

#include "base/core/text.h"

namespace margay::server {
namespace {

std::string_view group_folder(std::string_view group) { return group.empty() ? "core" : group; }

// What follows /api/v1 or /apis/GROUP/VERSION.
bool parse_rest(const std::vector<std::string_view>& parts, ResourcePath& path) {
  std::size_t at = 0;
  const bool names_namespace_itself =
      parts.size() <= 2 || (parts.size() == 3 && (parts[2] == "status" || parts[2] == "finalize"));
  if (parts[0] == "namespaces" && !(path.group.empty() && names_namespace_itself)) {
    if (parts.size() < 3) return false;
    path.name_space = parts[1];
    at = 2;
  }
  if (parts.size() - at > 3) return false;
  path.plural = parts[at];
  if (parts.size() - at > 1) path.name = parts[at + 1];
  if (parts.size() - at > 2) path.subresource = parts[at + 2];
  return true;
}

}  // namespace

std::optional<ResourcePath> parse_resource_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  const std::vector<std::string_view> parts = split(path, '/');
  for (const std::string_view part : parts)
    if (part.empty()) return std::nullopt;
  ResourcePath out;
  std::size_t at = 0;
  if (parts.size() > 2 && parts[0] == "api" && parts[1] == "v1") {
    out.version = "v1";
    at = 2;
  } else if (parts.size() > 3 && parts[0] == "apis") {
    out.group = parts[1];
    out.version = parts[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  const std::vector<std::string_view> rest(parts.begin() + static_cast<std::ptrdiff_t>(at), parts.end());
  if (!parse_rest(rest, out)) return std::nullopt;
  return out;
}

std::string store_key(std::string_view group, std::string_view plural, std::string_view name_space,
                      std::string_view name) {
  return store_prefix(group, plural, name_space).append(name);
}

std::string store_prefix(std::string_view group, std::string_view plural, std::string_view name_space) {
  std::string prefix = concat(kRegistryPrefix, group_folder(group), '/', plural, '/');
  if (!name_space.empty()) prefix.append(name_space).push_back('/');
  return prefix;
}

}  // namespace margay::server
