// Program: margay-apiserver put together: loop, store, server, listeners, signals.
#pragma once

#include "datastore/apiserver/flags.h"

namespace margay::apiserver {

// Serves until SIGTERM or SIGINT; the exit code: 0 stopped in order, 1 could not start.
int run_program(const Flags& flags);

}  // namespace margay::apiserver
