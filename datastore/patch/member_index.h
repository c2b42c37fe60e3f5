// MemberIndex: where the members of an object are, for merging wide objects in linear time (Object itself looks up by
// walking). Valid while the object lives and does not change.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/json/value.h"

namespace margay::patch {

class MemberIndex {
 public:
  explicit MemberIndex(const json::Object& object);

  // Its position in the object.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  [[nodiscard]] const json::Value* value(std::string_view name) const;
  [[nodiscard]] bool contains(std::string_view name) const { return find(name).has_value(); }

 private:
  const json::Object& object_;
  std::unordered_map<std::string_view, std::size_t> positions_;  // empty for small objects
};

}  // namespace margay::patch
