// netctl lab node stop|kill|start|partition|heal, apply, kubeconfig, and the keeper's process.
#include <poll.h>

#include <chrono>
#include <csignal>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "ctl/lab/keeper.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/relay.h"
#include "ctl/lab/servers.h"
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
  MARGAY_ASSIGN_OR_RETURN(ProcessRecord process, start_process(agent_options(paths, state, node)));
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

// Its namespace and cable, its Node as a user would apply it, its agent. What fails leaves the lab as it was but for
// what `down` removes.
Status add_to_lab(verbs::Session& session, const Paths& paths, LabState& state, const std::string& name,
                  const std::string& subnet) {
  MARGAY_RETURN_IF_ERROR(lab::add_node(state.topology, name, subnet));
  const std::size_t index = state.topology.nodes.size() - 1;
  const LabNode& node = state.topology.nodes[index];
  MARGAY_RETURN_IF_ERROR(make_folder(paths.node(name), kPrivate));
  MARGAY_RETURN_IF_ERROR(connect_node(paths, state.topology, index));
  MARGAY_ASSIGN_OR_RETURN(verbs::Api* const api, session.api());
  const auto created = api->create(kind_of(session, "v1", "Node"), "", node_object(state.topology, node), {});
  if (!created.ok() && created.error().code != ErrorCode::kAlreadyExists) return created.error().to_error();
  MARGAY_RETURN_IF_ERROR(write_addresses(session, node));
  state.added_nodes.emplace_back(name, subnet);
  return start_agent(paths, state, node);
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
  if ((words[0] == "add") != (words.size() == 3))
    return session.usage("add NODE SUBNET; other actions take NODE alone");
  if (words[0] == "add") {
    const Status added = add_to_lab(session, paths, *state, words[1], words[2]);
    if (!added.ok()) return session.fail(added.error());
    session.io().message(concat(words[1], ": added\n"));
    return ExitCode::kDone;
  }
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
  const auto api = session.api();
  if (!api.ok()) return session.fail(api.error());
  const schema::ResourceInfo& pods = kind_of(session, "v1", "Pod");
  Keeper keeper(**api, {.pods = &pods, .nodes = &kind_of(session, "v1", "Node")},
                {.paths = paths, .topology = {}, .plugin = program_path("margay")});
  while (true) {
    // Nodes are added while it runs.
    const auto state = read_state(paths);
    if (!state.ok()) return session.fail(state.error());
    keeper.set_topology(state->topology);
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

ExitCode run_relay(verbs::Session& session, const Paths& paths) {
  const std::vector<std::string>& words = session.invocation().arguments;
  const auto port = parse_number<std::uint16_t>(words[1]);
  if (!port) return session.usage(concat(quoted(words[1]), " is no port"));
  Relay relay(words[0], *port);
  std::string said;
  while (true) {
    const auto state = read_state(paths);
    if (!state.ok()) return session.fail(state.error());
    std::vector<std::string> spaces;
    for (const LabNode& node : state->topology.nodes) spaces.push_back(paths.space_of(node.name));
    const Status listens = relay.listen_in(spaces);
    if (!listens.ok() && std::exchange(said, listens.error().message) != listens.error().message)
      session.io().warning(listens.error().message);
    relay.run_for_a_while();
  }
}

}  // namespace margay::lab
