// netctl lab up: namespaces and cables, API server, objects, router, controllers, agents, keeper; then it waits until
// every node is ready. What fails is told with the end of the log that knows, and nothing is left.
#include <unistd.h>

#include <chrono>
#include <functional>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/file/file.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/servers.h"
#include "ctl/lab/wiring.h"

namespace margay::lab {
namespace {

using command::ExitCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kReadyLimit{60};

class Riser {
 public:
  Riser(verbs::Session& session, Paths paths, LabState state, std::string folder, ExternalServer external)
      : session_(session),
        paths_(std::move(paths)),
        state_(std::move(state)),
        folder_(std::move(folder)),
        external_(std::move(external)) {}

  Status rise() {
    MARGAY_RETURN_IF_ERROR(step("namespaces and cables", [this] { return build(); }));
    MARGAY_RETURN_IF_ERROR(step("API server", [this] { return start_api_server(starter_, external_); }));
    MARGAY_RETURN_IF_ERROR(step("objects", [this] { return create_objects(); }));
    MARGAY_RETURN_IF_ERROR(step("routers", [this] { return start_routers(starter_); }));
    MARGAY_RETURN_IF_ERROR(step("programs", [this] { return start_programs(); }));
    return step("nodes ready", [this] { return wait_for_nodes(); });
  }

 private:
  Status step(std::string_view name, const std::function<Status()>& work) {
    const auto begin = session_.io().wall_now();
    session_.io().message(concat("  ", name, std::string(24 - std::min<std::size_t>(name.size(), 23), ' ')));
    Status done = work();
    const auto took = std::chrono::duration_cast<milliseconds>(session_.io().wall_now() - begin).count();
    session_.io().message(done.ok() ? concat(took, " ms\n") : std::string("failed\n"));
    return done;
  }

  Status build() {
    for (const char* folder : {"logs", "nodes"}) MARGAY_RETURN_IF_ERROR(make_folder(paths_.file(folder), kPrivate));
    for (const LabNode& node : state_.topology.nodes) {
      MARGAY_RETURN_IF_ERROR(make_folder(paths_.node(node.name), kPrivate));
    }
    MARGAY_RETURN_IF_ERROR(write_state(paths_, state_));
    return build_network(paths_, state_.topology);
  }

  // As a user would: netctl apply, which checks all before it writes any.
  Status create_objects() {
    const std::string objects = paths_.file("objects.json");
    MARGAY_RETURN_IF_ERROR(file::write_file_atomically(
        objects,
        json::dump(json::Object{{"apiVersion", "v1"}, {"kind", "List"}, {"items", start_objects(state_.topology)}})));
    std::vector<std::string> argv{program_path("netctl"), "apply", "--kubeconfig", paths_.kubeconfig(), "-f", objects};
    for (const std::string& name : state_.topology.files) {
      argv.insert(argv.end(), {"-f", name.starts_with('/') ? name : folder_ + name});
    }
    MARGAY_ASSIGN_OR_RETURN(const Captured applied,
                            run_captured({.name = {}, .argv = argv, .environment = {}, .space = {}, .log = {}}, ""));
    if (applied.exit_status != 0) return Error{ErrorCode::kInvalid, concat("the lab's objects: ", applied.out)};
    for (const LabNode& node : state_.topology.nodes) MARGAY_RETURN_IF_ERROR(write_addresses(session_, node));
    return ok_status();
  }

  Status start_programs() {
    for (const LabNode& node : state_.topology.nodes) {
      MARGAY_RETURN_IF_ERROR(starter_.start(agent_options(paths_, state_, node)));
    }
    const std::string controllers = "margay-controllers";
    std::vector<std::string> argv{program_path(controllers), "--listen", "none"};
    const std::vector<std::string> server = server_flags_of_controllers(paths_, state_);
    argv.insert(argv.end(), server.begin(), server.end());
    MARGAY_RETURN_IF_ERROR(starter_.start({.name = controllers,
                                           .argv = std::move(argv),
                                           .environment = {{"NO_DEFAULT_POOLS", "true"}},
                                           .space = {},
                                           .log = paths_.log(controllers)}));
    return starter_.start({.name = "keeper",
                           .argv = {program_path("netctl"), "lab", "keeper", "--name", paths_.name()},
                           .environment = {},
                           .space = {},
                           .log = paths_.log("keeper")});
  }

  Status wait_for_nodes() {
    for (const LabNode& node : state_.topology.nodes) {
      const std::string name = agent_process(node.name);
      const bool ready = wait_until(kReadyLimit, [&] {
        const auto report = node::read_agent(session_.host(), paths_.node_socket(node.name));
        return (report.ok() && is_ready(*report)) || !starter_.runs(name);
      });
      if (!ready || !starter_.runs(name)) return starter_.failed(name, " is not ready");
    }
    for (const ProcessRecord& process : state_.processes) {
      if (!is_alive(process)) return starter_.failed(process.name, "");
    }
    return ok_status();
  }

  verbs::Session& session_;
  Paths paths_;
  LabState state_;
  std::string folder_;  // of the topology file, with a slash; files are named from there
  ExternalServer external_;
  Starter starter_{paths_, state_};
};

// The topology of -f, or ours.
Result<LabState> wanted_state(verbs::Session& session, std::string& folder) {
  LabState state{.topology_text = std::string(kDefaultTopology),
                 .topology_name = "default",
                 .apiserver = session.invocation().text("apiserver"),
                 .added_nodes = {},
                 .topology = {},
                 .processes = {}};
  if (state.apiserver != kInMemory && state.apiserver != kOnEtcd) state.apiserver = kExternal;
  if (session.invocation().is_given("filename")) {
    const std::string file = session.invocation().text("filename");
    MARGAY_ASSIGN_OR_RETURN(state.topology_text, file::read_file(file));
    state.topology_name = file;
    folder = file.substr(0, file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1);
  }
  MARGAY_ASSIGN_OR_RETURN(state.topology, parse_topology(state.topology_text, state.topology_name));
  return state;
}

// The server that --apiserver names, if it is none of the lab's own.
ExternalServer external_server(const command::Invocation& invocation, const LabState& state) {
  if (state.apiserver != kExternal) return {};
  return {invocation.text("apiserver"), invocation.text("node-kubeconfig"), invocation.text("controllers-kubeconfig")};
}

Status prepare(const Paths& paths, const LabState& state) {
  const auto earlier = read_state(paths);
  if (earlier.ok() || earlier.error().code != ErrorCode::kNotFound)
    return Error{ErrorCode::kAlreadyExists, concat("there is a lab ", quoted(paths.name()),
                                                   " already: netctl lab status shows it, netctl lab down "
                                                   "takes it down, --name makes another")};
  for (const char* program : {"margay-apiserver", "margay-node", "margay-controllers", "margay-bgpd", "margay"}) {
    if (access(program_path(program).c_str(), X_OK) != 0)
      return Error{ErrorCode::kNotFound, concat(program_path(program), " is not there: make build makes it")};
  }
  MARGAY_RETURN_IF_ERROR(check_programs(state));
  MARGAY_RETURN_IF_ERROR(make_folder(Paths("").folder(), kPassable));
  return make_folder(paths.folder(), kPassable);
}

std::string plural(std::size_t count, std::string_view noun) { return concat(count, ' ', noun, count == 1 ? "" : "s"); }

std::string routers_in_words(const Topology& topology) {
  const std::string middle = topology.router.speaks_bgp
                                 ? concat("a router that speaks BGP (", to_string(topology.router.kind), ")")
                                 : std::string("a router that speaks no BGP");
  return topology.subnets.front().tor ? concat(middle, " and one for each subnet") : middle;
}

}  // namespace

ExitCode run_up(verbs::Session& session, const Paths& paths) {
  std::string folder;
  auto state = wanted_state(session, folder);
  if (!state.ok()) return session.fail(state.error());
  if (const Status prepared = prepare(paths, *state); !prepared.ok()) return session.fail(prepared.error());

  const auto begin = session.io().wall_now();
  const Topology& topology = state->topology;
  session.io().message(concat("lab ", quoted(paths.name()), ": ", plural(topology.nodes.size(), "node"), " in ",
                              plural(topology.subnets.size(), "subnet"), ", ", routers_in_words(topology), "\n"));
  const ExternalServer external = external_server(session.invocation(), *state);
  const Status risen = Riser(session, paths, *state, folder, external).rise();
  if (!risen.ok()) {
    const ExitCode code = session.fail(risen.error());
    run_down(session, paths);
    return code;
  }
  const auto took = std::chrono::duration_cast<milliseconds>(session.io().wall_now() - begin);
  session.io().message(concat("up in ", format_duration(took), "\n"));
  return ExitCode::kDone;
}

}  // namespace margay::lab
