// For tests: a selector of labels as Kubernetes writes it.
#pragma once

#include <string_view>

#include "datastore/model/meta.h"

namespace margay::policy::test {

inline model::LabelTerms labels(std::string_view key, std::string_view value) {
  return {.match_labels = StringMap{{key, value}}, .match_expressions = {}};
}

}  // namespace margay::policy::test
