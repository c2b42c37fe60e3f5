// What Calico has failed at (calico.md, appendix C), where it takes a whole agent on a real kernel; test/README.md says
// which test shows which item. Needs root.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "gtest/gtest.h"
#include "test/support/cni_node.h"
#include "test/support/one_node.h"
#include "test/support/sample_objects.h"
#include "test/support/sync_client.h"
#include "test/support/unix_http.h"
#include "test/support/witness.h"

namespace margay::test {
namespace {

using json::Array;
using json::Object;
using json::Value;
using model::Kind;
using std::chrono::seconds;

constexpr std::uint16_t kStartPort = 8080;

sockaddr_in any_or(const std::string& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(kStartPort);
  (void)inet_pton(AF_INET, address.c_str(), &out.sin_addr);
  return out;
}

// A pod that listens before it has an address.
struct StartingPod {
  StartingPod() {
    space.call([this] {
      listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in any = any_or("0.0.0.0");
      (void)bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof(any));
      (void)listen(listener, 16);
    });
  }
  ~StartingPod() { close(listener); }
  StartingPod(const StartingPod&) = delete;
  StartingPod& operator=(const StartingPod&) = delete;

  const NetSpace space;
  int listener = -1;
  ProgramResult added, deleted;
  std::string address;
  int sent_again = -1;  // of the first connection's packets; -1: it did not come about
};

// A connection as the first thing after ADD.
int try_connection(const NetSpace& from, const std::string& address) {
  int out = -1;
  from.call([&] {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{10, 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    const sockaddr_in to = any_or(address);
    tcp_info info{};
    socklen_t size = sizeof(info);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0 &&
        getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
      out = static_cast<int>(info.tcpi_total_retrans);
    }
    close(fd);
  });
  return out;
}

class Failures : public testing::Test {
 protected:
  bool start(const OneNodeOptions& options = {}) {
    node_ = OneNode::start(options, &why_);
    if (node_ == nullptr) return false;
    put_namespace(objects_, "default");
    for (const auto& [name, address] : {std::pair("a", kA), std::pair("b", kB)}) {
      put_pod(objects_, {.name = name, .node = OneNode::kName, .labels = {{"app", name}}, .address = address});
      node_->pod("default", name, {address});
    }
    put_policy(objects_, "", "b",
               {{"selector", "app == 'b'"},
                {"ingress", Array{policy_rule("Allow", "UDP", "app == 'a'", 7001)}},
                {"types", Array{"Ingress"}}});
    return true;
  }
  void TearDown() override {
    if (HasFailure() && node_ != nullptr) std::fprintf(stderr, "%s\n", node_->logs().c_str());
  }
  void bring() {
    for (const std::string& line : node_->bring_to(objects_)) ADD_FAILURE() << line;
  }
  void run_agent() {
    bring();
    node_->start_agent();
    ASSERT_EQ(node_->wait_for_kernel(), "");
  }
  const NetSpace& a() { return node_->pod("default", "a", {kA}); }
  const NetSpace& b() { return node_->pod("default", "b", {kB}); }
  std::unique_ptr<Witness> witness(std::uint16_t port) {
    return std::make_unique<Witness>(
        Witness::Path{.from = &a(), .to = &b(), .source = kA, .destination = kB, .port = port},
        Witness::Ports::kNewEach);
  }
  ProgramResult plugin(const std::string& command, const std::string& pod, const NetSpace& space) {
    const ProcessOptions process = plugin_process(
        {.command = command,
         .container = concat("container-of-", pod),
         .netns = space.path(),
         .pod_name = pod,
         .config = json::dump(Object{
             {"cniVersion", "1.0.0"}, {"name", "margay"}, {"type", "margay"}, {"socket", node_->file("cni.sock")}})});
    ProgramResult done;
    node_->node().call([&] { done = run_program(process); });
    return done;
  }
  void set_faults(const std::string& rules) {
    (void)unix_http(node_->server_socket(), "PUT", "/debug/faults", concat(R"({"rules":[)", rules, "]}"));
  }

  const IpAddress kA = IpAddress::parse("10.77.0.1").value(), kB = IpAddress::parse("10.77.0.2").value();
  std::string why_;
  ObjectMap objects_;
  std::unique_ptr<OneNode> node_;
};

TEST_F(Failures, AHundredPodsThatStartAtOnceOnASlowServerWorkWhenAddReturns) {
  constexpr int kPods = 100;
  if (!start({.server = {.flags = {"--enable-fault-injection"}}})) GTEST_SKIP() << why_;
  if (access(program_path("margay").c_str(), X_OK) != 0) GTEST_SKIP() << "margay is not built";
  objects_[{Kind::kIpPool, "", "pods"}] = Object{{"apiVersion", "projectcalico.org/v3"},
                                                 {"kind", "IPPool"},
                                                 {"metadata", Object{{"name", "pods"}}},
                                                 {"spec", Object{{"cidr", "10.78.0.0/24"}, {"ipipMode", "Never"}}}};
  std::vector<std::string> names;
  for (int i = 0; i < kPods; ++i) {
    names.push_back(concat("starting-", i));
    const model::ObjectKey key =
        put_pod(objects_, {.name = names.back(), .node = OneNode::kName, .labels = {}, .address = kA});
    objects_[key].as_object()->erase("status");
  }
  run_agent();
  if (HasFailure()) return;
  set_faults(R"({"action":"delay","delayMs":500})");
  std::vector<StartingPod> pods(kPods);
  const NetSpace& sender = a();
  const auto for_each_at_once = [&pods](const std::function<void(std::size_t)>& task) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < pods.size(); ++i) threads.emplace_back([&task, i] { task(i); });
    for (std::thread& thread : threads) thread.join();
  };
  for_each_at_once([&](std::size_t i) {
    pods[i].added = plugin("ADD", names[i], pods[i].space);
    const auto result = json::parse(pods[i].added.out);
    const Value* ips = result.ok() ? result->find("ips") : nullptr;
    if (ips == nullptr || ips->as_array() == nullptr || ips->as_array()->empty()) return;
    pods[i].address = split(ips->as_array()->front().string_at({"address"}), '/').front();
    pods[i].sent_again = try_connection(sender, pods[i].address);
  });
  for_each_at_once([&](std::size_t i) { pods[i].deleted = plugin("DEL", names[i], pods[i].space); });
  std::set<std::string> addresses;
  for (std::size_t i = 0; i < pods.size(); ++i) {
    EXPECT_EQ(pods[i].added.exit_status, 0) << pods[i].added.out;
    EXPECT_EQ(pods[i].sent_again, 0) << names[i] << ": its first packet was lost";
    EXPECT_EQ(pods[i].deleted.exit_status, 0) << pods[i].deleted.out;
    addresses.insert(pods[i].address);
  }
  EXPECT_EQ(addresses.size(), pods.size());
}

TEST_F(Failures, PeersOfTheWrongFamilyAndDeadOnesAreToldAndHarmNothing) {
  if (!start()) GTEST_SKIP() << why_;
  const std::vector<std::string> addresses = {"fd00::99", "fd00::98", "100.127.255.2"};
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string name = concat("peer-", i);
    objects_[{Kind::kBgpPeer, "", name}] = Object{{"apiVersion", "projectcalico.org/v3"},
                                                  {"kind", "BGPPeer"},
                                                  {"metadata", Object{{"name", name}}},
                                                  {"spec", Object{{"peerIP", addresses[i]}, {"asNumber", 64999}}}};
  }
  run_agent();
  if (HasFailure()) return;
  EXPECT_TRUE(poll_until(seconds(20), [this] { return says_ready(node_->ask("/status")); })) << "no peer, and ready";
  std::string ready;
  EXPECT_TRUE(poll_until(seconds(20), [&] {
    return (ready = unix_http(node_->file("node.sock"), "GET", "/readyz")) == "ok\n";
  })) << ready;
  std::string seen;
  EXPECT_TRUE(poll_until(seconds(20), [&] {
    seen = json::dump(node_->ask("/peers"));
    return std::all_of(addresses.begin(), addresses.end(),
                       [&seen](const std::string& address) { return seen.find(address) != std::string::npos; });
  })) << seen;
  EXPECT_EQ(seen.find(R"("state":"Established")"), std::string::npos) << seen;
  const auto permitted = witness(7001);
  ASSERT_TRUE(poll_until(seconds(10), [&] { return permitted->count().arrived > 20; }));
  EXPECT_EQ(permitted->pause_and_count().lost(), 0U);
}

// What kube-proxy leaves in each of its modes, by its tools.
std::vector<std::string> write_of_iptables(const std::string& what) {
  return {"sh", "-c", concat("printf '", what, "' | iptables-restore --noflush -w 10")};
}

// A kubelet asks from the first second on, and starts again what it takes for dead.
TEST_F(Failures, AnAgentThatWaitsForItsServerIsAliveAndNotReady) {
  if (!start({.agent_environment = {{"FELIX_HEALTHENABLED", "true"}, {"FELIX_HEALTHPORT", "19099"}}})) {
    GTEST_SKIP() << why_;
  }
  bring();
  const auto answer = [this](const std::string& path) {
    return node_->node()
        .run(
            {"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "5", "http://127.0.0.1:19099" + path})
        .out;
  };
  node_->server().process()->send_signal(SIGSTOP);
  node_->start_agent();
  EXPECT_TRUE(poll_until(seconds(20), [&] { return answer("/livez") == "200"; })) << answer("/livez");
  EXPECT_EQ(answer("/readyz"), "503");
  node_->server().process()->send_signal(SIGCONT);
  EXPECT_TRUE(poll_until(seconds(30), [&] { return answer("/readyz") == "200"; })) << answer("/readyz");
}

TEST_F(Failures, KubeProxyChangesItsModeBesideUs) {
  if (!start()) GTEST_SKIP() << why_;
  run_agent();
  if (HasFailure()) return;
  const auto permitted = witness(7001), forbidden = witness(7002);
  const auto go = [this](const std::vector<std::string>& argv) {
    const ProgramResult done = node_->node().run(argv);
    EXPECT_EQ(done.exit_status, 0) << join(argv, " ") << ": " << done.err;
  };
  const std::vector<std::vector<std::string>> iptables_mode = {
      write_of_iptables("*nat\\n:KUBE-SERVICES - [0:0]\\n-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j "
                        "DNAT --to-destination 192.0.2.1:6443\\n-I PREROUTING -j KUBE-SERVICES\\nCOMMIT\\n"),
      write_of_iptables("*filter\\n:KUBE-FORWARD - [0:0]\\n-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\\n"
                        "-I FORWARD -j KUBE-FORWARD\\nCOMMIT\\n")};
  const std::vector<std::vector<std::string>> iptables_mode_ends = {
      write_of_iptables("*nat\\n-D PREROUTING -j KUBE-SERVICES\\n-F KUBE-SERVICES\\n-X KUBE-SERVICES\\nCOMMIT\\n"),
      write_of_iptables("*filter\\n-D FORWARD -j KUBE-FORWARD\\n-F KUBE-FORWARD\\n-X KUBE-FORWARD\\nCOMMIT\\n")};
  const std::vector<std::vector<std::string>> ipvs_mode = {{"ip", "link", "add", "kube-ipvs0", "type", "bridge"},
                                                           {"ip", "addr", "add", "10.96.0.1/32", "dev", "kube-ipvs0"},
                                                           {"ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port"},
                                                           {"ipset", "add", "KUBE-CLUSTER-IP", "10.96.0.1,tcp:443"}};
  const auto others = [this] {
    std::string out;
    const std::string saved = node_->node().run({"iptables-save"}).out + node_->node().run({"ipset", "save"}).out;
    for (const std::string_view line : split(saved, '\n')) {
      if (line.find("KUBE-") != std::string_view::npos && !line.starts_with(":")) out += concat(line, "\n");
    }
    return out;
  };
  for (const auto* mode : {&iptables_mode, &iptables_mode_ends, &ipvs_mode, &iptables_mode}) {
    for (const std::vector<std::string>& argv : *mode) go(argv);
    const std::string before = others();
    put_policy(objects_, "", "more",
               {{"selector", "app == 'b'"},
                {"ingress", Array{policy_rule("Allow", "TCP", "", static_cast<int>(1000 + before.size()))}},
                {"types", Array{"Ingress"}}});
    bring();
    node_->kill_agent();
    node_->start_agent();
    EXPECT_EQ(node_->wait_for_kernel(), "");
    EXPECT_EQ(others(), before);
    ASSERT_TRUE(
        poll_until(seconds(10), [&, from = permitted->count().sent] { return permitted->count().sent > from + 50; }));
  }
  EXPECT_EQ(permitted->pause_and_count().lost(), 0U);
  forbidden->pause();
  EXPECT_EQ(forbidden->count().arrived, 0U);
  EXPECT_GT(forbidden->count().sent, 100U);
  EXPECT_NE(node_->node().run({"ip", "link", "show", "kube-ipvs0"}).out.find("kube-ipvs0"), std::string::npos);
}

TEST_F(Failures, AnAddressOfTheNodeThatChangesIsWrittenAndPodsGoOn) {
  if (!start()) GTEST_SKIP() << why_;
  run_agent();
  if (HasFailure()) return;
  const auto permitted = witness(7001), forbidden = witness(7002);
  const kube::ResourceType nodes{"", "v1", "nodes", "Node", false};
  SyncClient client(node_->server().kubeconfig());
  // As DHCP and the kubelet do it.
  node_->node().ip({"addr add 100.127.254.1/24 dev up0", concat("addr del ", OneNode::kAddress, "/30 dev up0")});
  auto node = client.get(nodes, {"", OneNode::kName});
  ASSERT_TRUE(node.ok());
  (*node)["status"]["addresses"] = Array{Object{{"type", "InternalIP"}, {"address", "100.127.254.1"}}};
  for (int i = 0; i < 20 && !client.update_status(nodes, *node).ok(); ++i) {
    node = client.get(nodes, {"", OneNode::kName});
    (*node)["status"]["addresses"] = Array{Object{{"type", "InternalIP"}, {"address", "100.127.254.1"}}};
  }
  std::string seen;
  EXPECT_TRUE(poll_until(seconds(30), [&] {
    node = client.get(nodes, {"", OneNode::kName});
    seen = node.ok() ? node->string_at({"metadata", "annotations", "projectcalico.org/IPv4Address"}) : "";
    return seen == "100.127.254.1/24";
  })) << seen;
  EXPECT_EQ(node_->wait_for_kernel(), "");
  EXPECT_TRUE(poll_until(seconds(20), [this] { return says_ready(node_->ask("/status")); }));
  ASSERT_TRUE(poll_until(seconds(10), [&] { return permitted->count().sent > 50; }));
  EXPECT_EQ(permitted->pause_and_count().lost(), 0U);
  forbidden->pause();
  EXPECT_EQ(forbidden->count().arrived, 0U);
}

}  // namespace
}  // namespace margay::test
