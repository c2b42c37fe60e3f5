#include "test/support/one_node.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"
#include "cni/plugin/pod_interface.h"
#include "policy/translate/translate.h"
#include "test/support/unix_http.h"

namespace margay::test {

using json::Array;
using json::Object;
using json::Value;
using model::Kind;

namespace {

constexpr const char* kOutsideV4 = "100.127.255.2";
constexpr const char* kOutsideV6 = "fdff:ffff::2";
constexpr const char* kNodeMac = "02:00:00:00:00:01";
constexpr const char* kOutsideMac = "02:00:00:00:00:02";

Value agent_node() {
  return Object{
      {"apiVersion", "v1"},
      {"kind", "Node"},
      {"metadata", Object{{"name", OneNode::kName}}},
      {"status", Object{{"addresses", Array{Object{{"type", "InternalIP"}, {"address", OneNode::kAddress}}}}}}};
}

std::int64_t integer_at(const Value& value, std::initializer_list<std::string_view> path) {
  const Value* found = value.find(path);
  return found == nullptr || found->as_integer() == nullptr ? -1 : *found->as_integer();
}

// What the agent's watches have not seen yet.
std::string missing_in_watches(const Value& status, const std::map<std::string, Watched>& wanted) {
  const Value* watches = status.find("watches");
  if (watches == nullptr || watches->as_array() == nullptr) return "no status";
  for (const Value& row : *watches->as_array()) {
    const auto want = wanted.find(std::string(row.string_at({"resource"})));
    if (want == wanted.end()) continue;
    const auto version = parse_number<std::int64_t>(row.string_at({"resourceVersion"}));
    const Watched& seen = want->second;
    const bool has_count = !seen.is_counted || integer_at(row, {"objects"}) == static_cast<std::int64_t>(seen.objects);
    if (!version || *version < seen.version || !has_count) {
      return concat(want->first, " at ", row.string_at({"resourceVersion"}), ", not ", seen.version);
    }
  }
  return "";
}

std::string missing_in_drivers(const Value& status) {
  const Value* drivers = status.find({"dataplane", "drivers"});
  if (drivers == nullptr || drivers->as_object() == nullptr) return "no drivers";
  for (const json::Member& driver : *drivers->as_object()) {
    if (integer_at(driver.value, {"failed"}) != 0) return concat(driver.name, ": ", json::dump(driver.value));
  }
  return "";
}

}  // namespace

std::unique_ptr<OneNode> OneNode::start(const OneNodeOptions& options, std::string* why) {
  *why = missing_for_net_spaces();
  if (!why->empty()) return nullptr;
  if (access(program_path("margay-node").c_str(), X_OK) != 0) return *why = "margay-node is not built", nullptr;
  MargayServerOptions server_options = options.server;
  server_options.unix_socket = true;
  auto server = start_memory_server(server_options, why);
  if (server == nullptr) return nullptr;
  return std::unique_ptr<OneNode>(new OneNode(std::move(server), options));
}

OneNode::OneNode(std::unique_ptr<ApiServer> server, OneNodeOptions options)
    : options_(std::move(options)),
      server_(std::move(server)),
      writer_(std::make_unique<ObjectWriter>(server_->kubeconfig())) {
  join_outside();
  for (const std::string& line : bring_to({})) std::fprintf(stderr, "%s\n", line.c_str());
}

OneNode::~OneNode() = default;

void OneNode::join_outside() {
  for (const char* setting : {"ipv6/conf/all/forwarding", "ipv4/ip_forward"}) node_.set(setting, "1");
  for (const NetSpace* space : {&node_, &outside_}) {
    space->set("ipv4/conf/all/rp_filter", "0");
    space->set("ipv4/conf/default/rp_filter", "0");
    space->set("ipv6/conf/default/accept_dad", "0");
  }
  // Made with the peer named by a descriptor: a namespace without a process has no other name.
  cni::InterfacePlan plan;
  plan.host_name = "up0";
  plan.name = "eth0";
  node_.call([&] { MARGAY_CHECK(cni::PodNetns::open(outside_.path()).value().make_pair(plan).ok()); });
  node_.ip({concat("link set up0 address ", kNodeMac), concat("addr add ", kAddress, "/30 dev up0"),
            "addr add fdff:ffff::1/126 dev up0 nodad",
            concat("neigh replace ", kOutsideV4, " lladdr ", kOutsideMac, " dev up0 nud permanent"),
            concat("neigh replace ", kOutsideV6, " lladdr ", kOutsideMac, " dev up0 nud permanent")});
  outside_.ip({concat("link set eth0 address ", kOutsideMac), "link set eth0 up",
               concat("addr add ", kOutsideV4, "/30 dev eth0"), "addr add fdff:ffff::2/126 dev eth0 nodad",
               concat("neigh replace ", kAddress, " lladdr ", kNodeMac, " dev eth0 nud permanent"),
               concat("neigh replace fdff:ffff::1 lladdr ", kNodeMac, " dev eth0 nud permanent"),
               concat("route add default via ", kAddress), "route add ::/0 via fdff:ffff::1"});
}

std::vector<std::string> OneNode::bring_to(ObjectMap wanted) {
  wanted.emplace(model::ObjectKey{Kind::kNode, "", kName}, agent_node());
  return writer_->bring_to(wanted);
}

const NetSpace& OneNode::pod(const std::string& name_space, const std::string& name,
                             const std::vector<IpAddress>& addresses) {
  const std::string interface = policy::interface_name_of(name_space, name);
  Pod& pod = pods_[interface];
  if (pod.space != nullptr && pod.addresses == addresses) return *pod.space;
  pod.addresses = addresses;
  pod.space = std::make_unique<NetSpace>();
  cni::InterfacePlan plan;
  plan.host_name = interface;
  for (const IpAddress& address : addresses) plan.addresses.push_back(IpPrefix::host(address));
  node_.call([&] { MARGAY_CHECK(cni::PodNetns::open(pod.space->path()).value().make_pair(plan).ok()); });
  pod.space->call([&] { MARGAY_CHECK(cni::configure(plan).ok()); });
  return *pod.space;
}

void OneNode::remove_pod(const std::string& name_space, const std::string& name) {
  const std::string interface = policy::interface_name_of(name_space, name);
  if (pods_.erase(interface) == 0) return;
  node_.call([&] { MARGAY_CHECK(cni::remove_link(interface).ok()); });
}

void OneNode::add_outside(const std::set<IpAddress>& addresses) {
  std::vector<std::string> there, here;
  for (const IpAddress& address : addresses) {
    if (!outside_addresses_.insert(address).second) continue;
    const bool is_v6 = address.is_v6();
    there.push_back(concat("addr add ", IpPrefix::host(address).to_string(), " dev lo", is_v6 ? " nodad" : ""));
    here.push_back(concat("route add ", IpPrefix::host(address).to_string(), " via ", is_v6 ? kOutsideV6 : kOutsideV4));
  }
  if (there.empty()) return;
  outside_.ip(there);
  node_.ip(here);
}

void OneNode::start_agent() {
  std::map<std::string, std::string> environment = options_.agent_environment;
  environment.emplace("NO_DEFAULT_POOLS", "true");
  environment.emplace("FELIX_HEALTHENABLED", "false");
  environment.emplace("FELIX_ENDPOINTSTATUSPATHPREFIX", dir_.path());
  std::vector<std::string> argv = options_.agent_wrapper;
  argv.insert(argv.end(), {program_path("margay-node"), "--node-name", kName, "--kubeconfig", server_->kubeconfig(),
                           "--run-dir", dir_.path(), "--state-dir", dir_.path()});
  const ProcessOptions process{
      .argv = argv, .environment = environment, .stdin_text = "", .output_path = dir_.file("agent.log")};
  agent_ = node_.start(process);
}

void OneNode::kill_agent() {
  if (agent_ == nullptr) return;
  agent_->send_signal(SIGKILL);
  agent_.reset();
}

int OneNode::stop_agent() {
  const int status = agent_->stop();
  agent_.reset();
  if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string OneNode::server_socket() const {
  const std::string kubeconfig = server_->kubeconfig();
  return kubeconfig.substr(0, kubeconfig.rfind('/')) + "/api.sock";
}

Value OneNode::ask(const std::string& path) const { return ask_agent(dir_.path(), path); }

std::string OneNode::missing_in_kernel() const {
  const Value status = ask("/status");
  if (status.is_null()) return "the agent does not answer";
  std::string unseen = missing_in_watches(status, writer_->watched());
  if (!unseen.empty()) return unseen;
  const Value* dataplane = status.find("dataplane");
  const std::int64_t sent = integer_at(*dataplane, {"batchesSent"});
  if (sent < 1 || integer_at(*dataplane, {"batchWritten"}) != sent) {
    return concat("batch ", integer_at(*dataplane, {"batchWritten"}), " of ", sent);
  }
  for (const char* stage : {"waiting for policy", "waiting for interface", "failed"}) {
    if (integer_at(status, {"endpoints", stage}) != 0) return json::dump(*status.find("endpoints"));
  }
  return missing_in_drivers(status);
}

std::string OneNode::wait_for_kernel(std::chrono::seconds limit) const {
  std::string missing;
  (void)poll_until(
      limit, [&] { return (missing = missing_in_kernel()).empty(); }, std::chrono::milliseconds(1));
  return missing;
}

std::string OneNode::logs() const { return concat("--- agent\n", read_text(dir_.file("agent.log"))); }

}  // namespace margay::test
