// The lists of an invented kind, for the tests of this folder:
//   spec.set: a set; spec.map: by name and port (80 where it is not said); spec.atom: an object owned as a whole.
#pragma once

#include <algorithm>

#include "datastore/patch/list_types.h"

namespace margay::patch {

class TestLists final : public ListTypes {
 public:
  [[nodiscard]] ListType list_at(FieldPath path) const override {
    if (is(path, "set")) return {ListType::Kind::kSet, {}};
    if (is(path, "map")) return {ListType::Kind::kMap, {{"name", std::nullopt}, {"port", json::Value(80)}}};
    return {};
  }
  [[nodiscard]] bool is_atomic_object(FieldPath path) const override { return is(path, "atom"); }

 private:
  static bool is(FieldPath path, std::string_view name) {
    return path.size() == 2 && path[0] == "spec" && path[1] == name;
  }
};

}  // namespace margay::patch
