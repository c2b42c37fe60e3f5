// netctl lab: a whole cluster of network namespaces on this machine, and what one can do with it. One function a
// command; ctl/command/lab_commands.h says what they do.
#pragma once

#include "ctl/command/exit_code.h"
#include "ctl/command/parse.h"
#include "ctl/verbs/session.h"

namespace margay::lab {

bool is_lab_command(const command::Invocation& invocation);
// Commands of a lab speak to its own API server, whatever the environment says. Before the server is made.
void use_lab_server(command::Invocation& invocation);
// The one that the command line names.
command::ExitCode run(verbs::Session& session);

}  // namespace margay::lab
