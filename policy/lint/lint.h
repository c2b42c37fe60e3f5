// What is probably not meant in the policies of a cluster: each finding with what to do about it.
//
// Only what the World holds is judged against: without a single Service nothing is said about references to Services.
// Pure; one thread. Sources: Kubernetes documentation, "Network Policies"; reference of projectcalico.org/v3.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/question/cluster.h"

namespace margay::policy {

enum class Severity {
  kError,    // does not do what it says
  kWarning,  // hardly what was meant
  kRemark,   // true, and perhaps not known
};
// "error", "warning", "remark"
std::string_view to_string(Severity severity);

struct Finding {
  ObjectKey object;
  std::string field;  // "" is the object
  Severity severity = Severity::kWarning;
  std::string rule;  // the check, in a word for programs: "selects-nothing"
  std::string what;
  std::string to_do;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// In the order of objects and fields.
std::vector<Finding> lint(const Cluster& cluster);

}  // namespace margay::policy
