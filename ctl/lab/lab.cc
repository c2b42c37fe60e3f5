#include "ctl/lab/lab.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/core/check.h"
#include "base/core/text.h"
#include "ctl/command/help.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/net_space.h"
#include "ctl/lab/servers.h"

namespace margay::lab {

using command::CommandId;
using command::ExitCode;

namespace {

struct Command {
  CommandId id;
  ExitCode (*run)(verbs::Session& session, const Paths& paths);
  bool needs_root;
};

constexpr Command kCommands[] = {
    {CommandId::kLabUp, run_up, true},          {CommandId::kLabDown, run_down, true},
    {CommandId::kLabStatus, run_status, false}, {CommandId::kLabApply, run_apply, false},
    {CommandId::kLabExec, run_exec, true},      {CommandId::kLabConnect, run_connect, true},
    {CommandId::kLabMatrix, run_matrix, true},  {CommandId::kLabNode, run_node, true},
    {CommandId::kLabKeeper, run_keeper, false}, {CommandId::kLabKubeconfig, run_kubeconfig, false},
    {CommandId::kLabRelay, run_relay, true}};

const Command* find_command(CommandId id) {
  const auto* const at = std::find_if(std::begin(kCommands), std::end(kCommands),
                                      [id](const Command& command) { return command.id == id; });
  return at == std::end(kCommands) ? nullptr : at;
}

// The name of --name, which must be one.
Result<Paths> paths_of(const verbs::Session& session) {
  const std::string name = session.invocation().text("name");
  const bool is_plain = std::all_of(
      name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (name.empty() || name.size() > 32 || !is_plain)
    return invalid(concat("--name ", quoted(name), ": 1 to 32 lower-case letters, digits and '-' are wanted"));
  return Paths(name);
}

// kPermissionDenied with a text that says what is needed.
Status check_root() {
  if (geteuid() == 0) return ok_status();
  return Error{ErrorCode::kPermissionDenied, "a lab is made of network namespaces, which need root: run it with sudo"};
}

}  // namespace

bool is_lab_command(const command::Invocation& invocation) {
  return invocation.path.size() > 1 && invocation.path[1]->word == "lab" && !invocation.wants_help;
}

void use_lab_server(command::Invocation& invocation) {
  for (const char* flag : {"server", "token", "context", "certificate-authority", "client-certificate", "client-key"}) {
    if (const auto at = invocation.given.find(flag); at != invocation.given.end()) invocation.given.erase(at);
  }
  // `up` is told by --kubeconfig of a server that is there.
  const auto given = invocation.given.find("kubeconfig");
  if (given != invocation.given.end() && invocation.command().id == CommandId::kLabUp)
    invocation.given["apiserver"] = given->second;
  invocation.given["kubeconfig"] = {Paths(invocation.text("name")).kubeconfig()};
}

ExitCode run(verbs::Session& session) {
  const Command* const command = find_command(session.invocation().command().id);
  if (command == nullptr) return ExitCode::kUsage;
  const auto paths = paths_of(session);
  if (!paths.ok()) return session.usage(paths.error().message);
  if (command->needs_root) {
    if (const Status root = check_root(); !root.ok()) return session.fail(root.error());
  }
  return command->run(session, *paths);
}

const schema::ResourceInfo& kind_of(verbs::Session& session, std::string_view api_version, std::string_view kind) {
  const schema::ResourceInfo* const found = session.kind_of(api_version, kind, false);
  MARGAY_CHECK(found != nullptr);
  return *found;
}

Result<std::vector<LabPod>> read_pods(verbs::Session& session) {
  MARGAY_ASSIGN_OR_RETURN(verbs::Api* const api, session.api());
  auto listed = api->list(kind_of(session, "v1", "Pod"), "", {});
  if (!listed.ok()) return listed.error().to_error();
  std::vector<LabPod> pods;
  for (const json::Value& object : listed->items) pods.push_back(read_pod(object));
  std::sort(pods.begin(), pods.end(), [](const LabPod& a, const LabPod& b) { return a.to_string() < b.to_string(); });
  return pods;
}

bool is_ready(const node::NodeReport& report) {
  const node::AspectReport* const ready = report.find("Ready");
  return ready != nullptr && ready->is_well;
}

std::string program_path(std::string_view name) {
  std::array<char, 4096> buffer{};
  const ssize_t size = readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
  const std::string_view self(buffer.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  return concat(self.substr(0, self.rfind('/') + 1), name);
}

StartOptions agent_options(const Paths& paths, const LabState& state, const LabNode& node) {
  StartOptions options{.name = agent_process(node.name),
                       .argv = {program_path("margay-node"), "--node-name", node.name, "--run-dir",
                                paths.node(node.name), "--state-dir", paths.node(node.name)},
                       .environment = state.topology.environment,
                       .space = paths.space_of(node.name),
                       .log = paths.log(agent_process(node.name))};
  const auto is_v6 = [](const IpAddress& address) { return address.is_v6(); };
  if (std::any_of(node.addresses.begin(), node.addresses.end(), is_v6))
    options.environment.insert({"IP6", "autodetect"});
  const std::vector<std::string> server = server_flags_of_nodes(paths, state);
  options.argv.insert(options.argv.end(), server.begin(), server.end());
  options.environment.insert({{"NO_DEFAULT_POOLS", "true"},
                              {"FELIX_HEALTHENABLED", "false"},
                              {"FELIX_ENDPOINTSTATUSPATHPREFIX", paths.node(node.name)}});
  return options;
}

Status write_addresses(verbs::Session& session, const LabNode& node) {
  MARGAY_ASSIGN_OR_RETURN(verbs::Api* const api, session.api());
  const json::Value patch = json::Object{{"status", node_status(node)}};
  const auto done = api->patch_status(kind_of(session, "v1", "Node"), {"", node.name}, kube::PatchType::kMerge,
                                      json::dump(patch), {});
  return done.ok() ? ok_status() : Status(done.error().to_error().within(node.name));
}

}  // namespace margay::lab
