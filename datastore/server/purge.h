// Purge: deletes everything under prefixes of the store, object by object, as a client would; what is held by
// finalizers is marked and stays for now.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/loop/loop.h"
#include "datastore/server/catalog.h"
#include "datastore/server/mutator.h"
#include "datastore/server/planner.h"
#include "datastore/server/request_path.h"
#include "datastore/store/store.h"

namespace margay::server {

struct ControllerContext {
  loop::Loop& loop;
  Random& random;
  store::Store& store;
  Catalog& catalog;
  Mutator& mutator;
};

// What a key of the store names.
struct ObjectPlace {
  ResourcePtr resource;
  std::string name_space;
  std::string name;
};
// nullopt when the kind is not served.
std::optional<ObjectPlace> place_of(Catalog& catalog, std::string_view key);
PlanContext plan_context_of(const ControllerContext& on, const ObjectPlace& place);

struct PurgeTarget {
  ResourcePtr resource;
  std::string name_space;  // "": of all namespaces
};
// `done` gets whether nothing is left; false also when the store failed.
void purge(const ControllerContext& on, std::vector<PurgeTarget> targets, std::function<void(bool is_empty)> done);

}  // namespace margay::server
