// A value in an error message. Private to datastore/schema.
#pragma once

#include <string>

#include "base/json/value.h"

namespace margay::schema {

// Scalars as JSON, cut when long; arrays and objects by their type: "\"Alow\"", "3", "an object".
std::string describe(const json::Value& value);

}  // namespace margay::schema
