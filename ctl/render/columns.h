// The columns of a kind's table: calicoctl's for the kinds it knows, printer columns and the age for all others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::render {

struct Column {
  std::string header;
  std::function<std::string(const json::Value& object)> cell;
};

struct ColumnOptions {
  bool wide = false;
  WallTime now = {};
  // AS number of BGPConfiguration `default`, which nodes without one of their own have.
  std::string global_as_number = "64512";
};

// In order; NAME first. Without NAMESPACE, which is the renderer's.
std::vector<Column> columns_of(const schema::ResourceInfo& resource, const ColumnOptions& options);

}  // namespace margay::render
