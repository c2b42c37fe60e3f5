// The conformance data: tables of cases that lie outside the tree.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/value.h"

namespace margay::conformance {

// The file, for example "selectors/selectors.json"; nullopt where the data is not installed. A file that is there and
// cannot be read aborts.
std::optional<json::Value> load(std::string_view file);

// Member or element; a null value when there is none, so that look-ups can be chained.
const json::Value& get(const json::Value& value, std::string_view name);

// "" for what is no string.
inline std::string text(const json::Value& value) { return value.as_string() == nullptr ? "" : *value.as_string(); }

// 0 for what is no integer.
template <class T>
T number(const json::Value& value) {
  return value.as_integer() == nullptr ? T{} : static_cast<T>(*value.as_integer());
}

}  // namespace margay::conformance
