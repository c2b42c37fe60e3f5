// Admission: what becomes of an object that a client sends, on its way into the store: server-owned fields are set,
// undeclared ones pruned, defaults filled in, and every rule checked. Pure: no clock, no store.
//
// Source: Kubernetes API conventions (metadata, generation, status), "Server-side field validation".
#pragma once

#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/time.h"
#include "base/json/value.h"
#include "datastore/schema/registry.h"
#include "datastore/server/failure.h"

namespace margay::server {

// fieldValidation=: what happens to fields that no schema declares. They are pruned in any case.
enum class FieldValidation { kIgnore, kWarn, kStrict };

struct AdmissionContext {
  const schema::ResourceInfo& resource;
  const schema::StructuralSchema& schema;
  WallTime now;
  Random& random;
  FieldValidation field_validation = FieldValidation::kWarn;
};

struct Admitted {
  json::Value object;
  std::vector<std::string> warnings;
};

// A new object; its name and namespace are settled. Failure 400 for what has the wrong shape, 422 with every violation.
ApiResult<Admitted> admit_new(const AdmissionContext& context, json::Value object);
// `object` replaces `before`; its resourceVersion has been compared already.
ApiResult<Admitted> admit_change(const AdmissionContext& context, const json::Value& before, json::Value object);
// Only the status of `object` counts.
ApiResult<Admitted> admit_status(const AdmissionContext& context, const json::Value& before, const json::Value& object);

// Marks an object as being deleted since `now`.
void mark_deleted(const AdmissionContext& context, json::Value& object);

Subject subject_of(const schema::ResourceInfo& resource, std::string_view name);
// Kinds that come with Kubernetes itself; they are more lenient in places than custom resources.
bool is_builtin_group(std::string_view group);

}  // namespace margay::server
