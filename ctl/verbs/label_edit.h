// The words of `netctl label`: which labels to set and which to remove.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/json/value.h"

namespace margay::verbs {

struct LabelEdits {
  std::map<std::string, std::string> set;
  std::set<std::string> remove;
};

struct LabelWords {
  std::vector<std::string> targets;  // KIND NAME… or KIND/NAME…
  LabelEdits edits;
};

// "node a b rack=r7 old-": the first word with "=" or with "-" at its end begins the labels. With `removes` the words
// behind the object are all keys to remove.
Result<LabelWords> parse_label_words(const std::vector<std::string>& words, bool removes);

// True if something changes. The error names every label that has another value and may not be overwritten.
Result<bool> edit_labels(json::Value& object, const LabelEdits& edits, bool may_overwrite);

}  // namespace margay::verbs
