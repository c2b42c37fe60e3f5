// The real plugin and the agent's side of it with a margay-apiserver that is slow, away, busy or in conflict: ADD and
// DEL do what they promise, in bounded time, and nothing stays behind. Longer spans (away for ten minutes) are in
// agent/cni/cni_server_test.cc, in virtual time.
#include <net/if.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/integration/shared_server.h"
#include "test/support/cni_node.h"
#include "test/support/net_space.h"

namespace margay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

const kube::ResourceType kPodsOfFaults{"", "v1", "pods", "Pod", true};
const kube::ResourceType kPoolsOfFaults{"projectcalico.org", "v3", "ippools", "IPPool", false};
const kube::ResourceType kHandlesOfFaults{"projectcalico.org", "v3", "ipamhandles", "IPAMHandle", false};

class CniFaults : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root: makes network namespaces";
    std::string why;
    server_ = start_memory_server({.flags = {"--enable-fault-injection"}, .unix_socket = true}, &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    auto scratch = netlink::ScratchNamespace::enter();
    if (!scratch.ok()) GTEST_SKIP() << scratch.error().message;
    scratch_.emplace(std::move(scratch).value());
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
    make(kPoolsOfFaults, R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"four"},
                             "spec":{"cidr":"10.7.0.0/16"}})");
  }
  void TearDown() override {
    node_.reset();
    spaces_.clear();
    client_.reset();
    scratch_.reset();
  }
  void start_node(const agent::CniLimits& limits = {}) {
    node_ = std::make_unique<CniNode>(CniNodeOptions{.kubeconfig = server_->kubeconfig(),
                                                     .socket = folder_.file("cni.sock"),
                                                     .spool_folder = folder_.file("state/cni/releases"),
                                                     .limits = limits});
  }
  void make(const kube::ResourceType& type, const std::string& text) {
    const auto made = client_->create(type, json::parse(text).value());
    ASSERT_TRUE(made.ok()) << made.error().message;
  }
  void make_pod(const std::string& name) {
    make(kPodsOfFaults, concat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")", name,
                               R"("},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i"}]}})"));
  }
  PluginCall call(const std::string& command, const std::string& pod) {
    auto& space = spaces_[pod];
    if (space == nullptr) space = std::make_unique<NetSpace>();
    return {.command = command,
            .container = "c-" + pod,
            .netns = space->path(),
            .pod_name = pod,
            .config = concat(R"({"cniVersion":"1.1.0","name":"k8s-pod-network","type":"margay","socket":")",
                             folder_.file("cni.sock"), R"(","state_dir":")", folder_.file("state"), R"("})")};
  }
  std::vector<ProgramResult> all_at_once(const std::string& command, const std::vector<std::string>& pods) {
    std::vector<ProgramResult> out(pods.size());
    std::vector<PluginCall> calls;
    for (const std::string& pod : pods) calls.push_back(call(command, pod));
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < pods.size(); ++i) threads.emplace_back([&, i] { out[i] = run_plugin(calls[i]); });
    for (std::thread& thread : threads) thread.join();
    return out;
  }
  static bool has_interface(const std::string& pod) {
    return if_nametoindex(policy::interface_name_of("default", pod).c_str()) != 0;
  }
  std::size_t handles() { return client_->list(kHandlesOfFaults, "").value().items.size(); }
  bool is_clean() { return node_->addresses_in_use() == 0 && handles() == 0; }

  TempDir folder_;
  std::unique_ptr<ApiServer> server_;
  std::optional<netlink::ScratchNamespace> scratch_;
  std::unique_ptr<SyncClient> client_;
  std::unique_ptr<CniNode> node_;
  std::map<std::string, std::unique_ptr<NetSpace>> spaces_;
};

TEST_F(CniFaults, AServerThatTakesHalfASecondIsWaitedFor) {
  start_node();
  const std::vector<std::string> pods{"a", "b", "c", "d"};
  for (const std::string& pod : pods) make_pod(pod);
  set_faults(*server_, R"({"action":"delay","delayMs":500})");
  for (const ProgramResult& added : all_at_once("ADD", pods)) EXPECT_EQ(added.exit_status, 0) << added.out;
  for (const ProgramResult& deleted : all_at_once("DEL", pods)) EXPECT_EQ(deleted.exit_status, 0) << deleted.out;
  set_faults(*server_, "");
  EXPECT_TRUE(poll_until(seconds(20), [this] { return is_clean(); }));
}

TEST_F(CniFaults, ConflictsAndRefusalsAreTriedAgain) {
  start_node();
  std::vector<std::string> pods;
  for (int i = 0; i < 16; ++i) pods.push_back(concat("p", i));
  for (const std::string& pod : pods) make_pod(pod);
  set_faults(*server_, R"({"verb":"update","resource":"ipamblocks","action":"status","status":409,"probability":0.5},)"
                       R"({"verb":"create","resource":"ipamhandles","action":"status","status":409,"probability":0.3},)"
                       R"({"verb":"patch","resource":"pods","action":"status","status":409,"probability":0.3},)"
                       R"({"action":"status","status":429,"retryAfterSeconds":1,"probability":0.1},)"
                       R"({"action":"status","status":503,"probability":0.1},)"
                       R"({"verb":"update","action":"truncate","bytes":10,"probability":0.1})");
  std::set<std::string> addresses;
  for (const ProgramResult& added : all_at_once("ADD", pods)) {
    ASSERT_EQ(added.exit_status, 0) << added.out;
    const json::Value told = json::parse(added.out).value();
    addresses.emplace(told.find("ips")->as_array()->front().string_at({"address"}));
  }
  EXPECT_EQ(addresses.size(), pods.size()) << "none has two owners";
  for (const ProgramResult& deleted : all_at_once("DEL", pods)) EXPECT_EQ(deleted.exit_status, 0) << deleted.out;
  set_faults(*server_, "");
  EXPECT_TRUE(poll_until(seconds(30), [this] { return is_clean(); }));
  for (const std::string& pod : pods) EXPECT_FALSE(has_interface(pod));
}

TEST_F(CniFaults, AddSaysWhatItWaitedForWhenTheServerIsAwayAndLeavesNothing) {
  start_node({.add_timeout = milliseconds(400), .spool_period = milliseconds(200)});
  make_pod("web");
  set_faults(*server_, R"({"action":"drop"})");
  const ProgramResult refused = run_plugin(call("ADD", "web"));
  EXPECT_NE(refused.exit_status, 0);
  EXPECT_THAT(refused.out, HasSubstr("waited 400ms for addresses"));
  EXPECT_FALSE(has_interface("web"));
  set_faults(*server_, "");
  EXPECT_TRUE(poll_until(seconds(30), [this] { return is_clean(); }));
  // The agent asks again in growing steps, a container runtime as well.
  EXPECT_TRUE(poll_until(seconds(30), [&] { return run_plugin(call("ADD", "web")).exit_status == 0; }));
}

TEST_F(CniFaults, DelSucceedsWithTheServerAwayAndIsDoneWhenItIsBackAlsoByTheNextLife) {
  start_node({.del_timeout = milliseconds(300), .spool_period = milliseconds(200)});
  for (const char* pod : {"a", "b"}) {
    make_pod(pod);
    ASSERT_EQ(run_plugin(call("ADD", pod)).exit_status, 0);
  }
  set_faults(*server_, R"({"action":"drop"})");
  const ProgramResult deleted = run_plugin(call("DEL", "a"));
  EXPECT_EQ(deleted.exit_status, 0) << deleted.out;
  EXPECT_FALSE(has_interface("a"));
  EXPECT_EQ(node_->addresses_in_use(), 2U) << "it is not released yet";
  EXPECT_EQ(run_plugin(call("DEL", "b")).exit_status, 0);
  node_.reset();
  set_faults(*server_, "");
  start_node({.spool_period = milliseconds(200)});
  EXPECT_TRUE(poll_until(seconds(30), [this] { return is_clean(); }));
}

}  // namespace
}  // namespace margay::test
