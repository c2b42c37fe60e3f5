// The commands. One function each; they differ from their help in nothing: ctl/command/commands.cc says what they do.
#pragma once

#include "ctl/command/complete.h"
#include "ctl/command/exit_code.h"
#include "ctl/verbs/session.h"

namespace margay::verbs {

command::ExitCode run_apply(Session& session);
command::ExitCode run_create(Session& session);
command::ExitCode run_replace(Session& session);
command::ExitCode run_delete(Session& session);
command::ExitCode run_get(Session& session);
command::ExitCode run_patch(Session& session);
command::ExitCode run_label(Session& session);
command::ExitCode run_validate(Session& session);
command::ExitCode run_policy_eval(Session& session);
command::ExitCode run_policy_lint(Session& session);
command::ExitCode run_ipam_show(Session& session);
command::ExitCode run_ipam_check(Session& session);
command::ExitCode run_ipam_release(Session& session);
command::ExitCode run_ipam_configure(Session& session);
command::ExitCode run_ipam_split(Session& session);
command::ExitCode run_ipam_explain(Session& session);
command::ExitCode run_node_status(Session& session);
command::ExitCode run_node_checksystem(Session& session);
command::ExitCode run_bgp_peers(Session& session);
command::ExitCode run_bgp_routes(Session& session);
command::ExitCode run_bgp_neighbor(Session& session);
command::ExitCode run_support_bundle(Session& session);
command::ExitCode run_diff(Session& session);
command::ExitCode run_explain(Session& session);
command::ExitCode run_api_resources(Session& session);
command::ExitCode run_version(Session& session);
command::ExitCode run_completion(Session& session);
command::ExitCode run_help(Session& session);
// `session` is that of the flags typed so far.
command::ExitCode run_complete(Session& session, const command::Completion& completion);

// The one that the command line names.
command::ExitCode run(Session& session);

}  // namespace margay::verbs
