// The table of netctl's commands: the one place where a word, flag or example of the command line is written down.
#pragma once

#include <span>

#include "ctl/command/spec.h"

namespace margay::command {

// The command without a word: its flags are global, its children are the commands.
const Spec& root();

// Pages for `netctl help TOPIC`.
std::span<const Topic> topics();

}  // namespace margay::command
