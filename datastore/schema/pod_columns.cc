#include "datastore/schema/pod_columns.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "base/core/text.h"

namespace margay::schema {
namespace {

using json::Array;
using json::Value;

bool is_ready(const Value& container) {
  const Value* ready = container.find("ready");
  return ready != nullptr && ready->as_bool() != nullptr && *ready->as_bool();
}

Value ready_text(const Value& pod) {
  const Array& states = pod.array_at({"status", "containerStatuses"});
  const auto ready = std::count_if(states.begin(), states.end(), is_ready);
  return Value(concat(ready, "/", pod.array_at({"spec", "containers"}).size()));
}

Value restarts(const Value& pod) {
  std::int64_t out = 0;
  for (const Value& container : pod.array_at({"status", "containerStatuses"})) {
    const Value* count = container.find("restartCount");
    if (count != nullptr && count->as_integer() != nullptr) out += *count->as_integer();
  }
  return Value(out);
}

// Of the first container that says why it does not run.
std::string_view reason_of_containers(const Value& pod) {
  for (const Value& container : pod.array_at({"status", "containerStatuses"})) {
    for (const char* state : {"waiting", "terminated"}) {
      const std::string_view reason = container.string_at({"state", state, "reason"});
      if (!reason.empty()) return reason;
    }
  }
  return {};
}

std::string status_text(const Value& pod) {
  const std::string_view reason = pod.string_at({"status", "reason"});
  if (!pod.string_at({"metadata", "deletionTimestamp"}).empty())
    return reason == "NodeLost" ? "Unknown" : "Terminating";
  const std::string_view of_containers = reason_of_containers(pod);
  const Array& states = pod.array_at({"status", "containerStatuses"});
  // Of several containers one may have done its work while others go on.
  const bool goes_on = of_containers == "Completed" && std::any_of(states.begin(), states.end(), is_ready);
  if (!of_containers.empty()) return goes_on ? "Running" : std::string(of_containers);
  return std::string(reason.empty() ? pod.string_at({"status", "phase"}) : reason);
}

Value status_value(const Value& pod) {
  std::string text = status_text(pod);
  return text.empty() ? Value() : Value(std::move(text));
}

}  // namespace

CellFunction computed_cell(const ResourceInfo& resource, const PrinterColumn& column) {
  if (resource.kind != "Pod" || !resource.group.empty()) return nullptr;
  if (column.name == "Ready") return ready_text;
  if (column.name == "Restarts") return restarts;
  return column.name == "Status" ? status_value : nullptr;
}

}  // namespace margay::schema
