#include "ctl/lab/servers.h"

#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/core/base64.h"
#include "base/core/text.h"
#include "base/file/file.h"
#include "ctl/lab/deadline.h"
#include "ctl/lab/lab_session.h"
#include "ctl/lab/net_space.h"
#include "datastore/kube/config.h"

namespace margay::lab {
namespace {

using json::Array;
using json::Object;
using json::Value;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kServerLimit{30};
constexpr milliseconds kAskAgain{20};

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

bool has_file(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0;
}

bool is_reachable(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_connected = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(fd);
  return is_connected;
}

// Free a moment ago; several at once are different ones.
std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::vector<int> held;
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < count; ++i) {
    held.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    (void)bind(held.back(), reinterpret_cast<const sockaddr*>(&address), size);
    (void)getsockname(held.back(), reinterpret_cast<sockaddr*>(&address), &size);
    out.push_back(ntohs(address.sin_port));
  }
  for (const int fd : held) close(fd);
  return out;
}

// "etcd://127.0.0.1:PORT", for --store.
Result<std::string> start_etcd(Starter& starter) {
  const Paths& paths = starter.paths();
  const std::vector<std::uint16_t> ports = free_ports(2);
  const std::string client = concat("http://127.0.0.1:", ports[0]);
  const std::string peer = concat("http://127.0.0.1:", ports[1]);
  MARGAY_RETURN_IF_ERROR(starter.start(
      {.name = "etcd",
       .argv = {find_program("etcd"), "--data-dir", paths.file("etcd"), "--listen-client-urls", client,
                "--advertise-client-urls", client, "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", concat("default=", peer), "--unsafe-no-fsync"},
       .environment = {},
       .space = {},
       .log = paths.log("etcd")}));
  const bool serves = wait_until(kServerLimit, [&] { return is_reachable(ports[0]) || !starter.runs("etcd"); });
  if (!serves || !starter.runs("etcd")) return starter.failed("etcd", " does not serve");
  return concat("etcd://127.0.0.1:", ports[0]);
}

Status start_own_server(Starter& starter) {
  const Paths& paths = starter.paths();
  std::string store = "memory";
  if (starter.state().apiserver == kOnEtcd) {
    MARGAY_ASSIGN_OR_RETURN(store, start_etcd(starter));
  }
  const std::string name = "margay-apiserver";
  MARGAY_RETURN_IF_ERROR(starter.start(
      {.name = name,
       .argv = {program_path(name), "--listen", "tcp://127.0.0.1:0", "--listen", concat("unix://", paths.api_socket()),
                "--store", store, "--write-kubeconfig", paths.kubeconfig()},
       .environment = {},
       .space = {},
       .log = paths.log(name)}));
  return starter.wait_for_file(name, paths.kubeconfig());
}

// All that `config` says in one file, certificates and token included.
std::string kubeconfig_text(const kube::ConnectionConfig& config, const std::string& server, std::string_view name) {
  Object cluster{{"server", server}};
  if (!config.tls.ca_pem.empty()) cluster["certificate-authority-data"] = base64_encode(config.tls.ca_pem);
  if (config.tls.insecure_skip_verify) cluster["insecure-skip-tls-verify"] = true;
  if (!name.empty()) cluster["tls-server-name"] = name;
  Object user;
  if (!config.tls.certificate_pem.empty()) {
    user["client-certificate-data"] = base64_encode(config.tls.certificate_pem);
    user["client-key-data"] = base64_encode(config.tls.key_pem);
  }
  if (!config.token.empty()) user["token"] = config.token;
  if (!config.token_file.empty()) user["tokenFile"] = config.token_file;
  const auto named = [](const char* what, Object value) {
    return Array{Object{{"name", "lab"}, {what, std::move(value)}}};
  };
  return json::dump_pretty(Object{{"apiVersion", "v1"},
                                  {"kind", "Config"},
                                  {"clusters", named("cluster", std::move(cluster))},
                                  {"users", named("user", std::move(user))},
                                  {"contexts", named("context", Object{{"cluster", "lab"}, {"user", "lab"}})},
                                  {"current-context", "lab"}});
}

Result<kube::ConnectionConfig> read_kubeconfig(const std::string& file) {
  kube::ConnectionFlags flags;
  flags.kubeconfig = file;
  MARGAY_ASSIGN_OR_RETURN(kube::ConnectionConfig config, kube::choose_connection(flags, {}));
  if (config.servers.empty()) return invalid(concat(file, ": it names no server"));
  return config;
}

// As this machine reaches it; and for nodes, which have a relay (relay.h) on 127.0.0.1 with the server's port.
Status write_kubeconfig(const std::string& from, const std::string& to, bool is_for_nodes) {
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig config, read_kubeconfig(from));
  std::string name = config.tls.server_name;
  kube::ServerUrl server = config.servers.front();
  if (is_for_nodes && server.endpoint.kind == loop::Endpoint::Kind::kTcp && server.endpoint.host != "127.0.0.1") {
    if (name.empty()) name = server.endpoint.host;
    server.endpoint.host = "127.0.0.1";
  }
  return file::write_file_atomically(to, kubeconfig_text(config, server.to_string(), name), 0600);
}

Status use_external_server(Starter& starter, const ExternalServer& external) {
  const Paths& paths = starter.paths();
  const auto or_administrator = [&](const std::string& file) { return file.empty() ? external.administrator : file; };
  MARGAY_RETURN_IF_ERROR(write_kubeconfig(external.administrator, paths.kubeconfig(), false));
  MARGAY_RETURN_IF_ERROR(write_kubeconfig(or_administrator(external.nodes), paths.file("nodes.kubeconfig"), true));
  MARGAY_RETURN_IF_ERROR(
      write_kubeconfig(or_administrator(external.controllers), paths.file("controllers.kubeconfig"), false));
  MARGAY_ASSIGN_OR_RETURN(const kube::ConnectionConfig config, read_kubeconfig(external.administrator));
  const loop::Endpoint& endpoint = config.servers.front().endpoint;
  if (endpoint.kind != loop::Endpoint::Kind::kTcp) return ok_status();
  return starter.start(
      {.name = "relay",
       .argv = {program_path("netctl"), "lab", "relay", endpoint.host, concat(endpoint.port), "--name", paths.name()},
       .environment = {},
       .space = {},
       .log = paths.log("relay")});
}

// zebra and bgpd become the user of their package, and write beside their files.
Status give_to_frr(const std::string& folder) {
  const passwd* const user = getpwnam("frr");
  if (user == nullptr) return Error{ErrorCode::kNotFound, "there is no user frr: Debian's package frr makes it"};
  if (chown(folder.c_str(), user->pw_uid, user->pw_gid) == 0) return ok_status();
  return file::error_of(errno, folder, "cannot change the owner");
}

Status start_router(Starter& starter, const RouterPlan& plan) {
  const Paths& paths = starter.paths();
  const std::string folder = paths.file(concat("routers/", plan.name));
  MARGAY_RETURN_IF_ERROR(make_folder(folder, kPassable));
  for (const RouterFile& file : router_files(plan)) {
    MARGAY_RETURN_IF_ERROR(file::write_file_atomically(concat(folder, '/', file.name), file.text));
  }
  if (plan.router.kind == RouterKind::kFrr) MARGAY_RETURN_IF_ERROR(give_to_frr(folder));
  for (const RouterProgram& program : router_programs(plan, folder)) {
    const std::string name = concat(program.name, '.', plan.name);
    std::vector<std::string> argv{program.package.empty() ? program_path(program.name) : find_program(program.name)};
    argv.insert(argv.end(), program.arguments.begin(), program.arguments.end());
    MARGAY_RETURN_IF_ERROR(starter.start({.name = name,
                                          .argv = std::move(argv),
                                          .environment = {},
                                          .space = paths.space_of(plan.name),
                                          .log = paths.log(name)}));
    if (!program.ready_file.empty()) MARGAY_RETURN_IF_ERROR(starter.wait_for_file(name, program.ready_file));
  }
  return ok_status();
}

Error missing(std::string_view program, std::string_view who, std::string_view package) {
  return Error{ErrorCode::kNotFound,
               concat(program, " is not on this machine, and ", who, " needs it: it is in Debian's package ", package)};
}

}  // namespace

Status make_folder(const std::string& path, mode_t mode) {
  if ((mkdir(path.c_str(), mode) == 0 || errno == EEXIST) && chmod(path.c_str(), mode) == 0) return ok_status();
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

std::string find_program(const std::string& name) {
  const char* const path = std::getenv("PATH");
  const std::string folders = concat(path == nullptr ? "" : path, ":/usr/sbin:/usr/bin:/usr/lib/frr");
  for (const std::string_view folder : split(folders, ':')) {
    std::string file = concat(folder, '/', name);
    if (!folder.empty() && access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

Status Starter::start(const StartOptions& options) {
  MARGAY_ASSIGN_OR_RETURN(ProcessRecord process, start_process(options));
  state_.replace(std::move(process));
  return write_state(paths_, state_);
}

bool Starter::runs(const std::string& program) const {
  const ProcessRecord* const process = state_.find(program);
  return process != nullptr && is_alive(*process);
}

Error Starter::failed(const std::string& program, std::string_view what) const {
  const bool has_ended = state_.find(program) != nullptr && !runs(program);
  return Error{ErrorCode::kInternal,
               concat(program, has_ended ? " has ended" : "", has_ended ? "" : what, tail_of(paths_.log(program)))};
}

Status Starter::wait_for_file(const std::string& program, const std::string& file) const {
  const bool is_ready = wait_until(kServerLimit, [&] { return has_file(file) || !runs(program); });
  if (!is_ready || !runs(program)) return failed(program, " does not serve");
  return ok_status();
}

Status check_programs(const LabState& state) {
  if (state.apiserver == kOnEtcd && find_program("etcd").empty())
    return missing("etcd", "--apiserver etcd", "etcd-server");
  for (const RouterPlan& plan : plan_routers(state.topology)) {
    if (!plan.router.speaks_bgp) continue;
    for (const RouterProgram& program : router_programs(plan, "")) {
      if (!program.package.empty() && find_program(program.name).empty()) {
        return missing(program.name, concat(quoted(plan.name), " (of kind ", to_string(plan.router.kind), ")"),
                       program.package);
      }
    }
  }
  return ok_status();
}

Status start_api_server(Starter& starter, const ExternalServer& external) {
  return starter.state().apiserver == kExternal ? use_external_server(starter, external) : start_own_server(starter);
}

Status start_routers(Starter& starter) {
  MARGAY_RETURN_IF_ERROR(make_folder(starter.paths().file("routers"), kPassable));
  for (const RouterPlan& plan : plan_routers(starter.state().topology)) {
    if (plan.router.speaks_bgp) MARGAY_RETURN_IF_ERROR(start_router(starter, plan));
  }
  return ok_status();
}

std::vector<std::string> server_flags_of_nodes(const Paths& paths, const LabState& state) {
  if (state.apiserver == kExternal) return {"--kubeconfig", paths.file("nodes.kubeconfig")};
  return {"--server", concat("unix://", paths.api_socket())};
}

std::vector<std::string> server_flags_of_controllers(const Paths& paths, const LabState& state) {
  if (state.apiserver == kExternal) return {"--kubeconfig", paths.file("controllers.kubeconfig")};
  return {"--server", concat("unix://", paths.api_socket())};
}

}  // namespace margay::lab
