// Values of flags that have a form of their own (URLs, selectors, paths, names), looked at before a command does
// anything: a mistake of the command line is one of usage, whatever servers and files there are.
#pragma once

#include "base/core/result.h"
#include "ctl/command/parse.h"

namespace margay::verbs {

// The first value that cannot be right; the message names its flag.
Status check_flag_values(const command::Invocation& invocation);

}  // namespace margay::verbs
