// margay-bgpd as a process.
#pragma once

#include "bgp/main/flags.h"

namespace margay::bgpd {

// Runs until a signal; the exit code.
int run_program(const Flags& flags);
// Says what is wrong with the configuration; the exit code.
int run_check(const Flags& flags);

}  // namespace margay::bgpd
