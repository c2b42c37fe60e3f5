// Objects and their fields: which fields an object has, how two objects differ, and what merging and removing do to an
// object whose lists may be sets and maps.
//
// Pure. A list that is not what its type says (an element twice, a key missing) is taken as one value. metadata has the
// same lists in every kind (finalizers, ownerReferences); `types` is asked about everything else.
//
// Source: Kubernetes documentation, "Server-Side Apply"; structured-merge-diff, typed.
#pragma once

#include "base/core/result.h"
#include "base/json/value.h"
#include "datastore/patch/field_set.h"
#include "datastore/patch/list_types.h"

namespace margay::patch {

// The leaves: scalars, atomic lists and objects, what is empty; and the elements of sets and maps.
FieldSet fields_of(const json::Value& object, const ListTypes& types);

struct Comparison {
  FieldSet added;     // with the objects and lists that are new
  FieldSet modified;  // leaves
  FieldSet removed;

  [[nodiscard]] bool is_same() const { return added.empty() && modified.empty() && removed.empty(); }
};
Comparison compare_fields(const json::Value& before, const json::Value& after, const ListTypes& types);

// `live` with everything in `config` set; elements and members of live keep their places.
json::Value merge_fields(json::Value live, const json::Value& config, const ListTypes& types);

// Without what is at the places of `fields`, and all below them.
json::Value remove_fields(json::Value object, const FieldSet& fields, const ListTypes& types);

// Whether every list is what its type says; the error is located: ".spec.ports: duplicate entries for key [port=80]".
Status check_lists(const json::Value& object, const ListTypes& types);

}  // namespace margay::patch
