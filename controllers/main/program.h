// margay-controllers as a process.
#pragma once

#include "controllers/main/flags.h"

namespace margay::controllers {

// Until a signal; the exit code.
int run_program(const Flags& flags);

}  // namespace margay::controllers
