#include "ctl/verbs/targets.h"

#include <algorithm>

#include "base/core/text.h"
#include "ctl/command/nearest.h"

namespace margay::verbs {
namespace {

using schema::Registry;
using schema::ResourceInfo;

std::vector<const ResourceInfo*> of_category(const Registry& registry, std::string_view name) {
  std::vector<const ResourceInfo*> found;
  for (const ResourceInfo* resource : registry.all()) {
    const auto& categories = resource->categories;
    const bool is_in = std::any_of(categories.begin(), categories.end(),
                                   [&](const std::string& category) { return equals_ignoring_case(category, name); });
    if (is_in) found.push_back(resource);
  }
  return found;
}

// calicoctl's users say "pools", "policies" and "bgpps" too.
const ResourceInfo* by_any_number(const Registry& registry, std::string_view name) {
  const ResourceInfo* found = registry.by_any_name(name);
  if (found == nullptr && name.ends_with('s')) found = registry.by_any_name(name.substr(0, name.size() - 1));
  if (found != nullptr || !name.ends_with("ies")) return found;
  return registry.by_any_name(concat(name.substr(0, name.size() - 3), 'y'));
}

Result<std::vector<const ResourceInfo*>> find_kinds(const Registry& registry, std::string_view list) {
  std::vector<const ResourceInfo*> found;
  for (const std::string_view name : split(list, ',')) {
    const ResourceInfo* resource = by_any_number(registry, name);
    if (resource == nullptr) {
      const std::vector<const ResourceInfo*> members = of_category(registry, name);
      found.insert(found.end(), members.begin(), members.end());
      if (!members.empty()) continue;
    }
    MARGAY_ASSIGN_OR_RETURN(resource, find_kind(registry, name));
    if (std::find(found.begin(), found.end(), resource) == found.end()) found.push_back(resource);
  }
  return found;
}

// "KIND/NAME" each; neighbours of a kind go together.
Result<std::vector<Target>> parse_slashed(const Registry& registry, const std::vector<std::string>& words) {
  std::vector<Target> targets;
  for (const std::string& word : words) {
    const auto parts = split_once(word, '/');
    if (!parts) return invalid(concat(margay::quoted(word), " has no kind: give KIND NAME… or KIND/NAME KIND/NAME…"));
    if (parts->first.empty() || parts->second.empty() || parts->second.find('/') != std::string_view::npos) {
      return invalid(concat(margay::quoted(word), " is not KIND/NAME"));
    }
    MARGAY_ASSIGN_OR_RETURN(const ResourceInfo* resource, find_kind(registry, parts->first));
    if (targets.empty() || targets.back().resource != resource) targets.push_back({resource, {}});
    targets.back().names.emplace_back(parts->second);
  }
  return targets;
}

}  // namespace

Result<std::vector<Target>> parse_targets(const Registry& registry, const std::vector<std::string>& words) {
  if (words.empty()) return invalid("KIND is missing");
  if (words.front().find('/') != std::string::npos) return parse_slashed(registry, words);
  MARGAY_ASSIGN_OR_RETURN(const std::vector<const ResourceInfo*> kinds, find_kinds(registry, words.front()));
  const std::vector<std::string> names(words.begin() + 1, words.end());
  for (const std::string& name : names) {
    if (name.empty()) return invalid("an empty NAME");
    if (name.find('/') != std::string::npos) {
      return invalid(concat(margay::quoted(name), " has a kind of its own: give KIND NAME… or KIND/NAME KIND/NAME…"));
    }
  }
  std::vector<Target> targets;
  for (const ResourceInfo* kind : kinds) targets.push_back({kind, names});
  return targets;
}

Result<const ResourceInfo*> find_kind(const Registry& registry, std::string_view name) {
  const ResourceInfo* found = by_any_number(registry, name);
  if (found != nullptr) return found;
  std::vector<std::string> known;
  for (const ResourceInfo* resource : registry.all()) {
    const std::vector<std::string> names = names_of(*resource);
    known.insert(known.end(), names.begin(), names.end());
  }
  const std::string meant = command::did_you_mean(name, known);
  return Error{ErrorCode::kNotFound, concat("unknown kind ", quoted(name),
                                            meant.empty() ? "; api-resources lists the kinds there are" : meant)};
}

std::vector<std::string> names_of(const ResourceInfo& resource) {
  std::vector<std::string> names{resource.plural, resource.singular};
  names.insert(names.end(), resource.short_names.begin(), resource.short_names.end());
  names.insert(names.end(), resource.aliases.begin(), resource.aliases.end());
  return names;
}

bool has_upper_case(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace margay::verbs
