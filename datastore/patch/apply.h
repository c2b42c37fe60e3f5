// Server-side apply, and keeping metadata.managedFields up to date.
//
// Whoever applies a configuration owns its fields. Changing a field that another manager owns is a conflict, unless
// forced; a field that a manager no longer applies goes away, unless another owns it too. Creates, updates and the
// other patches never conflict: they take what they change.
//
// Pure; time is an argument. Versions of a kind are taken to have the same fields.
//
// Source: Kubernetes documentation, "Server-Side Apply"; wording of conflicts as kube-apiserver's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "base/json/value.h"
#include "datastore/patch/list_types.h"

namespace margay::patch {

enum class OnConflict { kFail, kForce };

struct ApplyOptions {
  std::string manager;
  OnConflict on_conflict = OnConflict::kFail;
  WallTime time;
  std::string subresource;  // "" or "status"
};

// One field that another manager owns: a cause of reason FieldManagerConflict.
struct ApplyConflict {
  std::string message;  // conflict with "one" using projectcalico.org/v3
  std::string field;    // .spec.nodeSelector
};

struct ApplyFailure {
  std::string message;  // complete, for the Status object
  // Empty: the configuration itself is wrong (an element twice in a set, a key missing, managedFields in it).
  std::vector<ApplyConflict> conflicts;
};

// The object that results, with managedFields. `live` is null when the object does not exist. Equal to `live`, times
// included, when nothing changes. `config` is the whole configuration of this manager; what the manager may not set
// (status, say, where that is a subresource) the caller has taken out.
Result<json::Value, ApplyFailure> apply_configuration(const json::Value& live, const json::Value& config,
                                                      const ApplyOptions& options, const ListTypes& types);

struct UpdateOptions {
  std::string manager;
  WallTime time;
  std::string subresource;
};

// `after`, which is about to be stored in place of `before` (null: is created), with managedFields that say who changed
// what. managedFields that the client sent count, if they can be read; a list of one empty entry clears them. An object
// without any is not tracked until it is applied.
json::Value update_managed_fields(const json::Value& before, json::Value after, const UpdateOptions& options,
                                  const ListTypes& types);

}  // namespace margay::patch
