#include "controllers/runtime/kept_objects.h"

#include "base/core/text.h"

namespace margay::controllers {
namespace {

bool has_all(const StringMap& actual, const StringMap& ours) {
  return std::all_of(ours.begin(), ours.end(),
                     [&](const auto& entry) { return actual.find(entry.first) == entry.second; });
}

bool has_owner(const model::ObjectMeta& actual, const model::OwnerReference& owner) {
  return std::find(actual.owner_references.begin(), actual.owner_references.end(), owner) !=
         actual.owner_references.end();
}

}  // namespace

std::string managed_selector() { return concat(kManagedBy, "=", kManagerName); }

bool has_metadata(const model::ObjectMeta& actual, const model::ObjectMeta& ours) {
  return has_all(actual.labels, ours.labels) && has_all(actual.annotations, ours.annotations) &&
         std::all_of(ours.owner_references.begin(), ours.owner_references.end(),
                     [&](const model::OwnerReference& owner) { return has_owner(actual, owner); });
}

model::ObjectMeta merged_metadata(model::ObjectMeta actual, const model::ObjectMeta& ours) {
  for (const auto& [key, value] : ours.labels) actual.labels.set(key, value);
  for (const auto& [key, value] : ours.annotations) actual.annotations.set(key, value);
  for (const model::OwnerReference& owner : ours.owner_references) {
    // An earlier object of the same name is not its owner any more, and there is one controller at most.
    std::erase_if(actual.owner_references, [&](const model::OwnerReference& other) {
      return other.controller || (other.kind == owner.kind && other.name == owner.name);
    });
    actual.owner_references.push_back(owner);
  }
  return actual;
}

}  // namespace margay::controllers
