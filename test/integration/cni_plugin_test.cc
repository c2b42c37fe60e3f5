// The real plugin, real namespaces, the agent's side of it and a real margay-apiserver: what a container runtime sees.
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "cni/plugin/pod_interface.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/support/api_servers.h"
#include "test/support/cni_node.h"
#include "test/support/net_space.h"
#include "test/support/sync_client.h"

namespace margay::test {
namespace {

using testing::HasSubstr;

const kube::ResourceType kPods{"", "v1", "pods", "Pod", true};
const kube::ResourceType kPools{"projectcalico.org", "v3", "ippools", "IPPool", false};
const kube::ResourceType kBlocks{"projectcalico.org", "v3", "ipamblocks", "IPAMBlock", false};
const kube::ResourceType kHandles{"projectcalico.org", "v3", "ipamhandles", "IPAMHandle", false};
const kube::ResourceType kEndpoints{"projectcalico.org", "v3", "workloadendpoints", "WorkloadEndpoint", true};

json::Value parsed(const std::string& text) { return json::parse(text).value(); }

class CniPlugin : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root: makes network namespaces";
    std::string why;
    server_ = start_memory_server({.flags = {}, .unix_socket = true}, &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    auto scratch = netlink::ScratchNamespace::enter();
    if (!scratch.ok()) GTEST_SKIP() << scratch.error().message;
    scratch_.emplace(std::move(scratch).value());
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
    create(kPools, R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"four"},
                       "spec":{"cidr":"10.7.0.0/16"}})");
    create(kPools, R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"six"},
                       "spec":{"cidr":"fd07::/64"}})");
    start_node();
  }

  void TearDown() override {
    node_.reset();
    spaces_.clear();
    client_.reset();
    scratch_.reset();
  }

  void create(const kube::ResourceType& type, const std::string& text) {
    const auto made = client_->create(type, parsed(text));
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  void start_node() {
    options_.kubeconfig = server_->kubeconfig();
    options_.socket = folder_.file("cni.sock");
    options_.spool_folder = folder_.file("state/cni/releases");
    node_ = std::make_unique<CniNode>(options_);
  }

  void make_pod(const std::string& name, const std::string& annotations = "{}") {
    create(kPods, concat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")", name,
                         R"(","annotations":)", annotations,
                         R"(},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i"}]}})"));
  }

  const NetSpace& space(const std::string& name) {
    auto& found = spaces_[name];
    if (found == nullptr) found = std::make_unique<NetSpace>();
    return *found;
  }

  PluginCall call(const std::string& command, const std::string& pod, const std::string& container) {
    PluginCall out;
    out.command = command;
    out.container = container;
    out.netns = space(container).path();
    out.pod_name = pod;
    out.config = concat(R"({"cniVersion":"1.1.0","name":"k8s-pod-network","type":"margay","socket":")", options_.socket,
                        R"(","state_dir":")", folder_.file("state"),
                        R"(","datastore_type":"kubernetes","policy":{"type":"k8s"},"nodename":"x"})");
    return out;
  }

  std::string annotation(const std::string& pod, const std::string& name) {
    const auto got = client_->get(kPods, {"default", pod});
    return std::string(got.value().string_at({"metadata", "annotations", "cni.projectcalico.org/" + name}));
  }

  std::size_t count(const kube::ResourceType& type) { return client_->list(type, "").value().items.size(); }

  TempDir folder_;
  std::unique_ptr<ApiServer> server_;
  std::optional<netlink::ScratchNamespace> scratch_;
  std::unique_ptr<SyncClient> client_;
  CniNodeOptions options_;
  std::unique_ptr<CniNode> node_;
  std::map<std::string, std::unique_ptr<NetSpace>> spaces_;
};

// A TCP connection from here to a listener in the pod; what connect() says.
int connect_to(const NetSpace& pod, const std::string& address) {
  const bool is_v6 = address.find(':') != std::string::npos;
  const int family = is_v6 ? AF_INET6 : AF_INET;
  sockaddr_storage place{};
  socklen_t size = 0;
  const auto fill = [&](const char* text) {
    if (is_v6) {
      auto* six = reinterpret_cast<sockaddr_in6*>(&place);
      six->sin6_family = AF_INET6;
      six->sin6_port = htons(4711);
      inet_pton(AF_INET6, text, &six->sin6_addr);
      size = sizeof(sockaddr_in6);
    } else {
      auto* four = reinterpret_cast<sockaddr_in*>(&place);
      four->sin_family = AF_INET;
      four->sin_port = htons(4711);
      inet_pton(AF_INET, text, &four->sin_addr);
      size = sizeof(sockaddr_in);
    }
  };
  fill(address.c_str());
  int listener = -1;
  pod.call([&] {
    listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, reinterpret_cast<sockaddr*>(&place), size) != 0 || listen(listener, 1) != 0) listener = -1;
  });
  if (listener < 0) return -1;
  const int caller = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{2, 0};
  setsockopt(caller, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const int outcome = connect(caller, reinterpret_cast<sockaddr*>(&place), size) == 0 ? 0 : errno;
  close(caller);
  close(listener);
  return outcome;
}

// The node has an address of its own for its side of connections.
void give_host_addresses() {
  for (const char* command :
       {"ip link set lo up", "ip addr add 192.0.2.9/32 dev lo", "ip addr add fd99::9/128 dev lo nodad"}) {
    ASSERT_EQ(run_program({.argv = {"sh", "-c", command}, .environment = {}, .stdin_text = "", .output_path = ""})
                  .exit_status,
              0)
        << command;
  }
}

TEST_F(CniPlugin, AddGivesAnInterfaceThatWorksAtOnceAndDelTakesItAway) {
  give_host_addresses();
  make_pod("web");
  const auto added = run_plugin(call("ADD", "web", "c1"));
  ASSERT_EQ(added.exit_status, 0) << added.out << added.err;
  const json::Value result = parsed(added.out);
  const auto& ips = *result.find("ips")->as_array();
  ASSERT_EQ(ips.size(), 2U);
  const std::string host = policy::interface_name_of("default", "web");
  EXPECT_EQ(result.find("interfaces")->as_array()->at(0).string_at({"name"}), host);
  EXPECT_NE(if_nametoindex(host.c_str()), 0U);
  const std::string v4(split(ips[0].string_at({"address"}), '/')[0]), v6(split(ips[1].string_at({"address"}), '/')[0]);
  EXPECT_EQ(annotation("web", "podIPs"), concat(v4, "/32,", v6, "/128"));
  EXPECT_EQ(annotation("web", "containerID"), "c1");
  EXPECT_EQ(connect_to(space("c1"), v4), 0);
  EXPECT_EQ(connect_to(space("c1"), v6), 0);
  EXPECT_EQ(run_plugin(call("CHECK", "web", "c1")).exit_status, 0);
  const auto deleted = run_plugin(call("DEL", "web", "c1"));
  EXPECT_EQ(deleted.exit_status, 0) << deleted.out;
  EXPECT_EQ(if_nametoindex(host.c_str()), 0U);
  EXPECT_TRUE(node_->releases_all());
  EXPECT_NE(run_plugin(call("CHECK", "web", "c1")).exit_status, 0);
  EXPECT_EQ(run_plugin(call("DEL", "web", "c1")).exit_status, 0);
  EXPECT_TRUE(poll_until(std::chrono::seconds(5),
                         [this] { return count(kHandles) == 0 && annotation("web", "podIP").empty(); }));
}

TEST_F(CniPlugin, HundredAtOnceHaveAddressesOfTheirOwn) {
  constexpr int kPodCount = 100;
  std::vector<std::thread> threads;
  std::vector<ProgramResult> results(kPodCount);
  std::vector<PluginCall> calls;
  for (int i = 0; i < kPodCount; ++i) {
    make_pod(concat("p", i));
    calls.push_back(call("ADD", concat("p", i), concat("c", i)));
  }
  for (int i = 0; i < kPodCount; ++i) {
    threads.emplace_back(
        [&, i] { results[static_cast<std::size_t>(i)] = run_plugin(calls[static_cast<std::size_t>(i)]); });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> addresses;
  for (const ProgramResult& result : results) {
    ASSERT_EQ(result.exit_status, 0) << result.out << result.err;
    const json::Value told = parsed(result.out);
    for (const json::Value& ip : *told.find("ips")->as_array()) addresses.emplace(ip.string_at({"address"}));
  }
  EXPECT_EQ(addresses.size(), 200U);
  EXPECT_EQ(node_->addresses_in_use(), 200U);
}

TEST_F(CniPlugin, DelWithTheAgentAwayIsDoneWhenItIsBack) {
  make_pod("web");
  ASSERT_EQ(run_plugin(call("ADD", "web", "c1")).exit_status, 0);
  node_.reset();
  const auto deleted = run_plugin(call("DEL", "web", "c1"));
  EXPECT_EQ(deleted.exit_status, 0) << deleted.out;
  EXPECT_EQ(if_nametoindex(policy::interface_name_of("default", "web").c_str()), 0U);
  const auto added = run_plugin(call("ADD", "web", "c2"));
  EXPECT_EQ(*parsed(added.out).find("code")->as_integer(), 100);
  EXPECT_EQ(*parsed(run_plugin(call("STATUS", "", "c1")).out).find("code")->as_integer(), 50);
  start_node();
  EXPECT_TRUE(poll_until(std::chrono::seconds(10), [this] { return node_->addresses_in_use() == 0; }));
  EXPECT_EQ(run_plugin(call("STATUS", "", "c1")).exit_status, 0);
}

TEST_F(CniPlugin, RestartedAgentKnowsItsAddresses) {
  make_pod("web");
  const auto first = run_plugin(call("ADD", "web", "c1"));
  node_.reset();
  start_node();
  EXPECT_EQ(run_plugin(call("CHECK", "web", "c1")).exit_status, 0);
  const auto again = run_plugin(call("ADD", "web", "c1"));
  EXPECT_EQ(again.exit_status, 0) << again.out;
  EXPECT_EQ(*parsed(again.out).find("ips"), *parsed(first.out).find("ips"));
  EXPECT_EQ(run_plugin(call("DEL", "web", "c1")).exit_status, 0);
  EXPECT_TRUE(node_->releases_all());
}

TEST_F(CniPlugin, PodMadeAgainWhileItsOldContainerIsDeleted) {
  make_pod("web-0");
  ASSERT_EQ(run_plugin(call("ADD", "web-0", "old")).exit_status, 0);
  ASSERT_TRUE(client_->remove(kPods, {"default", "web-0"}, {.grace_period_seconds = 0}).ok());
  make_pod("web-0");
  const auto added = run_plugin(call("ADD", "web-0", "new"));
  ASSERT_EQ(added.exit_status, 0) << added.out;
  EXPECT_EQ(run_plugin(call("DEL", "web-0", "old")).exit_status, 0);
  EXPECT_NE(if_nametoindex(policy::interface_name_of("default", "web-0").c_str()), 0U);
  EXPECT_EQ(run_plugin(call("CHECK", "web-0", "new")).exit_status, 0);
  EXPECT_EQ(annotation("web-0", "containerID"), "new");
  EXPECT_FALSE(annotation("web-0", "podIP").empty());
}

TEST_F(CniPlugin, PolicyThatIsNotThereInTimeIsSaidAndNothingStays) {
  node_.reset();
  options_.never_ready = "policy of default/web is not in the kernel";
  options_.limits.ready_timeout = std::chrono::milliseconds(50);
  start_node();
  make_pod("web");
  const auto added = run_plugin(call("ADD", "web", "c1"));
  EXPECT_NE(added.exit_status, 0);
  EXPECT_EQ(*parsed(added.out).find("code")->as_integer(), 102);
  EXPECT_THAT(added.out, HasSubstr("policy of default/web"));
  EXPECT_EQ(if_nametoindex(policy::interface_name_of("default", "web").c_str()), 0U);
  EXPECT_TRUE(poll_until(std::chrono::seconds(5), [this] { return node_->addresses_in_use() == 0; }));
}

TEST_F(CniPlugin, WhatCannotBeHonouredIsNamed) {
  const auto missing = run_plugin(call("ADD", "nobody", "c1"));
  EXPECT_THAT(missing.out, HasSubstr("default/nobody"));
  make_pod("fixed", R"({"cni.projectcalico.org/ipAddrs":"[\"192.0.2.1\"]"})");
  EXPECT_THAT(run_plugin(call("ADD", "fixed", "c2")).out, HasSubstr("192.0.2.1 is in no IP pool"));
  make_pod("pool", R"({"cni.projectcalico.org/ipv4pools":"[\"nope\"]"})");
  EXPECT_THAT(run_plugin(call("ADD", "pool", "c3")).out, HasSubstr("nope"));
  make_pod("plain");
  PluginCall nowhere = call("ADD", "plain", "c4");
  nowhere.netns = folder_.file("not-there");
  EXPECT_THAT(run_plugin(nowhere).out, HasSubstr("not-there"));
  nowhere.netns = folder_.file("a-file");
  write_text(nowhere.netns, "x");
  EXPECT_THAT(run_plugin(nowhere).out, HasSubstr("is no network namespace"));
  EXPECT_TRUE(node_->releases_all());
}

TEST_F(CniPlugin, NameThatIsTakenInThePodIsAnErrorThatLeavesNothing) {
  for (const char* name : {"a", "b"}) make_pod(name);
  ASSERT_EQ(run_plugin(call("ADD", "a", "c1")).exit_status, 0);
  PluginCall clash = call("ADD", "b", "c2");
  clash.netns = space("c1").path();
  const auto refused = run_plugin(clash);
  EXPECT_EQ(*parsed(refused.out).find("code")->as_integer(), 103) << refused.out;
  EXPECT_THAT(refused.out, HasSubstr("eth0"));
  EXPECT_EQ(if_nametoindex(policy::interface_name_of("default", "b").c_str()), 0U);
  EXPECT_TRUE(poll_until(std::chrono::seconds(5), [this] { return node_->addresses_in_use() == 2; }));
  EXPECT_EQ(run_plugin(call("CHECK", "a", "c1")).exit_status, 0);
}

TEST_F(CniPlugin, ConfigurationThatMakesNoSenseIsAnErrorThatLeavesNothing) {
  make_pod("a");
  const std::pair<const char*, int> kCases[] = {
      {"{", 6},
      {R"({"cniVersion":"9.0.0","name":"n","type":"margay"})", 1},
      {R"({"cniVersion":"1.0.0","name":"n","type":"margay","ipam":{"type":"host-local"}})", 7},
      {R"({"cniVersion":"1.0.0","name":"n","type":"margay","mtu":"big"})", 7},
      {R"({"cniVersion":"1.0.0","name":"n","type":"margay","socket":"/nowhere/cni.sock"})", 100}};
  for (const auto& [config, code] : kCases) {
    PluginCall bad = call("ADD", "a", "c1");
    bad.config = config;
    const auto told = run_plugin(bad);
    EXPECT_NE(told.exit_status, 0) << config;
    EXPECT_EQ(*parsed(told.out).find("code")->as_integer(), code) << told.out;
  }
  PluginCall empty_pools = call("ADD", "a", "c1");
  empty_pools.config.pop_back();
  empty_pools.config += R"(,"ipam":{"type":"margay-ipam","ipv4_pools":["192.0.2.0/24"]}})";
  EXPECT_THAT(run_plugin(empty_pools).out, HasSubstr("192.0.2.0/24"));
  EXPECT_TRUE(node_->releases_all());
}

TEST_F(CniPlugin, FixedAddressesAndMacOfAnnotations) {
  make_pod("fixed", R"({"cni.projectcalico.org/ipAddrs":"[\"10.7.3.3\"]",
                        "cni.projectcalico.org/hwAddr":"02:00:00:00:00:77"})");
  const auto added = run_plugin(call("ADD", "fixed", "c1"));
  ASSERT_EQ(added.exit_status, 0) << added.out;
  EXPECT_EQ(parsed(added.out).find("ips")->as_array()->at(0).string_at({"address"}), "10.7.3.3/32");
  EXPECT_EQ(parsed(added.out).find("interfaces")->as_array()->at(1).string_at({"mac"}), "02:00:00:00:00:77");
}

TEST_F(CniPlugin, GarbageOfContainersThatAreGoneIsCollected) {
  for (const char* name : {"a", "b"}) {
    make_pod(name);
    ASSERT_EQ(run_plugin(call("ADD", name, concat("c-", name))).exit_status, 0);
  }
  PluginCall gc = call("GC", "", "c-a");
  gc.config.pop_back();
  gc.config += R"(,"cni.dev/valid-attachments":[{"containerID":"c-a","ifname":"eth0"}]})";
  const auto collected = run_plugin(gc);
  EXPECT_EQ(collected.exit_status, 0) << collected.out;
  EXPECT_TRUE(poll_until(std::chrono::seconds(5), [this] { return node_->addresses_in_use() == 2; }));
  EXPECT_EQ(run_plugin(call("CHECK", "a", "c-a")).exit_status, 0);
  // Its namespace is still there.
  EXPECT_NE(if_nametoindex(policy::interface_name_of("default", "a").c_str()), 0U);
  EXPECT_EQ(if_nametoindex(policy::interface_name_of("default", "b").c_str()), 0U);
}

TEST_F(CniPlugin, WithoutKubernetesAWorkloadEndpointIsMade) {
  const auto added = run_plugin(call("ADD", "", "0123456789abcdef"));
  ASSERT_EQ(added.exit_status, 0) << added.out;
  const auto endpoints = client_->list(kEndpoints, "").value().items;
  ASSERT_EQ(endpoints.size(), 1U);
  EXPECT_EQ(endpoints[0].string_at({"spec", "interfaceName"}), "cali0123456789a");
  EXPECT_NE(if_nametoindex("cali0123456789a"), 0U);
  EXPECT_EQ(run_plugin(call("DEL", "", "0123456789abcdef")).exit_status, 0);
  EXPECT_TRUE(poll_until(std::chrono::seconds(5), [this] { return count(kEndpoints) == 0; }));
}

TEST_F(CniPlugin, BridgeOfTheReferencePluginsTakesItsAddressesFromMargayIpam) {
  constexpr const char* kBridge = "/usr/lib/cni/bridge";
  if (access(kBridge, X_OK) != 0) GTEST_SKIP() << kBridge << " is not installed (scripts/install-deps test)";
  PluginCall bridged = call("ADD", "", "c1");
  bridged.config = concat(R"({"cniVersion":"1.0.0","name":"bridged","type":"bridge","bridge":"br-test","socket":")",
                          options_.socket, R"(","ipam":{"type":"margay-ipam","assign_ipv6":"false"}})");
  const auto run_bridge = [&](const std::string& command) {
    bridged.command = command;
    ProcessOptions process = plugin_process(bridged);
    process.argv = {kBridge};
    const std::string ipam = program_path("margay-ipam");
    process.environment["CNI_PATH"] = ipam.substr(0, ipam.rfind('/'));
    return run_program(process);
  };
  const auto added = run_bridge("ADD");
  ASSERT_EQ(added.exit_status, 0) << added.out;
  const std::string address(parsed(added.out).find("ips")->as_array()->at(0).string_at({"address"}));
  EXPECT_THAT(space("c1").run({"ip", "-4", "-brief", "address", "show", "dev", "eth0"}).out, HasSubstr(address));
  EXPECT_EQ(node_->addresses_in_use(), 1U);
  EXPECT_EQ(run_bridge("DEL").exit_status, 0);
  EXPECT_TRUE(node_->releases_all());
}

TEST_F(CniPlugin, IpamAloneForOtherPlugins) {
  PluginCall ipam = call("ADD", "", "c1");
  ipam.program = "margay-ipam";
  const auto added = run_plugin(ipam);
  ASSERT_EQ(added.exit_status, 0) << added.out;
  EXPECT_EQ(parsed(added.out).find("interfaces"), nullptr);
  EXPECT_EQ(parsed(added.out).find("ips")->as_array()->size(), 2U);
  ipam.command = "DEL";
  EXPECT_EQ(run_plugin(ipam).exit_status, 0);
  EXPECT_TRUE(node_->releases_all());
}

}  // namespace
}  // namespace margay::test
