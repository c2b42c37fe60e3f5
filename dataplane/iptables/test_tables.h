// For tests: the table that most of them use.
#pragma once

#include "dataplane/iptables/rule.h"

namespace margay::iptables::test {

inline constexpr TableId kFilter{IpFamily::kV4, Table::kFilter};

}  // namespace margay::iptables::test
