// What a plain (unquoted) YAML scalar means, and whether a text may be written plain. Private to base/json.
#pragma once

#include <string_view>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::json::detail {

// The core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), and as kubectl does, a leading 0 before
// octal digits means octal (0644). Error: infinities and NaN, which JSON does not have.
Result<Value> resolve_plain(std::string_view text);

// True where some YAML reader (1.1 or 1.2) takes the plain text for something other than this string, or cannot read
// it.
bool needs_quotes(std::string_view text);

// A character that other readers take for a line break or that nobody sees: to be written as an escape.
bool has_odd_character(std::string_view text);

}  // namespace margay::json::detail
