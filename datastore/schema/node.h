// SchemaNode: one place of a structural schema, as parsed from OpenAPI v3. Read it for explain, completion and
// documentation; StructuralSchema (structural.h) does what a server does with it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"

namespace margay::schema {

struct SchemaNode;
using SchemaNodePtr = std::shared_ptr<const SchemaNode>;

// A compiled regular expression (RE2), with its text.
class Pattern;

// kAny: no type is demanded (preserve-unknown-fields), or int-or-string.
enum class NodeType { kAny, kObject, kArray, kString, kInteger, kNumber, kBoolean };
// The word of OpenAPI; "any" where there is none.
std::string_view type_name(NodeType type);
// Also "integer or string".
std::string_view type_name(const SchemaNode& node);

// How lists are compared and merged: x-kubernetes-list-type.
enum class ListType { kAtomic, kSet, kMap };

struct SchemaNode {
  NodeType type = NodeType::kAny;
  bool is_int_or_string = false;
  bool is_nullable = false;
  bool preserves_unknown = false;     // members that are not declared may stay
  bool is_embedded_resource = false;  // has apiVersion, kind and metadata of its own
  std::string description;
  std::string format;

  // Objects: either of both.
  std::map<std::string, SchemaNodePtr, std::less<>> properties;
  SchemaNodePtr additional_properties;
  bool allows_any_additional = false;  // additionalProperties: true
  std::vector<std::string> required;
  bool is_atomic_map = false;  // x-kubernetes-map-type: atomic

  // Arrays.
  SchemaNodePtr items;
  ListType list_type = ListType::kAtomic;
  std::vector<std::string> list_map_keys;
  bool is_unique = false;

  std::optional<json::Value> default_value;
  json::Array enum_values;
  std::shared_ptr<const Pattern> pattern;
  std::optional<double> minimum;
  std::optional<double> maximum;
  bool is_minimum_exclusive = false;
  bool is_maximum_exclusive = false;
  std::optional<double> multiple_of;
  std::optional<std::size_t> length_min;  // characters
  std::optional<std::size_t> length_max;
  std::optional<std::size_t> items_min;
  std::optional<std::size_t> items_max;
  std::optional<std::size_t> properties_min;
  std::optional<std::size_t> properties_max;

  // What the rule "self == oldSelf" says when it is broken; "": the value may change. Other CEL rules are not kept.
  std::string immutable_message;

  // Further conditions on the same value.
  std::vector<SchemaNodePtr> all_of;
  std::vector<SchemaNodePtr> any_of;
  std::vector<SchemaNodePtr> one_of;
  SchemaNodePtr not_of;

  // The node of a member, declared or additional; nullptr when the schema has none.
  [[nodiscard]] const SchemaNode* member(std::string_view name) const;
};

// The regular expression as it was written.
std::string_view text_of(const Pattern& pattern);

}  // namespace margay::schema
