// Pods by containerd: a real container runtime calls the plugin, through its CRI as a kubelet does, with the reference
// plugins portmap, bandwidth and tuning after it. Skipped where containerd is not installed or cannot run.
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/integration/containerd.h"
#include "test/support/api_servers.h"
#include "test/support/cni_node.h"
#include "test/support/sync_client.h"

namespace margay::test {
namespace {

using testing::HasSubstr;

const kube::ResourceType kPodType{"", "v1", "pods", "Pod", true};
const kube::ResourceType kPoolType{"projectcalico.org", "v3", "ippools", "IPPool", false};
constexpr const char* kHostAddress = "192.0.2.9";

// What connect() says; 0: it is accepted.
int connect_to(const std::string& address, std::uint16_t port) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  inet_pton(AF_INET, address.c_str(), &place.sin_addr);
  const int caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{2, 0};
  setsockopt(caller, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const int outcome = connect(caller, reinterpret_cast<sockaddr*>(&place), sizeof(place)) == 0 ? 0 : errno;
  close(caller);
  return outcome;
}

bool answers(const std::string& address, std::uint16_t port) {
  return poll_until(std::chrono::seconds(10), [&] { return connect_to(address, port) == 0; });
}

class ContainerdPods : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    server_ = start_memory_server({.flags = {}, .unix_socket = true}, &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    auto scratch = netlink::ScratchNamespace::enter();
    if (!scratch.ok()) GTEST_SKIP() << scratch.error().message;
    scratch_.emplace(std::move(scratch).value());
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
    create(kPoolType, R"({"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"four"},
                          "spec":{"cidr":"10.7.0.0/16"}})");
    node_ = std::make_unique<CniNode>(CniNodeOptions{.kubeconfig = server_->kubeconfig(),
                                                     .socket = folder_.file("cni.sock"),
                                                     .spool_folder = folder_.file("state/cni/releases")});
    (void)run_program({.argv = {"sh", "-c", concat("ip link set lo up && ip addr add ", kHostAddress, "/32 dev lo")},
                       .environment = {},
                       .stdin_text = "",
                       .output_path = ""});
  }

  void TearDown() override {
    if (HasFailure() && runtime_ != nullptr) std::fprintf(stderr, "%s\n", runtime_->logs().c_str());
    runtime_.reset();
    node_.reset();
    client_.reset();
    scratch_.reset();
  }

  void create(const kube::ResourceType& type, const std::string& text) {
    const auto made = client_->create(type, json::parse(text).value());
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  std::string make_pod(const std::string& name) {
    const auto made = client_->create(
        kPodType,
        json::parse(concat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default",
            "name":")",
                           name, R"("},"spec":{"nodeName":"node-1","containers":[{"name":"c","image":"i"}]}})"))
            .value());
    return std::string(made.value().string_at({"metadata", "uid"}));
  }

  // `others`: plugins after ours, each with a comma before it.
  bool start_runtime(const std::string& others) {
    runtime_ = Containerd::start(
        concat(R"({"cniVersion":"1.0.0","name":"k8s-pod-network","plugins":[{"type":"margay","socket":")",
               folder_.file("cni.sock"), R"(","state_dir":")", folder_.file("state"), R"("})", others, "]}"),
        &why_);
    return runtime_ != nullptr;
  }

  std::string address_of(const std::string& pod) {
    const auto got = client_->get(kPodType, {"default", pod});
    return std::string(got.value().string_at({"metadata", "annotations", "cni.projectcalico.org/podIP"}));
  }

  TempDir folder_;
  std::unique_ptr<ApiServer> server_;
  std::optional<netlink::ScratchNamespace> scratch_;
  std::unique_ptr<SyncClient> client_;
  std::unique_ptr<CniNode> node_;
  std::unique_ptr<Containerd> runtime_;
  std::string why_;
};

TEST_F(ContainerdPods, RunAnswerAndLeaveNothing) {
  if (!start_runtime("")) GTEST_SKIP() << why_;
  const std::string uid = make_pod("web");
  const auto id = runtime_->run_sandbox({.pod_name = "web", .pod_uid = uid});
  ASSERT_TRUE(id.ok()) << id.error().message;
  const std::string address(split(address_of("web"), '/')[0]);
  EXPECT_TRUE(answers(address, 8080)) << address;
  const std::string host = policy::interface_name_of("default", "web");
  EXPECT_NE(if_nametoindex(host.c_str()), 0U);
  // A kubelet makes the sandbox anew when it finds it broken: same pod, another container.
  const auto again = runtime_->run_sandbox({.pod_name = "web", .pod_uid = uid, .attempt = 1});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(runtime_->stop_sandbox(*id).ok());
  EXPECT_NE(if_nametoindex(host.c_str()), 0U) << "the new container's";
  EXPECT_TRUE(answers(std::string(split(address_of("web"), '/')[0]), 8080));
  EXPECT_TRUE(runtime_->stop_sandbox(*again).ok());
  EXPECT_TRUE(runtime_->stop_sandbox(*again).ok()) << "once more is fine";
  EXPECT_TRUE(runtime_->remove_sandbox(*id).ok());
  EXPECT_TRUE(runtime_->remove_sandbox(*again).ok());
  EXPECT_EQ(if_nametoindex(host.c_str()), 0U);
  EXPECT_TRUE(node_->releases_all());
}

TEST_F(ContainerdPods, ErrorsReachWhoAsked) {
  if (!start_runtime("")) GTEST_SKIP() << why_;
  const auto unknown = runtime_->run_sandbox({.pod_name = "nobody", .pod_uid = "u"});
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message, HasSubstr("nobody"));
  EXPECT_TRUE(node_->releases_all());
}

TEST_F(ContainerdPods, PortmapBandwidthAndTuningChainAfterIt) {
  if (access("/usr/lib/cni/portmap", X_OK) != 0) GTEST_SKIP() << "containernetworking-plugins is not installed";
  if (!start_runtime(R"(,{"type":"portmap","snat":true,"capabilities":{"portMappings":true}}
                        ,{"type":"bandwidth","capabilities":{"bandwidth":true}}
                        ,{"type":"tuning","sysctl":{"net.ipv4.conf.IFNAME.log_martians":"1"}})")) {
    GTEST_SKIP() << why_;
  }
  const std::string uid = make_pod("web");
  const auto id = runtime_->run_sandbox({.pod_name = "web",
                                         .pod_uid = uid,
                                         .host_ports = {{18080, 8080}},
                                         .annotations = {{"kubernetes.io/ingress-bandwidth", "10M"}}});
  ASSERT_TRUE(id.ok()) << id.error().message;
  EXPECT_TRUE(answers(std::string(split(address_of("web"), '/')[0]), 8080));
  EXPECT_TRUE(answers(kHostAddress, 18080));
  const std::string host = policy::interface_name_of("default", "web");
  const auto queues = run_program(
      {.argv = {"tc", "qdisc", "show", "dev", host}, .environment = {}, .stdin_text = "", .output_path = ""});
  EXPECT_THAT(queues.out, HasSubstr("tbf"));
  EXPECT_TRUE(runtime_->stop_sandbox(*id).ok());
  EXPECT_NE(connect_to(kHostAddress, 18080), 0);
  EXPECT_TRUE(runtime_->remove_sandbox(*id).ok());
  EXPECT_TRUE(node_->releases_all());
}

}  // namespace
}  // namespace margay::test
