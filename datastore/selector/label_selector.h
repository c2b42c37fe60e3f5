// LabelSelector: the label selectors of Kubernetes, as a LabelSelector object carries them and as kubectl's -l and the
// labelSelector parameter of lists spell them: `app=web,tier!=db,zone in (a,b),zone notin (c),canary,!old,size>3`.
//
// Source: Kubernetes documentation, "Labels and Selectors". A selector without requirements matches everything; what an
// absent selector means is the caller's affair.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/result.h"
#include "base/core/string_map.h"

namespace margay::selector {

struct LabelRequirement {
  enum class Operator { kIn, kNotIn, kExists, kDoesNotExist, kGreaterThan, kLessThan };
  std::string key;
  Operator op = Operator::kExists;
  // kIn, kNotIn: one or more, sorted, each once. kGreaterThan, kLessThan: one integer. Else none.
  std::vector<std::string> values;

  // kNotIn and kDoesNotExist hold where the label is absent; the others do not.
  [[nodiscard]] bool matches(const StringMap& labels) const;

  friend auto operator<=>(const LabelRequirement&, const LabelRequirement&) = default;
};

class LabelSelector {
 public:
  LabelSelector() = default;
  explicit LabelSelector(std::vector<LabelRequirement> requirements);

  // The empty text has no requirement. The error says at which column what was found and what could stand there.
  static Result<LabelSelector> parse(std::string_view text);

  // All requirements hold.
  [[nodiscard]] bool matches(const StringMap& labels) const;
  [[nodiscard]] bool matches_everything() const { return requirements_.empty(); }
  // Sorted by key.
  [[nodiscard]] const std::vector<LabelRequirement>& requirements() const { return requirements_; }
  // Reads back as an equal selector; equal selectors give equal text.
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const LabelSelector&, const LabelSelector&) = default;

 private:
  std::vector<LabelRequirement> requirements_;
};

// What is wrong with a label's key ("prefix/name", name at most 63) or value (at most 63), for people; "" when nothing.
std::string label_key_problem(std::string_view key);
std::string label_value_problem(std::string_view value);

}  // namespace margay::selector
