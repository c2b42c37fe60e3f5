// Tunnels on clusters of their own: the first change of a pool from plain to a tunnel; IP-in-IP by the kernel's device
// on one node and by eBPF on the others. Needs root, and the latter a kernel that has the device: test/vm runs it where
// this machine's has not.
#include <netinet/in.h>

#include <map>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "test/slice/capture.h"
#include "test/slice/hand_made.h"
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
  const NetSpace trial;
  return trial.run({"ip", "link", "add", "trial", "type", "ipip", "local", "192.0.2.1", "remote", "192.0.2.2"})
             .exit_status == 0;
}

enum class Form { kPlain, kIpip, kVxlan };

class NewCluster : public testing::Test {
 protected:
  void start(const RoutedNodes::Options& options) {
    if (!missing_for_net_spaces().empty()) GTEST_SKIP() << missing_for_net_spaces();
    std::string why;
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
  // Both directions in that form, and nothing in another.
  bool is_carried(RoutedNodes::Who from, RoutedNodes::Who to, Form wanted) {
    const std::string a = nodes_->pod_v4(from), b = nodes_->pod_v4(to);
    capture_->clear();
    if (!pings(from, to)) return false;
    std::map<Form, std::size_t> seen;
    seen[Form::kPlain] = capture_->count([&](const auto& each) { return each.is_plain(a, b) || each.is_plain(b, a); });
    seen[Form::kIpip] = capture_->count([&](const auto& each) { return each.is_ipip(a, b) || each.is_ipip(b, a); });
    seen[Form::kVxlan] = capture_->count([&](const auto& each) { return each.is_vxlan(a, b) || each.is_vxlan(b, a); });
    const std::size_t all = seen[Form::kPlain] + seen[Form::kIpip] + seen[Form::kVxlan];
    return seen[wanted] >= 2 && seen[wanted] == all;
  }
  void expect_carried(RoutedNodes::Who from, RoutedNodes::Who to, Form wanted) {
    EXPECT_TRUE(poll_until(kEnough, [&] { return is_carried(from, to, wanted); }))
        << from << " to " << to << "\n"
        << nodes_->routes(from) << nodes_->logs();
  }

  std::unique_ptr<RoutedNodes> nodes_;
  std::unique_ptr<Capture> capture_;
};

class FirstTunnels : public NewCluster {};

// No node knows when the other has heard of the pool. What it can know is that the other has told its tunnel's address,
// which it does once its device is there; till then packets go as before.
TEST_F(FirstTunnels, FromPlainToEachTunnelAndBackNothingIsLost) {
  start({});
  if (IsSkipped()) return;
  expect_carried(RoutedNodes::kA, RoutedNodes::kB, Form::kPlain);
  Prober there(nodes_->pod(RoutedNodes::kA), nodes_->pod(RoutedNodes::kB), nodes_->pod_v4(RoutedNodes::kB), 9001);
  Prober back(nodes_->pod(RoutedNodes::kB), nodes_->pod(RoutedNodes::kA), nodes_->pod_v4(RoutedNodes::kA), 9002);
  struct Step {
    const char *ipip, *vxlan;
    Form form;
  };
  for (const Step& step : {Step{"Always", "Never", Form::kIpip}, Step{"Never", "Never", Form::kPlain},
                           Step{"Never", "Always", Form::kVxlan}, Step{"Never", "Never", Form::kPlain}}) {
    if (step.form == Form::kIpip && means(RoutedNodes::kA) == "none") continue;
    nodes_->set_pools({{"ipipMode", step.ipip}, {"vxlanMode", step.vxlan}});
    expect_carried(RoutedNodes::kA, RoutedNodes::kB, step.form);
    expect_carried(RoutedNodes::kB, RoutedNodes::kA, step.form);
    const std::size_t enough[] = {there.received() + 100, back.received() + 100};
    EXPECT_TRUE(poll_until(kEnough, [&] { return there.received() > enough[0] && back.received() > enough[1]; }));
  }
  for (Prober* prober : {&there, &back}) {
    const Prober::Outcome outcome = prober->stop();
    EXPECT_TRUE(outcome.lost.empty()) << outcome.lost.size() << " of " << outcome.sent << " lost, the first "
                                      << outcome.lost.front() << nodes_->logs();
  }
}

class MixedTunnels : public NewCluster {
 protected:
  void SetUp() override {
    if (!missing_for_net_spaces().empty()) GTEST_SKIP() << missing_for_net_spaces();
    if (!kernel_has_device()) GTEST_SKIP() << "this kernel has no ipip device";
    RoutedNodes::Options options{.ipip_mode = "Always"};
    options.arguments_of = {
        {RoutedNodes::kA, {"--ipip=kernel"}}, {RoutedNodes::kB, {"--ipip=ebpf"}}, {RoutedNodes::kC, {"--ipip=ebpf"}}};
    start(options);
  }
  // From node-b to that node's pod, but for the outer source.
  void send_from(const std::string& outer, RoutedNodes::Who to, std::uint8_t word) const {
    const Bytes inner =
        ipv4_packet(nodes_->pod_v4(RoutedNodes::kB), nodes_->pod_v4(to), IPPROTO_UDP, udp(9009, {word}));
    const char* const node = to == RoutedNodes::kA ? "192.0.2.1" : "198.51.100.1";
    send_raw(nodes_->router(), ipv4_packet(outer, node, IPPROTO_IPIP, inner));
  }
  void expect_only_nodes_are_heard(RoutedNodes::Who who) const {
    const Mailbox target(nodes_->pod(who), 9009);
    send_from("192.0.2.77", who, 1);
    send_from("203.0.113.7", who, 2);
    send_from("192.0.2.2", who, 3);  // a node's: it arrives, so those before it would have
    EXPECT_EQ(target.next(), 3) << who;
    EXPECT_TRUE(target.is_empty()) << who;
  }
  // Of eBPF; read each ten seconds.
  [[nodiscard]] std::int64_t unknown_senders(RoutedNodes::Who who) const {
    const json::Value tunnels = nodes_->ask(who, "/tunnels");
    const json::Value* const count = tunnels.find({"counters", "drops", "unknown sender"});
    return count == nullptr || count->as_integer() == nullptr ? -1 : *count->as_integer();
  }
};

TEST_F(MixedTunnels, KernelAndEbpfWorkTogether) {
  if (IsSkipped()) return;
  for (const auto& [from, to] : kPairs) expect_carried(from, to, Form::kIpip);
  EXPECT_EQ(means(RoutedNodes::kA), "kernel");
  EXPECT_EQ(means(RoutedNodes::kB), "eBPF");
  const TcpServer server(nodes_->pod(RoutedNodes::kC), nodes_->pod_v4(RoutedNodes::kC), 8080);
  EXPECT_TRUE(can_connect(nodes_->pod(RoutedNodes::kA), nodes_->pod_v4(RoutedNodes::kC), 8080, seconds(5)));
  // Who may send is asked by a rule where the kernel's device takes the packet, by the program where eBPF does.
  expect_only_nodes_are_heard(RoutedNodes::kA);
  expect_only_nodes_are_heard(RoutedNodes::kC);
  const std::string rules = nodes_->filter_rules(RoutedNodes::kA);
  EXPECT_EQ(packets_at(rules, "IP-in-IP from others"), 2) << rules;
  EXPECT_TRUE(poll_until(kEnough, [&] { return unknown_senders(RoutedNodes::kC) == 2; }))
      << json::dump(nodes_->ask(RoutedNodes::kC, "/tunnels"));
}

}  // namespace
}  // namespace margay::test
