#include "datastore/server/schema_lists.h"

#include <string>

#include "datastore/patch/kubernetes_lists.h"
#include "datastore/schema/node.h"
#include "datastore/server/admission.h"

namespace margay::server {
namespace {

class SchemaLists final : public patch::ListTypes {
 public:
  explicit SchemaLists(const schema::StructuralSchema& schema) : schema_(schema) {}

  [[nodiscard]] patch::ListType list_at(patch::FieldPath path) const override {
    patch::ListType type;
    const schema::SchemaNode* node = node_at(path);
    if (node == nullptr || node->list_type == schema::ListType::kAtomic) return type;
    if (node->list_type == schema::ListType::kSet) {
      type.kind = patch::ListType::Kind::kSet;
      return type;
    }
    for (const std::string& key : node->list_map_keys) type.keys.push_back({key, default_of(*node, key)});
    if (!type.keys.empty()) type.kind = patch::ListType::Kind::kMap;
    return type;
  }
  [[nodiscard]] bool is_atomic_object(patch::FieldPath path) const override {
    const schema::SchemaNode* node = node_at(path);
    return node != nullptr && node->is_atomic_map;
  }

 private:
  [[nodiscard]] const schema::SchemaNode* node_at(patch::FieldPath path) const {
    std::string dotted;
    for (const std::string_view name : path) {
      if (!dotted.empty()) dotted.push_back('.');
      dotted.append(name);
    }
    return schema_.at(dotted);
  }
  static std::optional<json::Value> default_of(const schema::SchemaNode& list, const std::string& key) {
    if (list.items == nullptr) return std::nullopt;
    const auto found = list.items->properties.find(key);
    return found == list.items->properties.end() ? std::nullopt : found->second->default_value;
  }

  const schema::StructuralSchema& schema_;
};

}  // namespace

std::unique_ptr<patch::ListTypes> list_types_of(const Resource& resource) {
  if (is_builtin_group(resource.info.group)) return std::make_unique<patch::KubernetesLists>();
  return std::make_unique<SchemaLists>(resource.schema);
}

}  // namespace margay::server
