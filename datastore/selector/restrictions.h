// What every label set that a selector matches must have in common: enough to look candidates up in an index instead of
// trying the selector on each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datastore/selector/selector.h"

namespace margay::selector {

// What is known of one label. Both must_be_ flags together: nothing can match.
struct LabelRestriction {
  bool must_be_present = false;
  bool must_be_absent = false;
  // When given, the value is one of these, sorted; empty: nothing can match.
  std::optional<std::vector<std::string>> must_have_one_of;

  friend bool operator==(const LabelRestriction&, const LabelRestriction&) = default;
};

using LabelRestrictions = std::map<std::string, LabelRestriction, std::less<>>;

// Labels of which nothing is known are left out.
LabelRestrictions restrictions_of(const Selector& selector);

}  // namespace margay::selector
