// What one object of a strategic merge patch says: its directives, and for each member its value and list directives.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::patch {

// $patch
enum class Directive { kMerge, kReplace, kDelete };

// Everything about one member; null where nothing is said.
struct Change {
  std::string_view name;
  const json::Value* value = nullptr;
  const json::Array* order = nullptr;      // $setElementOrder/name
  const json::Array* deletions = nullptr;  // $deleteFromPrimitiveList/name
};

// Lives no longer than the patch it was read from.
struct Changes {
  Directive directive = Directive::kMerge;
  const json::Array* retained = nullptr;  // $retainKeys
  std::vector<Change> members;            // in the order of the patch
  std::unordered_map<std::string_view, std::size_t> places;

  Change& of(std::string_view name);
};

Result<Changes> read_changes(const json::Object& patch);
// Of an element of a merged list.
Result<Directive> element_directive(const json::Value& element);
// {"$patch": …} and nothing else: it is about its list.
bool is_only_directive(const json::Value& element);

// What of a patch is put where nothing was: no directives, no nulls. nullopt: nothing at all.
std::optional<json::Value> without_directives(const json::Value& value);
json::Array without_directives(const json::Array& list);

}  // namespace margay::patch
