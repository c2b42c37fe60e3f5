// ListTypes: what the lists of a kind are. Patches and server-side apply ask; a server answers from its schemas
// (x-kubernetes-list-type, -list-map-keys, -map-type).
//
// Source: Kubernetes documentation, "Server-Side Apply", section "Merge strategy".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace margay::patch {

// The names of the members down to a place; elements of lists have no name: "spec", "containers", "ports".
using FieldPath = std::span<const std::string_view>;

struct ListKey {
  std::string name;
  std::optional<json::Value> default_value;  // what an element without that member counts as
};

struct ListType {
  enum class Kind {
    kAtomic,  // one value: replaced and owned as a whole
    kSet,     // of scalars, each on its own
    kMap,     // of objects, each known by its keys
  };
  Kind kind = Kind::kAtomic;
  std::vector<ListKey> keys;  // kMap: at least one
};

class ListTypes {
 public:
  virtual ~ListTypes() = default;
  // Asked only for places in spec, status and the like; the lists in metadata are the same for every kind.
  [[nodiscard]] virtual ListType list_at(FieldPath path) const = 0;
  // Whether an object there is replaced and owned as a whole (x-kubernetes-map-type: atomic).
  [[nodiscard]] virtual bool is_atomic_object(FieldPath path) const = 0;
};

// Every list atomic, no object atomic: what a kind without a schema has.
class AtomicLists final : public ListTypes {
 public:
  [[nodiscard]] ListType list_at(FieldPath) const override { return {}; }
  [[nodiscard]] bool is_atomic_object(FieldPath) const override { return false; }
};

}  // namespace margay::patch
