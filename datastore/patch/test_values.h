// For tests: values and sets of fields from and to JSON, which must be right.
#pragma once

#include <string>
#include <string_view>

#include "base/json/value.h"
#include "datastore/patch/field_set.h"

namespace margay::patch::test {

inline json::Value parsed(std::string_view text) { return json::parse(text).value(); }
inline FieldSet parsed_set(std::string_view text) { return FieldSet::parse(parsed(text)).value(); }
inline std::string printed(const FieldSet& set) { return json::dump(set.to_value()); }

}  // namespace margay::patch::test
