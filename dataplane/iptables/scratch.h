// Trying lines of iptables-restore where nobody sees it: in a network namespace of its own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/backend.h"
#include "dataplane/iptables/rule.h"

namespace margay::iptables {

using ScratchLines = std::map<Table, std::vector<std::string>>;

// All of them in one run. kPermissionDenied: such a namespace cannot be made. Others: iptables or the kernel refuses,
// in its words.
Status try_in_scratch(exec::Runner& runner, IpFamily family, Backend backend, const ScratchLines& lines);

}  // namespace margay::iptables
