// What the commands of a lab share: its paths and state, its pods, its nodes' agents.
#pragma once

#include <string>
#include <vector>

#include "base/core/result.h"
#include "ctl/lab/paths.h"
#include "ctl/lab/pod.h"
#include "ctl/lab/state.h"
#include "ctl/node/node_report.h"
#include "ctl/verbs/session.h"

namespace margay::lab {

// All pods, sorted by name.
Result<std::vector<LabPod>> read_pods(verbs::Session& session);
bool is_ready(const node::NodeReport& report);
const schema::ResourceInfo& kind_of(verbs::Session& session, std::string_view api_version, std::string_view kind);
// Where our own programs are: beside netctl.
std::string program_path(std::string_view name);
// How a margay-node of the lab is started.
StartOptions agent_options(const Paths& paths, const LabState& state, const LabNode& node);
// status.addresses, which a kubelet would write.
Status write_addresses(verbs::Session& session, const LabNode& node);

// The commands; run() in lab.h has looked at --name, and at who asks where that counts.
command::ExitCode run_up(verbs::Session& session, const Paths& paths);
command::ExitCode run_down(verbs::Session& session, const Paths& paths);
command::ExitCode run_status(verbs::Session& session, const Paths& paths);
command::ExitCode run_apply(verbs::Session& session, const Paths& paths);
command::ExitCode run_exec(verbs::Session& session, const Paths& paths);
command::ExitCode run_connect(verbs::Session& session, const Paths& paths);
command::ExitCode run_matrix(verbs::Session& session, const Paths& paths);
command::ExitCode run_node(verbs::Session& session, const Paths& paths);
command::ExitCode run_kubeconfig(verbs::Session& session, const Paths& paths);
command::ExitCode run_keeper(verbs::Session& session, const Paths& paths);
command::ExitCode run_relay(verbs::Session& session, const Paths& paths);

}  // namespace margay::lab
