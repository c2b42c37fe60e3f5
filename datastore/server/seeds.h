// Seeds: the objects that are there when a server starts: the namespaces Kubernetes makes and the tiers Calico makes.
#pragma once

#include <vector>

#include "base/json/value.h"

namespace margay::server {

// In the order in which they are made. Those that exist already stay as they are.
std::vector<json::Value> seed_objects();

}  // namespace margay::server
