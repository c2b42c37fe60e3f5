// Random JSON values for property tests: every type, and strings that are hard to write (quotes, control characters,
// words YAML reads as something else). For tests only.
#pragma once

#include <string>

#include "base/core/random.h"
#include "base/json/value.h"

namespace margay::json {

std::string random_string(Random& random);
// Nested at most `depth_max` deep.
Value random_value(Random& random, int depth_max);

}  // namespace margay::json
