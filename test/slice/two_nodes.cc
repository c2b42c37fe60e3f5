#include "test/slice/two_nodes.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "policy/translate/translate.h"
#include "test/support/unix_http.h"

namespace margay::test {

using json::Array;
using json::Object;
using json::Value;

const kube::ResourceType kPods{"", "v1", "pods", "Pod", true};
const kube::ResourceType kNodes{"", "v1", "nodes", "Node", false};
const kube::ResourceType kPools{"projectcalico.org", "v3", "ippools", "IPPool", false};
const kube::ResourceType kAffinities{"projectcalico.org", "v3", "blockaffinities", "BlockAffinity", false};
const kube::ResourceType kPolicies{"projectcalico.org", "v3", "networkpolicies", "NetworkPolicy", true};
const kube::ResourceType kWorkloads{"projectcalico.org", "v3", "workloadendpoints", "WorkloadEndpoint", true};

namespace {

// Of pods whose addresses a test chooses; the other is for those that the agents give.
constexpr const char* kPool = "10.65.0.0/16";
constexpr const char* kManagedPool = "10.66.0.0/16";

template <class T>
T must(kube::ApiResult<T> result) {
  if (!result.ok()) std::fprintf(stderr, "API: %s\n", result.error().message.c_str());
  MARGAY_CHECK(result.ok());
  return std::move(result).value();
}

Value object_of(const char* version, const char* kind, const std::string& name, Object spec) {
  return Object{
      {"apiVersion", version}, {"kind", kind}, {"metadata", Object{{"name", name}}}, {"spec", std::move(spec)}};
}

}  // namespace

Value pod_object(const std::string& name, const std::string& node, const std::string& address) {
  Value pod = object_of("v1", "Pod", name,
                        Object{{"nodeName", node}, {"containers", Array{Object{{"name", "c"}, {"image", "none"}}}}});
  pod["metadata"]["namespace"] = "default";
  pod["metadata"]["labels"] = Object{{"app", name}};
  pod["status"] = Object{{"phase", "Running"}, {"podIP", address}, {"podIPs", Array{Object{{"ip", address}}}}};
  return pod;
}

std::unique_ptr<TwoNodes> TwoNodes::start(std::string* why) {
  *why = missing_for_net_spaces();
  if (!why->empty()) return nullptr;
  for (const char* program : {"margay-node", "margay", "margay-controllers"}) {
    if (access(program_path(program).c_str(), X_OK) != 0) return *why = concat(program, " is not built"), nullptr;
  }
  auto server = start_memory_server({.flags = {}, .unix_socket = true}, why);
  if (server == nullptr) return nullptr;
  std::unique_ptr<TwoNodes> made(new TwoNodes(std::move(server)));
  made->controllers_ = std::make_unique<ChildProcess>(ProcessOptions{
      {program_path("margay-controllers"), "--kubeconfig", made->server_->kubeconfig(), "--listen", "none"},
      {},
      "",
      made->dir_.file("controllers.log")});
  made->start_agent(Who::kA);
  made->start_agent(Who::kB);
  return made;
}

TwoNodes::TwoNodes(std::unique_ptr<ApiServer> server)
    : server_(std::move(server)),
      client_(server_->kubeconfig()),
      nodes_{{{"node-a", "192.0.2.1", "10.65.0.0/26", {}, {}}, {"node-b", "192.0.2.2", "10.65.0.64/26", {}, {}}}} {
  node(Who::kA).ip({concat("link add eth0 type veth peer name eth0 netns ", node(Who::kB).path()),
                    "addr add 192.0.2.1/24 dev eth0", "link set eth0 up"});
  node(Who::kB).ip({"addr add 192.0.2.2/24 dev eth0", "link set eth0 up"});
  create(kPools, object_of("projectcalico.org/v3", "IPPool", "pool",
                           Object{{"cidr", kPool}, {"ipipMode", "Never"}, {"disabled", true}}));
  create(kPools,
         object_of("projectcalico.org/v3", "IPPool", "managed", Object{{"cidr", kManagedPool}, {"ipipMode", "Never"}}));
  for (const Node& each : nodes_) describe(each);
}

TwoNodes::~TwoNodes() = default;

void TwoNodes::describe(const Node& each) {
  Value created = must(client_.create(kNodes, object_of("v1", "Node", each.name, {})));
  created["status"]["addresses"] = Array{Object{{"type", "InternalIP"}, {"address", each.address}}};
  must(client_.update_status(kNodes, created));
  create(kAffinities,
         object_of("projectcalico.org/v3", "BlockAffinity", each.name,
                   Object{{"cidr", each.block}, {"node", each.name}, {"state", "confirmed"}, {"type", "host"}}));
}

void TwoNodes::create(const kube::ResourceType& type, const Value& object) { must(client_.create(type, object)); }

void TwoNodes::remove(const kube::ResourceType& type, const kube::ObjectName& name) {
  must(client_.remove(type, name));
}

// As the CNI plugin does it: the gateway is an address nobody has, with a MAC that the host's end has.
std::unique_ptr<NetSpace> TwoNodes::plug(Who who, const std::string& interface, const std::string& address) {
  auto pod = std::make_unique<NetSpace>();
  pod->ip({concat("link add eth0 type veth peer name ", interface, " netns ", node(who).path()),
           concat("addr add ", address, "/32 dev eth0"), "link set eth0 up",
           "route add 169.254.1.1 dev eth0 scope link", "route add default via 169.254.1.1",
           "neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent"});
  node(who).ip({concat("link set ", interface, " address ee:ee:ee:ee:ee:ee"), concat("link set ", interface, " up")});
  return pod;
}

std::unique_ptr<NetSpace> TwoNodes::run_pod(Who who, const std::string& name, const std::string& address) {
  auto pod = plug(who, policy::interface_name_of("default", name), address);
  const Value object = pod_object(name, at(who).name, address);
  Value created = must(client_.create(kPods, object));
  created["status"] = *object.find("status");
  must(client_.update_status(kPods, created));
  return pod;
}

ProgramResult TwoNodes::plugin(Who who, const std::string& command, const std::string& pod,
                               const NetSpace& space) const {
  const Value configuration = Object{{"cniVersion", "1.0.0"},
                                     {"name", "margay"},
                                     {"type", "margay"},
                                     {"socket", dir_.file(at(who).name) + "/cni.sock"}};
  const ProcessOptions process{
      .argv = {program_path("margay")},
      .environment = {{"CNI_COMMAND", command},
                      {"CNI_CONTAINERID", "container-of-" + pod},
                      {"CNI_NETNS", space.path()},
                      {"CNI_IFNAME", "eth0"},
                      {"CNI_PATH", "/nowhere"},
                      {"CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=" + pod}},
      .stdin_text = json::dump(configuration),
      .output_path = ""};
  ProgramResult done;
  node(who).call([&] { done = run_program(process); });
  return done;
}

void TwoNodes::start_agent(Who who) {
  Node& node = at(who);
  const std::string folder = dir_.file(node.name);
  node.agent = node.space.start({.argv = {program_path("margay-node"), "--node-name", node.name, "--kubeconfig",
                                          server_->kubeconfig(), "--run-dir", folder, "--state-dir", folder},
                                 .environment = {{"NO_DEFAULT_POOLS", "true"},
                                                 {"FELIX_HEALTHENABLED", "false"},
                                                 {"FELIX_ENDPOINTSTATUSPATHPREFIX", folder}},
                                 .stdin_text = "",
                                 .output_path = dir_.file(node.name + ".log")});
}

void TwoNodes::kill_agent(Who who) {
  at(who).agent->send_signal(SIGKILL);
  at(who).agent.reset();
}

int TwoNodes::stop_agent(Who who) {
  const int status = at(who).agent->stop();
  at(who).agent.reset();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool TwoNodes::is_running(Who who) { return at(who).agent != nullptr && at(who).agent->is_running(); }

std::string TwoNodes::metrics(Who who) const {
  return unix_http(dir_.file(at(who).name) + "/node.sock", "GET", "/metrics");
}

Value TwoNodes::ask(Who who, const std::string& path) const { return ask_agent(dir_.file(at(who).name), path); }

bool TwoNodes::is_ready(Who who) const { return says_ready(ask(who, "/status")); }

std::string TwoNodes::logs() const {
  std::string out = concat("--- controllers\n", read_text(dir_.file("controllers.log")));
  for (const Node& node : nodes_) {
    out += concat("--- ", node.name, "\n", read_text(dir_.file(node.name + ".log")));
  }
  return out;
}

}  // namespace margay::test
