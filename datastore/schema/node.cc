#include "datastore/schema/node.h"

#include "base/core/check.h"

namespace margay::schema {

std::string_view type_name(NodeType type) {
  switch (type) {
    case NodeType::kAny: return "any";
    case NodeType::kObject: return "object";
    case NodeType::kArray: return "array";
    case NodeType::kString: return "string";
    case NodeType::kInteger: return "integer";
    case NodeType::kNumber: return "number";
    case NodeType::kBoolean: return "boolean";
  }
  MARGAY_CHECK(!"NodeType out of range");
}

std::string_view type_name(const SchemaNode& node) {
  return node.is_int_or_string ? "integer or string" : type_name(node.type);
}

const SchemaNode* SchemaNode::member(std::string_view name) const {
  const auto found = properties.find(name);
  return found != properties.end() ? found->second.get() : additional_properties.get();
}

}  // namespace margay::schema
