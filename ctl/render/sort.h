// The order in which objects are shown.
#pragma once

#include <string_view>

#include "base/core/result.h"
#include "ctl/render/item.h"

namespace margay::render {

// By the value at `json_path` (".spec.order"); numbers by value, before strings by bytes; objects without it last.
// Equal ones stay in the server's order (namespace, name).
Status sort_by_path(Items& items, std::string_view json_path);

// Tiers by their order, those without one last: the order in which they are evaluated. Other kinds stay as they are.
void sort_tiers(Items& items);

}  // namespace margay::render
