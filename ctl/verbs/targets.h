// What KIND, KIND/NAME and NAME on the command line mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "datastore/schema/registry.h"

namespace margay::verbs {

struct Target {
  const schema::ResourceInfo* resource = nullptr;
  std::vector<std::string> names;  // empty: all of the kind
  friend bool operator==(const Target&, const Target&) = default;
};

// "ippool", "ippool,bgppeer", "ippool a b", "ippool/a bgppeer/b", a category ("netctl"). The error is the user's;
// kNotFound is for a kind nobody knows.
Result<std::vector<Target>> parse_targets(const schema::Registry& registry, const std::vector<std::string>& words);

// One kind, by any of its names; the error guesses what was meant.
Result<const schema::ResourceInfo*> find_kind(const schema::Registry& registry, std::string_view name);

// Every name a kind is known by, the plural first.
std::vector<std::string> names_of(const schema::ResourceInfo& resource);

// Object names have no upper-case letters in Kubernetes, but some in books do: the name as it has to be.
bool has_upper_case(std::string_view name);

}  // namespace margay::verbs
