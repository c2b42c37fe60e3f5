// netctl lab node stop|kill|start|partition|heal, apply, kubeconfig, and the keeper's process.
#include <poll.h>

#include <chrono>
#include <csignal>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "ctl/lab/keeper.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/wiring.h"

namespace margay::lab {
namespace {

using command::ExitCode;
using std::chrono::seconds;

constexpr seconds kLookAgain{5};
constexpr int kRetryMs = 500;

Status start_agent(const Paths& paths, LabState& state, const LabNode& node) {
  const ProcessRecord* const running = state.find(agent_process(node.name));
  if (running != nullptr && is_alive(*running))
    return Error{ErrorCode::kAlreadyExists, concat("margay-node of ", node.name, " runs already")};
  MARGAY_ASSIGN_OR_RETURN(ProcessRecord process, start_process(agent_options(paths, node)));
  state.replace(std::move(process));
  return write_state(paths, state);
}

Status stop_agent(const LabState& state, const LabNode& node, bool is_kind) {
  const ProcessRecord* const process = state.find(agent_process(node.name));
  if (process == nullptr || !is_alive(*process))
    return Error{ErrorCode::kNotFound, concat("margay-node of ", node.name, " does not run")};
  if (!is_kind) send_signal(*process, SIGKILL);
  stop_processes({*process}, seconds(10));
  return ok_status();
}

Status change_node(const Paths& paths, LabState& state, std::string_view action, std::size_t index) {
  const LabNode& node = state.topology.nodes[index];
  if (action == "start") return start_agent(paths, state, node);
  if (action == "stop") return stop_agent(state, node, true);
  if (action == "kill") return stop_agent(state, node, false);
  return set_cable(paths, state.topology, index, action == "heal");
}

// Until something has happened to a pod, or it is time to look anyway. False: the user, or `down`, ended us.
bool wait_for_change(verbs::Api& api, const schema::ResourceInfo& pods, const std::string& version) {
  const auto outcome = api.watch(pods, "",
                                 {.label_selector = {},
                                  .field_selector = {},
                                  .resource_version = version,
                                  .allow_bookmarks = false,
                                  .server_timeout = kLookAgain},
                                 [](const kube::WatchEvent&) { return false; });
  if (outcome.ok()) return true;
  (void)poll(nullptr, 0, kRetryMs);
  return outcome.error().code != ErrorCode::kCancelled;
}

}  // namespace

ExitCode run_node(verbs::Session& session, const Paths& paths) {
  auto state = read_state(paths);
  if (!state.ok()) return session.fail(state.error());
  const std::vector<std::string>& words = session.invocation().arguments;
  for (std::size_t i = 0; i < state->topology.nodes.size(); ++i) {
    if (state->topology.nodes[i].name != words[1]) continue;
    const Status done = change_node(paths, *state, words[0], i);
    if (!done.ok()) return session.fail(done.error());
    session.io().message(concat(words[1], ": ", words[0], " done\n"));
    return ExitCode::kDone;
  }
  return session.fail(Error{ErrorCode::kNotFound, concat("there is no node ", quoted(words[1]), " in this lab")});
}

// The command that writes is the same everywhere.
ExitCode run_apply(verbs::Session& session, const Paths& paths) {
  const auto state = read_state(paths);
  if (!state.ok()) return session.fail(state.error());
  const command::Invocation& invocation = session.invocation();
  if (!invocation.is_given("filename")) return session.usage("-f FILE is needed");
  std::vector<std::string> argv{program_path("netctl"), "apply", "--kubeconfig", paths.kubeconfig()};
  for (const std::string& file : invocation.texts("filename")) argv.insert(argv.end(), {"-f", file});
  if (invocation.is_on("recursive")) argv.emplace_back("-R");
  if (invocation.is_given("namespace")) argv.insert(argv.end(), {"-n", invocation.text("namespace")});
  const auto status = run_here("", argv);
  return status.ok() ? static_cast<ExitCode>(*status) : session.fail(status.error());
}

ExitCode run_kubeconfig(verbs::Session& session, const Paths& paths) {
  const auto state = read_state(paths);
  if (!state.ok()) return session.fail(state.error());
  session.io().out(concat(paths.kubeconfig(), "\n"));
  return ExitCode::kDone;
}

ExitCode run_keeper(verbs::Session& session, const Paths& paths) {
  const auto state = read_state(paths);
  if (!state.ok()) return session.fail(state.error());
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  const schema::ResourceInfo& pods = kind_of(session, "v1", "Pod");
  Keeper keeper(**api, pods, {.paths = paths, .topology = state->topology, .plugin = program_path("margay")});
  while (true) {
    const auto listed = (*api)->list(pods, "", {});
    if (!listed.ok() && listed.error().code == ErrorCode::kCancelled) return ExitCode::kDone;
    if (!listed.ok()) {
      (void)poll(nullptr, 0, kRetryMs);
      continue;
    }
    const bool is_done = keeper.pass(listed->items, format_timestamp(session.io().wall_now()));
    if (!is_done) (void)poll(nullptr, 0, kRetryMs);
    if (!wait_for_change(**api, pods, listed->resource_version)) return ExitCode::kDone;
  }
}

}  // namespace margay::lab
