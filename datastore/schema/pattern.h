// Pattern: RE2 behind a seam, so that only pattern.cc includes it. Private to datastore/schema.
#pragma once

#include <memory>
#include <string_view>

#include "base/core/result.h"
#include "datastore/schema/node.h"

namespace margay::schema {

// Kubernetes compiles patterns with Go's regexp, which has the syntax of RE2. The error is RE2's.
Result<std::shared_ptr<const Pattern>> compile_pattern(std::string_view text);
// Anywhere in the text, as OpenAPI says.
bool matches(const Pattern& pattern, std::string_view text);

}  // namespace margay::schema
