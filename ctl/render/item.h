// What the renderers show: objects with what is known of their kind.
#pragma once

#include <vector>

#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::render {

struct Item {
  const schema::ResourceInfo* resource = nullptr;  // lives as long as the registry
  json::Value object;
};

using Items = std::vector<Item>;

}  // namespace margay::render
