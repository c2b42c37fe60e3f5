// The elements of field paths, as FieldsV1 writes them (see field_set.h), and the elements that lists consist of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"
#include "datastore/patch/list_types.h"

namespace margay::patch {

// "f:" and the name.
std::string member_element(std::string_view name);
bool is_member_element(std::string_view element);

// The one spelling of an element that may be spelled differently: {"b":1, "a":2} and {"a":2,"b":1.0}.
Result<std::string> canonical_element(std::string_view text);

// As error messages write it: ".name", [name="a",port=80], [="x"], [3].
std::string element_text(std::string_view element);

// One for each element of the list, in its order. `type` is a set or a map. The error says, in Kubernetes' words, which
// element has no keys, is of the wrong type, or is there twice.
Result<std::vector<std::string>> list_elements(const json::Array& list, const ListType& type);

}  // namespace margay::patch
