// What a kernel and its tools must be able to do to be a node: each thing is done, in a network namespace of its own
// where nobody sees it, rather than looked up by version or name of a module. Trying loads modules where the kernel has
// them. Takes about a second; needs root.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/exec/runner.h"

namespace margay::node {

enum class Verdict { kWorks, kMissing, kUnknown };  // kUnknown: it could not be tried
std::string_view to_string(Verdict verdict);        // "ok", "missing", "unknown"

struct CheckResult {
  std::string name;        // "veth pairs"
  bool is_needed = false;  // a node without it cannot work; else something less is lost
  Verdict verdict = Verdict::kUnknown;
  std::string detail;   // what the kernel said, or which of several ways it is
  std::string meaning;  // what does not work without it
};

// In this order. The calling thread is in another network namespace meanwhile.
std::vector<CheckResult> check_system(exec::Runner& programs);

}  // namespace margay::node
