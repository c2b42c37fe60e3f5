// netctl lab up: namespaces and cables, API server, objects, router, controllers, agents, keeper; then it waits until
// every node is ready. What fails is told with the end of the log that knows, and nothing is left.
#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>

#include "base/core/text.h"
#include "base/core/time_text.h"
#include "base/file/file.h"
#include "ctl/lab/deadline.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/wiring.h"

namespace margay::lab {
namespace {

using command::ExitCode;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kServerLimit{10};
constexpr seconds kReadyLimit{30};
constexpr milliseconds kAskAgain{20};

Status make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return ok_status();
  return file::error_of(errno, path, "cannot create");
}

bool wait_until(Duration limit, const std::function<bool()>& is_done) {
  Deadline deadline(limit);
  while (!is_done()) {
    if (deadline.has_passed()) return false;
    (void)poll(nullptr, 0, static_cast<int>(kAskAgain.count()));
  }
  return true;
}

// The last lines of a log, for an error.
std::string tail_of(const std::string& path) {
  constexpr std::size_t kLines = 8;
  const auto text = file::read_file(path);
  if (!text.ok()) return {};
  std::vector<std::string_view> lines = split(*text, '\n');
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  std::string out;
  for (std::size_t i = lines.size() > kLines ? lines.size() - kLines : 0; i < lines.size(); ++i) {
    out += concat("\n  ", lines[i]);
  }
  return out.empty() ? out : concat("\n", path, ":", out);
}

class Riser {
 public:
  Riser(verbs::Session& session, Paths paths, LabState state, std::string folder)
      : session_(session), paths_(std::move(paths)), state_(std::move(state)), folder_(std::move(folder)) {}

  Status rise() {
    MARGAY_RETURN_IF_ERROR(step("namespaces and cables", [this] { return build(); }));
    MARGAY_RETURN_IF_ERROR(step("margay-apiserver", [this] { return start_server(); }));
    MARGAY_RETURN_IF_ERROR(step("objects", [this] { return create_objects(); }));
    MARGAY_RETURN_IF_ERROR(step("programs", [this] { return start_programs(); }));
    return step("nodes ready", [this] { return wait_for_nodes(); });
  }

 private:
  Status step(std::string_view name, const std::function<Status()>& work) {
    const auto begin = session_.io().wall_now();
    session_.io().message(concat("  ", name, std::string(24 - std::min<std::size_t>(name.size(), 23), ' ')));
    const Status done = work();
    const auto took = std::chrono::duration_cast<milliseconds>(session_.io().wall_now() - begin).count();
    session_.io().message(done.ok() ? concat(took, " ms\n") : std::string("failed\n"));
    return done;
  }

  Status build() {
    for (const char* folder : {"logs", "nodes"}) MARGAY_RETURN_IF_ERROR(make_folder(paths_.file(folder)));
    for (const LabNode& node : state_.topology.nodes) MARGAY_RETURN_IF_ERROR(make_folder(paths_.node(node.name)));
    MARGAY_RETURN_IF_ERROR(write_state(paths_, state_));
    return build_network(paths_, state_.topology);
  }

  Status start(const StartOptions& options) {
    MARGAY_ASSIGN_OR_RETURN(ProcessRecord process, start_process(options));
    state_.replace(std::move(process));
    return write_state(paths_, state_);
  }

  // It ended, or is not what it should be in time.
  Error failed(const std::string& program, std::string_view what) {
    const ProcessRecord* const process = state_.find(program);
    const bool has_ended = process != nullptr && !is_alive(*process);
    return Error{ErrorCode::kInternal,
                 concat(program, has_ended ? " has ended" : "", has_ended ? "" : what, tail_of(paths_.log(program)))};
  }

  Status start_server() {
    const std::string name = "margay-apiserver";
    MARGAY_RETURN_IF_ERROR(start({.name = name,
                                  .argv = {program_path(name), "--listen", "tcp://127.0.0.1:0", "--listen",
                                           concat("unix://", paths_.api_socket()), "--store", "memory",
                                           "--write-kubeconfig", paths_.kubeconfig()},
                                  .environment = {},
                                  .space = {},
                                  .log = paths_.log(name)}));
    const bool serves = wait_until(
        kServerLimit, [&] { return access(paths_.kubeconfig().c_str(), R_OK) == 0 || !is_alive(*state_.find(name)); });
    if (!serves || !is_alive(*state_.find(name))) return failed(name, " does not serve");
    return ok_status();
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
    MARGAY_ASSIGN_OR_RETURN(verbs::Api* const api, session_.api());
    const schema::ResourceInfo& nodes = kind_of(session_, "v1", "Node");
    for (const LabNode& node : state_.topology.nodes) {
      const json::Value patch = json::Object{{"status", node_status(node)}};
      const auto done = api->patch_status(nodes, {"", node.name}, kube::PatchType::kMerge, json::dump(patch), {});
      if (!done.ok()) return done.error().to_error().within(node.name);
    }
    return ok_status();
  }

  Status start_programs() {
    if (state_.topology.router.speaks_bgp) {
      const std::string name = "margay-bgpd";
      const std::string file = paths_.file("router.yaml");
      MARGAY_RETURN_IF_ERROR(file::write_file_atomically(file, router_config(state_.topology)));
      MARGAY_RETURN_IF_ERROR(
          start({.name = name,
                 .argv = {program_path(name), "--config", file, "--socket", paths_.file("router.sock")},
                 .environment = {},
                 .space = paths_.space_of(kRouterName),
                 .log = paths_.log(name)}));
    }
    for (const LabNode& node : state_.topology.nodes) MARGAY_RETURN_IF_ERROR(start(agent_options(paths_, node)));
    const std::string controllers = "margay-controllers";
    MARGAY_RETURN_IF_ERROR(start(
        {.name = controllers,
         .argv = {program_path(controllers), "--server", concat("unix://", paths_.api_socket()), "--listen", "none"},
         .environment = {{"NO_DEFAULT_POOLS", "true"}},
         .space = {},
         .log = paths_.log(controllers)}));
    return start({.name = "keeper",
                  .argv = {program_path("netctl"), "lab", "keeper", "--name", paths_.name()},
                  .environment = {},
                  .space = {},
                  .log = paths_.log("keeper")});
  }

  Status wait_for_nodes() {
    for (const LabNode& node : state_.topology.nodes) {
      const bool ready = wait_until(kReadyLimit, [&] {
        const auto report = node::read_agent(session_.host(), paths_.node_socket(node.name));
        return (report.ok() && is_ready(*report)) || !is_alive(*state_.find(agent_process(node.name)));
      });
      if (!ready || !is_alive(*state_.find(agent_process(node.name))))
        return failed(agent_process(node.name), " is not ready");
    }
    for (const char* program : {"margay-bgpd", "margay-controllers", "keeper"}) {
      const ProcessRecord* const process = state_.find(program);
      if (process != nullptr && !is_alive(*process)) return failed(program, "");
    }
    return ok_status();
  }

  verbs::Session& session_;
  Paths paths_;
  LabState state_;
  std::string folder_;  // of the topology file, with a slash; files are named from there
};

// The topology of -f, or ours.
Result<LabState> wanted_state(verbs::Session& session, std::string& folder) {
  LabState state{
      .topology_text = std::string(kDefaultTopology), .topology_name = "default", .topology = {}, .processes = {}};
  if (session.invocation().is_given("filename")) {
    const std::string file = session.invocation().text("filename");
    MARGAY_ASSIGN_OR_RETURN(state.topology_text, file::read_file(file));
    state.topology_name = file;
    folder = file.substr(0, file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1);
  }
  MARGAY_ASSIGN_OR_RETURN(state.topology, parse_topology(state.topology_text, state.topology_name));
  return state;
}

Status prepare(const Paths& paths) {
  const auto earlier = read_state(paths);
  if (earlier.ok() || earlier.error().code != ErrorCode::kNotFound)
    return Error{ErrorCode::kAlreadyExists, concat("there is a lab ", quoted(paths.name()),
                                                   " already: netctl lab status shows it, netctl lab down "
                                                   "takes it down, --name makes another")};
  for (const char* program : {"margay-apiserver", "margay-node", "margay-controllers", "margay-bgpd", "margay"}) {
    if (access(program_path(program).c_str(), X_OK) != 0)
      return Error{ErrorCode::kNotFound, concat(program_path(program), " is not there: make build makes it")};
  }
  MARGAY_RETURN_IF_ERROR(make_folder(Paths("").folder()));
  return make_folder(paths.folder());
}

std::string plural(std::size_t count, std::string_view noun) { return concat(count, ' ', noun, count == 1 ? "" : "s"); }

}  // namespace

ExitCode run_up(verbs::Session& session, const Paths& paths) {
  std::string folder;
  auto state = wanted_state(session, folder);
  if (!state.ok()) return session.fail(state.error());
  if (const Status prepared = prepare(paths); !prepared.ok()) return session.fail(prepared.error());

  const auto begin = session.io().wall_now();
  const Topology& topology = state->topology;
  session.io().message(concat("lab ", quoted(paths.name()), ": ", plural(topology.nodes.size(), "node"), " in ",
                              plural(topology.subnets.size(), "subnet"), ", a router",
                              topology.router.speaks_bgp ? " that speaks BGP\n" : "\n"));
  const Status risen = Riser(session, paths, *state, folder).rise();
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
