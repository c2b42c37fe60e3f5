// Asks a running margay-bgpd over its unix socket: show, reload, reset.
#pragma once

#include "bgp/main/flags.h"

namespace margay::bgpd {

// Prints the answer; the exit code.
int run_ask(const Flags& flags);

}  // namespace margay::bgpd
