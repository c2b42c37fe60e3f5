// margay-node as a process.
#pragma once

#include "agent/main/flags.h"

namespace margay::agent {

// Runs until a signal; the exit code.
int run_program(const Flags& flags);

}  // namespace margay::agent
