// Planners: what create, replace, patch and delete make of an object's present state. Pure but for randomness.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/core/random.h"
#include "base/core/time.h"
#include "base/json/value.h"
#include "datastore/server/admission.h"
#include "datastore/server/catalog.h"
#include "datastore/server/mutator.h"
#include "datastore/server/options.h"

namespace margay::server {

struct PlanContext {
  ResourcePtr resource;
  std::string name_space;
  std::string name;
  WallTime now;
  Random* random = nullptr;
  FieldValidation field_validation = FieldValidation::kWarn;
  bool is_status = false;     // the status subresource
  std::string field_manager;  // who asks, for managedFields; "": not kept
  bool is_apply = false;      // the patch keeps managedFields itself

  [[nodiscard]] Subject subject() const { return resource->subject(name); }
};

// The object's type, name and namespace are those of the URL, or are filled in from it.
ApiStatus settle_identity(const PlanContext& context, json::Value& object);

Planner plan_create(PlanContext context, json::Value object);
Planner plan_replace(PlanContext context, json::Value object);

// The object after the patch; gets nullopt when there is none yet. May refuse.
using Patcher = std::function<ApiResult<json::Value>(const std::optional<Current>& current)>;
Planner plan_patch(PlanContext context, Patcher patcher);

Planner plan_delete(PlanContext context, DeleteOptions options);
// Removes a finalizer, and the object with it when it was the last thing that held it.
Planner plan_remove_finalizer(PlanContext context, std::string finalizer);

}  // namespace margay::server
