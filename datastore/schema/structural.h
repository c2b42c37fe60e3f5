// StructuralSchema: an OpenAPI v3 structural schema as CustomResourceDefinitions carry it, and what a server does with
// it: validate, default, prune. Source: Kubernetes documentation, "Extend the Kubernetes API with
// CustomResourceDefinitions".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::schema {

struct SchemaNode;

class StructuralSchema {
 public:
  // From `openAPIV3Schema`. The error names path and reason (not structural, unknown keyword, bad pattern).
  static Result<StructuralSchema> parse(const json::Value& open_api_v3_schema);
  // Allows everything, defaults nothing.
  static StructuralSchema permissive();

  // Every violation, in document order: types, required, enum, pattern, bounds, formats, list types. apiVersion, kind
  // and metadata are checked by the server, not here.
  [[nodiscard]] FieldErrors validate(const json::Value& object) const;
  // What an update may not change: the CEL rule "self == oldSelf", which holds where both objects have a value; not
  // inside lists.
  [[nodiscard]] FieldErrors validate_change(const json::Value& before, const json::Value& after) const;
  // Members that no schema declares, as "spec.nodeSelctor": with the nearest declared name where one is close.
  [[nodiscard]] FieldErrors unknown_fields(const json::Value& object) const;
  // Fills in defaults; members that are null where null is not allowed and a default exists count as absent.
  void apply_defaults(json::Value& object) const;
  // Removes undeclared members; the paths that went.
  std::vector<std::string> prune(json::Value& object) const;

  // The node of a dotted path ("spec.ingress.source"), lists entered by themselves; nullptr when it does not exist. For
  // explain, completion and documentation.
  [[nodiscard]] const SchemaNode* at(std::string_view dotted_path) const;

 private:
  explicit StructuralSchema(std::shared_ptr<const SchemaNode> root) : root_(std::move(root)) {}
  std::shared_ptr<const SchemaNode> root_;
};

}  // namespace margay::schema
