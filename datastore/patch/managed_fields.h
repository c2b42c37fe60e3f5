// ManagedFields: who owns which fields of an object, as metadata.managedFields says it.
//
// A value. Source: Kubernetes API, ManagedFieldsEntry; Kubernetes documentation, "Server-Side Apply".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/json/value.h"
#include "datastore/patch/field_set.h"

namespace margay::patch {

// Kubernetes' words; "Apply" sorts first.
enum class Operation { kApply, kUpdate };

struct ManagerId {
  std::string manager;
  Operation operation = Operation::kUpdate;
  std::string api_version;  // "" for kApply: who applies is the same in every version
  std::string subresource;

  friend auto operator<=>(const ManagerId&, const ManagerId&) = default;
  friend bool operator==(const ManagerId&, const ManagerId&) = default;
};

// "one" using projectcalico.org/v3
std::string to_string(const ManagerId& id);

struct ManagedEntry {
  std::string api_version;
  std::optional<WallTime> time;
  FieldSet fields;

  friend bool operator==(const ManagedEntry&, const ManagedEntry&) = default;
};

using ManagedFields = std::map<ManagerId, ManagedEntry>;

// Of a list as it stands in metadata.managedFields.
Result<ManagedFields> parse_managed_fields(const json::Value& list);
// Entries without fields are left out; in Kubernetes' order: appliers first, older first.
json::Value to_value(const ManagedFields& managed);

// More than ten entries of updates are too many: the oldest become one, "ancient-changes".
inline constexpr std::size_t kUpdateManagersMax = 10;
void cap_update_managers(ManagedFields& managed);

// Takes out of `fields` what nobody owns: apiVersion, kind, and in metadata the name and what the server sets.
void drop_untracked(FieldSet& fields);

}  // namespace margay::patch
