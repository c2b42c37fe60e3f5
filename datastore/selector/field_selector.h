// FieldSelector: comparison of single fields of an object, as kubectl's --field-selector and the fieldSelector
// parameter of lists spell it: `metadata.namespace=default,spec.nodeName!=node-1`.
//
// Source: Kubernetes documentation, "Field Selectors". Which fields a kind allows is the server's decision.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace margay::selector {

struct FieldRequirement {
  std::string field;  // dotted path
  std::string value;
  bool is_negated = false;

  friend auto operator<=>(const FieldRequirement&, const FieldRequirement&) = default;
};

class FieldSelector {
 public:
  FieldSelector() = default;

  // Terms `field=value`, `field==value`, `field!=value` between commas; "\" before "," "=" or "\" takes away its
  // meaning. The empty text has no term and matches everything.
  static Result<FieldSelector> parse(std::string_view text);

  // `field_value` gives the value of a field, "" where there is none.
  [[nodiscard]] bool matches(const std::function<std::string(std::string_view field)>& field_value) const;
  [[nodiscard]] bool matches_everything() const { return requirements_.empty(); }
  [[nodiscard]] const std::vector<FieldRequirement>& requirements() const { return requirements_; }
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const FieldSelector&, const FieldSelector&) = default;

 private:
  std::vector<FieldRequirement> requirements_;
};

}  // namespace margay::selector
