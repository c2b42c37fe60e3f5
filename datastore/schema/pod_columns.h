// Cells of the table of Pods that no path of a definition can find, as kubectl prints them (Kubernetes documentation,
// "Pod Lifecycle"): READY is how many of its containers are, STATUS says why a pod does not run, RESTARTS is the sum.
// Pure.
#pragma once

#include "base/json/value.h"
#include "datastore/schema/registry.h"

namespace margay::schema {

// The value to show of an object; null when it says nothing.
using CellFunction = json::Value (*)(const json::Value& object);

// Null for a column whose cells are what its path finds.
CellFunction computed_cell(const ResourceInfo& resource, const PrinterColumn& column);

}  // namespace margay::schema
