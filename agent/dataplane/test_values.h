// For tests: names of endpoints.
#pragma once

#include <string>

#include "datastore/model/key.h"

namespace margay::agent::test {

inline model::ObjectKey pod(const std::string& name) { return {model::Kind::kPod, "default", name}; }

}  // namespace margay::agent::test
