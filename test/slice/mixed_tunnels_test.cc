// IP-in-IP by the kernel's device on one node and by eBPF on the others. Needs root, and a kernel that has the device:
// test/vm runs it where this machine's has not.
#include <map>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "test/slice/capture.h"
#include "test/slice/routed_nodes.h"
#include "test/slice/traffic.h"

namespace margay::test {
namespace {

using std::chrono::seconds;

constexpr seconds kEnough{60};
constexpr RoutedNodes::Who kPairs[][2] = {{RoutedNodes::kA, RoutedNodes::kB},
                                          {RoutedNodes::kB, RoutedNodes::kA},
                                          {RoutedNodes::kA, RoutedNodes::kC},
                                          {RoutedNodes::kC, RoutedNodes::kA},
                                          {RoutedNodes::kC, RoutedNodes::kB}};

bool kernel_has_device() {
  const Namespace trial;
  return trial.run({"ip", "link", "add", "trial", "type", "ipip", "local", "192.0.2.1", "remote", "192.0.2.2"})
             .exit_status == 0;
}

class MixedTunnels : public testing::Test {
 protected:
  void SetUp() override {
    if (!missing_for_namespaces().empty()) GTEST_SKIP() << missing_for_namespaces();
    if (!kernel_has_device()) GTEST_SKIP() << "this kernel has no ipip device";
    std::string why;
    RoutedNodes::Options options{.ipip_mode = "Always"};
    options.arguments_of = {
        {RoutedNodes::kA, {"--ipip=kernel"}}, {RoutedNodes::kB, {"--ipip=ebpf"}}, {RoutedNodes::kC, {"--ipip=ebpf"}}};
    nodes_ = RoutedNodes::start(options, &why);
    if (nodes_ == nullptr) GTEST_SKIP() << why;
    capture_ = std::make_unique<Capture>(nodes_->router());
  }
  [[nodiscard]] std::string means(RoutedNodes::Who who) const {
    return std::string(nodes_->ask(who, "/status").string_at({"tunnels", "ipip"}));
  }
  [[nodiscard]] bool pings(RoutedNodes::Who from, RoutedNodes::Who to) const {
    return nodes_->pod(from).run({"ping", "-n", "-c", "1", "-W", "2", nodes_->pod_v4(to)}).exit_status == 0;
  }
  // Both directions as IP-in-IP, and nothing plain.
  bool is_tunnelled(RoutedNodes::Who from, RoutedNodes::Who to) {
    const std::string a = nodes_->pod_v4(from), b = nodes_->pod_v4(to);
    capture_->clear();
    if (!pings(from, to)) return false;
    const auto tunnelled = [&](const SeenPacket& each) { return each.is_ipip(a, b) || each.is_ipip(b, a); };
    const auto plain = [&](const SeenPacket& each) { return each.is_plain(a, b) || each.is_plain(b, a); };
    return capture_->count(tunnelled) >= 2 && capture_->count(plain) == 0;
  }

  std::unique_ptr<RoutedNodes> nodes_;
  std::unique_ptr<Capture> capture_;
};

TEST_F(MixedTunnels, KernelAndEbpfWorkTogether) {
  for (const auto& [from, to] : kPairs) {
    EXPECT_TRUE(poll_until(kEnough, [&, from = from, to = to] { return is_tunnelled(from, to); }))
        << from << " to " << to << "\n"
        << nodes_->routes(from) << nodes_->logs();
  }
  EXPECT_EQ(means(RoutedNodes::kA), "kernel");
  EXPECT_EQ(means(RoutedNodes::kB), "eBPF");
  const TcpServer server(nodes_->pod(RoutedNodes::kC), nodes_->pod_v4(RoutedNodes::kC), 8080);
  EXPECT_TRUE(can_connect(nodes_->pod(RoutedNodes::kA), nodes_->pod_v4(RoutedNodes::kC), 8080, seconds(5)));
}

}  // namespace
}  // namespace margay::test
