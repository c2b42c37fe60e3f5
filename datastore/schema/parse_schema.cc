// StructuralSchema::parse(): OpenAPI v3 into SchemaNodes, with the rules that make a schema structural.
#include <array>

#include "base/core/field_error.h"
#include "base/core/text.h"
#include "datastore/schema/node.h"
#include "datastore/schema/pattern.h"
#include "datastore/schema/structural.h"

namespace margay::schema {
namespace {

using json::Value;

// kWhole: a node that stands for a value. kCondition: inside allOf, anyOf, oneOf, not, where a type is not demanded.
enum class Role { kWhole, kCondition };

class SchemaParser {
 public:
  Result<SchemaNodePtr> parse(const Value& value, Role role) {
    if (value.as_object() == nullptr) return fail(concat("expected a schema, found ", to_string(value.type())));
    auto node = std::make_shared<SchemaNode>();
    for (const json::Member& keyword : *value.as_object()) MARGAY_RETURN_IF_ERROR(read(keyword, *node));
    MARGAY_RETURN_IF_ERROR(read_children(value, *node, role));
    if (role == Role::kWhole) MARGAY_RETURN_IF_ERROR(check_structural(*node));
    return SchemaNodePtr(std::move(node));
  }

 private:
  using Reader = Status (SchemaParser::*)(const Value&, SchemaNode&);

  [[nodiscard]] Error fail(std::string_view reason) const {
    return invalid(path_.empty() ? std::string(reason) : concat(path_, ": ", reason));
  }

  Status read(const json::Member& keyword, SchemaNode& node) {
    // Understood below, or carrying nothing that a server does: x- extensions that are not ours are for newer servers.
    constexpr std::array<std::string_view, 13> kElsewhere = {
        "properties", "additionalProperties", "items",   "allOf", "anyOf",     "oneOf", "not", "title",
        "example",    "externalDocs",         "$schema", "id",    "deprecated"};
    const auto reader = readers().find(keyword.name);
    if (reader != readers().end()) {
      const Status done = (this->*reader->second)(keyword.value, node);
      return done.ok() ? done : fail(concat(keyword.name, ": ", done.error().message));
    }
    for (const std::string_view name : kElsewhere) {
      if (keyword.name == name) return ok_status();
    }
    if (keyword.name.starts_with("x-")) return ok_status();
    return fail(concat("unknown keyword ", quoted(keyword.name)));
  }

  static const std::map<std::string_view, Reader>& readers() {
    static const std::map<std::string_view, Reader> kReaders = {
        {"type", &SchemaParser::read_type},
        {"description", &SchemaParser::read_text<&SchemaNode::description>},
        {"format", &SchemaParser::read_text<&SchemaNode::format>},
        {"nullable", &SchemaParser::read_flag<&SchemaNode::is_nullable>},
        {"uniqueItems", &SchemaParser::read_flag<&SchemaNode::is_unique>},
        {"exclusiveMinimum", &SchemaParser::read_flag<&SchemaNode::is_minimum_exclusive>},
        {"exclusiveMaximum", &SchemaParser::read_flag<&SchemaNode::is_maximum_exclusive>},
        {"minimum", &SchemaParser::read_number<&SchemaNode::minimum>},
        {"maximum", &SchemaParser::read_number<&SchemaNode::maximum>},
        {"multipleOf", &SchemaParser::read_number<&SchemaNode::multiple_of>},
        {"minLength", &SchemaParser::read_size<&SchemaNode::length_min>},
        {"maxLength", &SchemaParser::read_size<&SchemaNode::length_max>},
        {"minItems", &SchemaParser::read_size<&SchemaNode::items_min>},
        {"maxItems", &SchemaParser::read_size<&SchemaNode::items_max>},
        {"minProperties", &SchemaParser::read_size<&SchemaNode::properties_min>},
        {"maxProperties", &SchemaParser::read_size<&SchemaNode::properties_max>},
        {"required", &SchemaParser::read_names<&SchemaNode::required>},
        {"default", &SchemaParser::read_default},
        {"enum", &SchemaParser::read_enum},
        {"pattern", &SchemaParser::read_pattern},
        {"x-kubernetes-int-or-string", &SchemaParser::read_flag<&SchemaNode::is_int_or_string>},
        {"x-kubernetes-preserve-unknown-fields", &SchemaParser::read_flag<&SchemaNode::preserves_unknown>},
        {"x-kubernetes-embedded-resource", &SchemaParser::read_flag<&SchemaNode::is_embedded_resource>},
        {"x-kubernetes-list-type", &SchemaParser::read_list_type},
        {"x-kubernetes-list-map-keys", &SchemaParser::read_names<&SchemaNode::list_map_keys>},
        {"x-kubernetes-map-type", &SchemaParser::read_map_type},
        {"x-kubernetes-validations", &SchemaParser::read_rules},
    };
    return kReaders;
  }

  Status read_type(const Value& value, SchemaNode& node) {
    const std::string_view word = value.string_at({});
    for (const NodeType type : {NodeType::kObject, NodeType::kArray, NodeType::kString, NodeType::kInteger,
                                NodeType::kNumber, NodeType::kBoolean}) {
      node.type = type;
      if (word == type_name(type)) return ok_status();
    }
    return invalid(concat(json::dump(value), " is not one of object, array, string, integer, number, boolean"));
  }

  template <auto kField>
  Status read_text(const Value& value, SchemaNode& node) {
    if (value.as_string() == nullptr) return invalid(concat("expected string, found ", to_string(value.type())));
    node.*kField = *value.as_string();
    return ok_status();
  }

  template <auto kField>
  Status read_flag(const Value& value, SchemaNode& node) {
    if (value.as_bool() == nullptr) return invalid(concat("expected boolean, found ", to_string(value.type())));
    node.*kField = *value.as_bool();
    return ok_status();
  }

  template <auto kField>
  Status read_number(const Value& value, SchemaNode& node) {
    if (value.as_integer() != nullptr) {
      node.*kField = static_cast<double>(*value.as_integer());
    } else if (value.as_double() != nullptr) {
      node.*kField = *value.as_double();
    } else {
      return invalid(concat("expected number, found ", to_string(value.type())));
    }
    return ok_status();
  }

  template <auto kField>
  Status read_size(const Value& value, SchemaNode& node) {
    if (value.as_integer() == nullptr || *value.as_integer() < 0) {
      return invalid(concat("expected a count, found ", json::dump(value)));
    }
    node.*kField = static_cast<std::size_t>(*value.as_integer());
    return ok_status();
  }

  template <auto kField>
  Status read_names(const Value& value, SchemaNode& node) {
    if (value.as_array() == nullptr) return invalid(concat("expected array, found ", to_string(value.type())));
    for (const Value& name : *value.as_array()) {
      if (name.as_string() == nullptr) return invalid(concat("expected names, found ", to_string(name.type())));
      (node.*kField).push_back(*name.as_string());
    }
    return ok_status();
  }

  Status read_default(const Value& value, SchemaNode& node) {
    node.default_value = value;
    return ok_status();
  }

  Status read_enum(const Value& value, SchemaNode& node) {
    if (value.as_array() == nullptr) return invalid(concat("expected array, found ", to_string(value.type())));
    node.enum_values = *value.as_array();
    return ok_status();
  }

  Status read_pattern(const Value& value, SchemaNode& node) {
    if (value.as_string() == nullptr) return invalid(concat("expected string, found ", to_string(value.type())));
    MARGAY_ASSIGN_OR_RETURN(node.pattern, compile_pattern(*value.as_string()));
    return ok_status();
  }

  Status read_list_type(const Value& value, SchemaNode& node) {
    const std::string_view word = value.string_at({});
    if (word != "atomic" && word != "set" && word != "map") {
      return invalid(concat(json::dump(value), " is not one of atomic, set, map"));
    }
    node.list_type = word == "set" ? ListType::kSet : word == "map" ? ListType::kMap : ListType::kAtomic;
    return ok_status();
  }

  Status read_map_type(const Value& value, SchemaNode& node) {
    const std::string_view word = value.string_at({});
    if (word != "atomic" && word != "granular")
      return invalid(concat(json::dump(value), " is not one of atomic, granular"));
    node.is_atomic_map = word == "atomic";
    return ok_status();
  }

  Status read_rules(const Value& value, SchemaNode& node) {
    if (value.as_array() == nullptr) return ok_status();
    for (const Value& rule : *value.as_array()) {
      if (rule.string_at({"rule"}) != "self == oldSelf") continue;
      const std::string_view message = rule.string_at({"message"});
      node.immutable_message = message.empty() ? "cannot be changed" : message;
    }
    return ok_status();
  }

  Status read_children(const Value& value, SchemaNode& node, Role role) {
    MARGAY_RETURN_IF_ERROR(read_properties(value, node, role));
    if (const Value* items = value.find("items")) {
      MARGAY_ASSIGN_OR_RETURN(node.items, parse_at("[*]", *items, role));
    }
    MARGAY_RETURN_IF_ERROR(read_conditions(value.find("allOf"), node.all_of));
    MARGAY_RETURN_IF_ERROR(read_conditions(value.find("anyOf"), node.any_of));
    MARGAY_RETURN_IF_ERROR(read_conditions(value.find("oneOf"), node.one_of));
    if (const Value* condition = value.find("not")) {
      MARGAY_ASSIGN_OR_RETURN(node.not_of, parse(*condition, Role::kCondition));
    }
    return ok_status();
  }

  Status read_properties(const Value& value, SchemaNode& node, Role role) {
    if (const Value* properties = value.find("properties")) {
      if (properties->as_object() == nullptr)
        return fail(concat("properties: expected object, found ", to_string(properties->type())));
      for (const json::Member& property : *properties->as_object()) {
        const std::size_t size = path_.size();
        append_member_path(path_, property.name);
        MARGAY_ASSIGN_OR_RETURN(node.properties[property.name], parse(property.value, role));
        path_.resize(size);
      }
    }
    const Value* additional = value.find("additionalProperties");
    if (additional == nullptr) return ok_status();
    if (additional->as_bool() != nullptr) {
      node.allows_any_additional = *additional->as_bool();
      return ok_status();
    }
    MARGAY_ASSIGN_OR_RETURN(node.additional_properties, parse_at("[*]", *additional, role));
    return ok_status();
  }

  Result<SchemaNodePtr> parse_at(std::string_view step, const Value& value, Role role) {
    const std::size_t size = path_.size();
    path_.append(step);
    Result<SchemaNodePtr> node = parse(value, role);
    path_.resize(size);
    return node;
  }

  Status read_conditions(const Value* list, std::vector<SchemaNodePtr>& conditions) {
    if (list == nullptr) return ok_status();
    if (list->as_array() == nullptr) return fail("allOf, anyOf and oneOf are arrays");
    for (const Value& condition : *list->as_array()) {
      MARGAY_ASSIGN_OR_RETURN(SchemaNodePtr node, parse(condition, Role::kCondition));
      conditions.push_back(std::move(node));
    }
    return ok_status();
  }

  [[nodiscard]] Status check_structural(const SchemaNode& node) const {
    const bool is_map = node.additional_properties != nullptr || node.allows_any_additional;
    if (node.type == NodeType::kAny && !node.is_int_or_string && !node.preserves_unknown)
      return fail("type is missing");
    if (node.type != NodeType::kAny && node.is_int_or_string) return fail("an integer or string has no type beside");
    if (!node.properties.empty() && is_map) return fail("properties and additionalProperties exclude each other");
    if (node.type == NodeType::kArray && node.items == nullptr) return fail("items of the array are missing");
    if (node.type != NodeType::kArray && node.items != nullptr) return fail("items outside of an array");
    const bool is_object = node.type == NodeType::kObject || (node.type == NodeType::kAny && node.preserves_unknown);
    if (!is_object && (!node.properties.empty() || is_map)) return fail("properties outside of an object");
    return check_list_type(node);
  }

  [[nodiscard]] Status check_list_type(const SchemaNode& node) const {
    if ((node.list_type == ListType::kMap) != !node.list_map_keys.empty()) {
      return fail("x-kubernetes-list-type: map and x-kubernetes-list-map-keys go together");
    }
    if (node.list_type == ListType::kMap && (node.items == nullptr || node.items->type != NodeType::kObject)) {
      return fail("a list of type map has objects as items");
    }
    for (const std::string& key : node.list_map_keys) {
      if (!node.items->properties.contains(key))
        return fail(concat("key ", quoted(key), " of the list is not declared"));
    }
    return ok_status();
  }

  std::string path_;
};

}  // namespace

Result<StructuralSchema> StructuralSchema::parse(const Value& open_api_v3_schema) {
  MARGAY_ASSIGN_OR_RETURN(SchemaNodePtr root, SchemaParser().parse(open_api_v3_schema, Role::kWhole));
  if (root->type != NodeType::kObject && !root->preserves_unknown)
    return invalid("the root of the schema is no object");
  return StructuralSchema(std::move(root));
}

StructuralSchema StructuralSchema::permissive() {
  auto root = std::make_shared<SchemaNode>();
  root->type = NodeType::kObject;
  root->preserves_unknown = true;
  return StructuralSchema(std::move(root));
}

const SchemaNode* StructuralSchema::at(std::string_view dotted_path) const {
  const SchemaNode* node = root_.get();
  if (dotted_path.empty()) return node;
  for (std::string_view step : split(dotted_path, '.')) {
    step = step.substr(0, step.find('['));
    while (node != nullptr && node->items != nullptr) node = node->items.get();
    node = node == nullptr ? nullptr : node->member(step);
  }
  return node;
}

}  // namespace margay::schema
