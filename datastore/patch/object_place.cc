#include "datastore/patch/object_place.h"

#include "datastore/patch/field_element.h"

namespace margay::patch {
namespace {

bool is_metadata_member(FieldPath path, std::string_view name) { return path.size() == 2 && path[1] == name; }

}  // namespace

ListType ObjectPlace::list_type() const {
  if (!is_in_metadata()) return types_.list_at(path_);
  if (is_metadata_member(path_, "finalizers")) return {ListType::Kind::kSet, {}};
  if (is_metadata_member(path_, "ownerReferences")) return {ListType::Kind::kMap, {{"uid", std::nullopt}}};
  return {};
}

bool ObjectPlace::is_atomic_object() const {
  return is_in_metadata() ? is_metadata_member(path_, "ownerReferences") : types_.is_atomic_object(path_);
}

Shape ObjectPlace::shape_of(const json::Value& value) const {
  if (path_.size() >= kFieldDepthMax) return {};
  if (value.as_object() != nullptr) return {is_atomic_object() ? Shape::Kind::kLeaf : Shape::Kind::kObject, {}};
  const json::Array* list = value.as_array();
  if (list == nullptr) return {};
  const ListType type = list_type();
  if (type.kind == ListType::Kind::kAtomic) return {};
  auto elements = list_elements(*list, type);
  if (!elements.ok()) return {};
  return {Shape::Kind::kList, std::move(elements).value()};
}

}  // namespace margay::patch
