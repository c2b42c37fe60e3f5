#include "datastore/server/openapi_schema.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "datastore/schema/node.h"

namespace margay::server {
namespace {

using schema::NodeType;
using schema::SchemaNode;

constexpr const char* kTypeExtension = "x-kubernetes-group-version-kind";

// A type that version 2 could not say in full is not said at all.
bool has_type(const SchemaNode& node, OpenApiVersion version) {
  if (node.type == NodeType::kAny || node.is_int_or_string) return false;
  return version == OpenApiVersion::kThree || (!node.is_nullable && !node.preserves_unknown);
}

json::Value describe(const SchemaNode& node, OpenApiVersion version);

void add_structure(const SchemaNode& node, OpenApiVersion version, json::Object& out) {
  // Old clients take a place with members for one that has no others.
  if (version == OpenApiVersion::kTwo && !has_type(node, version)) return;
  if (!node.required.empty()) out.append_new("required", json::Array(node.required.begin(), node.required.end()));
  if (!node.properties.empty()) {
    json::Object properties;
    for (const auto& [name, child] : node.properties) properties.append_new(name, describe(*child, version));
    out.append_new("properties", std::move(properties));
  }
  if (node.additional_properties != nullptr)
    out.append_new("additionalProperties", describe(*node.additional_properties, version));
  if (node.allows_any_additional) out.append_new("additionalProperties", true);
  if (node.items != nullptr) out.append_new("items", describe(*node.items, version));
}

void add_conditions(const SchemaNode& node, json::Object& out) {
  const auto add_number = [&](const char* name, const auto& value) {
    if (value) out.append_new(name, json::Value(static_cast<double>(*value)));
  };
  const auto add_size = [&](const char* name, const std::optional<std::size_t>& value) {
    if (value) out.append_new(name, json::Value(static_cast<std::int64_t>(*value)));
  };
  if (node.default_value) out.append_new("default", *node.default_value);
  if (!node.enum_values.empty()) out.append_new("enum", node.enum_values);
  if (node.pattern != nullptr) out.append_new("pattern", schema::text_of(*node.pattern));
  if (node.is_nullable) out.append_new("nullable", true);
  if (node.is_int_or_string) out.append_new("x-kubernetes-int-or-string", true);
  if (node.preserves_unknown) out.append_new("x-kubernetes-preserve-unknown-fields", true);
  add_number("minimum", node.minimum);
  add_number("maximum", node.maximum);
  add_size("minLength", node.length_min);
  add_size("maxLength", node.length_max);
  add_size("minItems", node.items_min);
  add_size("maxItems", node.items_max);
}

json::Value describe(const SchemaNode& node, OpenApiVersion version) {
  json::Object out;
  if (!node.description.empty()) out.append_new("description", node.description);
  if (has_type(node, version)) out.append_new("type", schema::type_name(node.type));
  if (!node.format.empty() && has_type(node, version)) out.append_new("format", node.format);
  add_structure(node, version, out);
  if (version == OpenApiVersion::kThree) add_conditions(node, out);
  return out;
}

json::Value definition(const schema::Registry& registry, const schema::ResourceInfo& resource, OpenApiVersion version) {
  const SchemaNode* root = registry.schema(resource).at("");
  json::Value out = root == nullptr ? json::Value(json::Object()) : describe(*root, version);
  json::Object type;
  type.append_new("group", resource.group);
  type.append_new("kind", resource.kind);
  type.append_new("version", resource.version);
  out[kTypeExtension] = json::Value(json::Array{std::move(type)});
  return out;
}

// Protocol buffers: the field's number and wire type 2, the length, the bytes.
void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

std::string field(std::uint32_t number, std::string_view bytes) {
  std::string out;
  append_varint(out, number << 3 | 2);
  append_varint(out, bytes.size());
  return out.append(bytes);
}

std::string proto_flag(std::uint32_t number) {
  std::string out;
  append_varint(out, number << 3);
  append_varint(out, 1);
  return out;
}

// NamedAny: name = 1, value = 2; Any: yaml = 2, and JSON is YAML.
std::string proto_extension(const json::Value& type) {
  return field(1, kTypeExtension) + field(2, field(2, json::dump(type)));
}

std::string proto_schema(const json::Value& value);

// NamedSchema: name = 1, value = 2; a map of them is field 1 of Properties and Definitions.
std::string proto_schemas(const json::Object& schemas) {
  std::string out;
  for (const json::Member& each : schemas) out += field(1, field(1, each.name) + field(2, proto_schema(each.value)));
  return out;
}

// openapi.v2.Schema: format = 2, description = 4, required = 19, additional_properties = 21, type = 22, items = 23,
// properties = 25, vendor_extension = 31.
std::string proto_schema(const json::Value& value) {
  std::string out;
  for (const json::Member& member : *value.as_object()) {
    if (member.name == "format") out += field(2, member.value.string_at({}));
    if (member.name == "description") out += field(4, member.value.string_at({}));
    if (member.name == "type") out += field(22, field(1, member.value.string_at({})));
    if (member.name == "items") out += field(23, field(1, proto_schema(member.value)));
    if (member.name == "properties") out += field(25, proto_schemas(*member.value.as_object()));
    if (member.name == "required")
      for (const json::Value& name : *member.value.as_array()) out += field(19, name.string_at({}));
    // AdditionalPropertiesItem: schema = 1 or boolean = 2.
    if (member.name == "additionalProperties")
      out += field(21, member.value.as_object() == nullptr ? proto_flag(2) : field(1, proto_schema(member.value)));
    if (member.name == kTypeExtension) out += field(31, proto_extension(member.value));
  }
  return out;
}

const json::Object& members_of(const json::Value& document, std::string_view name) {
  static const json::Object kNone;
  const json::Value* found = document.find(name);
  return found == nullptr || found->as_object() == nullptr ? kNone : *found->as_object();
}

// Operation: parameters = 8, vendor_extension = 13. A parameter of the query is ParametersItem.parameter = 1,
// Parameter.non_body_parameter = 2, NonBodyParameter.query_parameter_sub_schema = 3 with in = 3, name = 4, type = 6.
std::string proto_operation(const json::Value& operation) {
  std::string out;
  if (const json::Value* parameters = operation.find("parameters")) {
    for (const json::Value& parameter : *parameters->as_array()) {
      const std::string query = field(3, parameter.string_at({"in"})) + field(4, parameter.string_at({"name"})) +
                                field(6, parameter.string_at({"type"}));
      out += field(8, field(1, field(2, field(3, query))));
    }
  }
  if (const json::Value* type = operation.find(kTypeExtension)) out += field(13, proto_extension(*type));
  return out;
}

// Paths: path = 2; NamedPathItem: name = 1, value = 2; PathItem: patch = 8.
std::string proto_paths(const json::Value& document) {
  std::string out;
  for (const json::Member& path : members_of(document, "paths")) {
    const json::Value* patch = path.value.find("patch");
    const std::string item = patch == nullptr ? "" : field(8, proto_operation(*patch));
    out += field(2, field(1, path.name) + field(2, item));
  }
  return out;
}

}  // namespace

std::string definition_name(const schema::ResourceInfo& resource) {
  const std::string group = resource.group.empty() ? "core" : resource.group;
  std::string name;
  for (const std::string_view label : split(group, '.')) name.insert(0, concat(label, '.'));
  return concat(name, resource.version, '.', resource.kind);
}

json::Value v3_definition(const schema::Registry& registry, const schema::ResourceInfo& resource) {
  return definition(registry, resource, OpenApiVersion::kThree);
}

json::Value v2_definition(const schema::Registry& registry, const schema::ResourceInfo& resource) {
  return definition(registry, resource, OpenApiVersion::kTwo);
}

std::string v2_protobuf(const json::Value& document) {
  // Document: swagger = 1, info = 2 (title = 1, version = 2), paths = 8, definitions = 9.
  const std::string info =
      field(1, document.string_at({"info", "title"})) + field(2, document.string_at({"info", "version"}));
  return field(1, document.string_at({"swagger"})) + field(2, info) + field(8, proto_paths(document)) +
         field(9, proto_schemas(members_of(document, "definitions")));
}

}  // namespace margay::server
