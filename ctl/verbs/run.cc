#include "ctl/command/help.h"
#include "ctl/verbs/flag_values.h"
#include "ctl/verbs/verbs.h"

namespace margay::verbs {

command::ExitCode run(Session& session) {
  using command::CommandId;
  if (session.invocation().wants_help) {
    session.io().out(command::help(session.invocation().path, session.self().program));
    return command::ExitCode::kDone;
  }
  if (const Status values = check_flag_values(session.invocation()); !values.ok())
    return session.usage(values.error().message);
  switch (session.invocation().command().id) {
    case CommandId::kApply: return run_apply(session);
    case CommandId::kCreate: return run_create(session);
    case CommandId::kReplace: return run_replace(session);
    case CommandId::kGet: return run_get(session);
    case CommandId::kDelete: return run_delete(session);
    case CommandId::kPatch: return run_patch(session);
    case CommandId::kLabel: return run_label(session);
    case CommandId::kValidate: return run_validate(session);
    case CommandId::kPolicyEval: return run_policy_eval(session);
    case CommandId::kPolicyLint: return run_policy_lint(session);
    case CommandId::kIpamShow: return run_ipam_show(session);
    case CommandId::kIpamCheck: return run_ipam_check(session);
    case CommandId::kIpamRelease: return run_ipam_release(session);
    case CommandId::kIpamConfigure: return run_ipam_configure(session);
    case CommandId::kIpamSplit: return run_ipam_split(session);
    case CommandId::kIpamExplain: return run_ipam_explain(session);
    case CommandId::kNodeStatus: return run_node_status(session);
    case CommandId::kNodeChecksystem: return run_node_checksystem(session);
    case CommandId::kBgpPeers: return run_bgp_peers(session);
    case CommandId::kBgpRoutes: return run_bgp_routes(session);
    case CommandId::kBgpNeighbor: return run_bgp_neighbor(session);
    case CommandId::kSupportBundle: return run_support_bundle(session);
    case CommandId::kDiff: return run_diff(session);
    case CommandId::kExplain: return run_explain(session);
    case CommandId::kApiResources: return run_api_resources(session);
    case CommandId::kVersion: return run_version(session);
    case CommandId::kCompletion: return run_completion(session);
    case CommandId::kHelp: return run_help(session);
    // Those are ctl/lab's.
    case CommandId::kLabUp:
    case CommandId::kLabDown:
    case CommandId::kLabStatus:
    case CommandId::kLabApply:
    case CommandId::kLabExec:
    case CommandId::kLabConnect:
    case CommandId::kLabMatrix:
    case CommandId::kLabNode:
    case CommandId::kLabKubeconfig:
    case CommandId::kLabKeeper:
    case CommandId::kLabRelay:
    case CommandId::kGroup: break;
  }
  return command::ExitCode::kUsage;
}

}  // namespace margay::verbs
