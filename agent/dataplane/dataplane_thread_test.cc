// Against the real kernel, in a network namespace of the test's own: two threads, real iptables. Root, or it skips. Run
// under ThreadSanitizer as well.
//
// What has gone wrong elsewhere (numbers: Appendix C of the inventory of Calico) and concerns the agent, and where it
// is held to account:
//   1 many pods at once, slow API server   CniServerTest.ManyAtOnceShareTheWritesOfTheirBlock, BusyServerAndLostRaces…
//   2 policy changes while it is down      ARestartWritesWhatHasChangedMeanwhile (here); test/chaos with packets
//   3 all nodes restart                    Cluster.ARestartWithdrawsNothing (agent/bgp), test/slice
//   4 twice within a short time            TwoRestartsInARowWriteNothing (here)
//   5 sets of a million members            dataplane/ipset: ip_set_kernel_test, and the benchmark of sets
//   6 a dead peer and readiness            Health.* (agent/status): peers are no part of being ready
//   7 a slice goes, its service stays      Services.LocalPolicyTellsAddressesWhereAnEndpointIsReady (agent/bgp)
//   8 rules of others in nftables          RulesOfOthersAreNoReasonToLook (here)
//   9 the node's address changes           RegistrationTest.ANewAddressOfTheHostIsToldAndWritten (agent/startup)
//  12 API server away during DEL           CniServerTest.DelWithTheApiServerAwayIsWrittenDownAndDoneMuchLater
//  13 a pod made again under its name      DataplaneTest.APodMadeAgainUnderItsNameTakesOverItsAddress
//  15 a node without IPv4                  Calculation.ANodeWithoutIpv4HasAnIdentifierOfItsName (agent/bgp)
//  16 programs that crash                  TableDriverTest (dataplane/iptables), Backoff
#include "agent/dataplane/dataplane_thread.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/dataplane/test_values.h"
#include "base/core/text.h"
#include "base/loop/asio_loop.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::agent {
namespace {

using namespace std::chrono_literals;
constexpr Duration kLimit = 30s;  // for failures alone
const char* const kFilter4 = "iptables filter v4";

std::string shell(const std::string& command) {
  return netlink::tool_output(std::vector<std::string>{"sh", "-c", command});
}

class DataplaneThreadTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    must("ip link set lo up");
    must("ip link add eth0 type bridge");
    must("ip address add 192.0.2.1/24 dev eth0");
    must("ip link set eth0 up");
    must("ip link add cali1 type bridge");
    must("ip link set cali1 up");
  }
  void TearDown() override { thread_.reset(); }

  static void must(const std::string& command) {
    EXPECT_EQ(shell(command + " >/dev/null 2>&1 || echo failed"), "") << command;
  }
  static bool saved(const std::string& program, const std::string& text) {
    return shell(program + "-save 2>/dev/null").find(text) != std::string::npos;
  }

  void start() {
    auto started = DataplaneThread::start({.owner = loop_,
                                           .on_report =
                                               [this](DataplaneReport report) {
                                                 report_.merge(std::move(report));
                                                 ++reports_;
                                               },
                                           .on_links = [this](HostLinks links) { links_ = std::move(links); }});
    ASSERT_TRUE(started.ok()) << started.error().message;
    thread_ = std::move(started).value();
  }
  // One workload; nothing is looked at without a reason.
  void send(const std::function<void(model::FelixConfigurationSpec&)>& edit = {}) {
    model::WorkloadEndpoint workload;
    workload.metadata.resource_version = "1";
    workload.spec.interface_name = "cali1";
    workload.spec.ip_networks = {IpPrefix::parse("10.65.0.2/32").value()};
    workload.spec.mac = Mac::parse("02:00:00:00:00:02").value();
    policy::Endpoint endpoint;
    endpoint.workload = std::make_shared<const model::WorkloadEndpoint>(std::move(workload));
    DataplaneBatch batch;
    batch.policy.endpoints[test::pod("a")] = std::make_shared<const policy::Endpoint>(std::move(endpoint));
    batch.policy.is_in_sync = true;
    batch.settings.emplace();
    batch.settings->netfilter.iptables_refresh_interval = 0s;
    batch.settings->netfilter.iptables_post_write_check_interval = 0s;
    batch.settings->host.ip_forwarding = model::Switch::kDisabled;
    if (edit) edit(*batch.settings);
    thread_->send(std::move(batch));
  }
  bool wait(const std::function<bool()>& condition) { return loop_.run_until(condition, kLimit); }
  bool is_programmed() {
    const auto at = report_.endpoints.find(test::pod("a"));
    return at != report_.endpoints.end() && at->second && at->second->stage == EndpointStage::kProgrammed;
  }
  std::uint64_t count(const std::string& driver, const std::string& name) {
    return report_.drivers[driver].counts[name];
  }
  void end() {
    thread_.reset();
    report_ = {};
  }

  std::optional<netlink::ScratchNamespace> space_;
  loop::AsioLoop loop_;
  DataplaneReport report_;
  int reports_ = 0;
  HostLinks links_;
  std::unique_ptr<DataplaneThread> thread_;
};

TEST_F(DataplaneThreadTest, AWorkloadHasItsRulesRouteAndNeighbour) {
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  EXPECT_TRUE(saved("iptables-nft", "margay-"));
  EXPECT_NE(shell("ip route show").find("10.65.0.2 dev cali1 proto 80"), std::string::npos);
  EXPECT_NE(shell("ip neighbour show dev cali1").find("02:00:00:00:00:02"), std::string::npos);
  EXPECT_EQ(shell("cat /proc/sys/net/ipv4/conf/cali1/proxy_arp"), "1\n");
  EXPECT_TRUE(wait([this] { return links_.links.contains("eth0"); }));
  EXPECT_FALSE(links_.links.contains("lo"));
  EXPECT_GT(report_.drivers[kFilter4].desired, 0U);
  EXPECT_EQ(report_.drivers[kFilter4].desired, report_.drivers[kFilter4].actual);
  EXPECT_EQ(report_.drivers["neighbours"].actual, 1U);
}

TEST_F(DataplaneThreadTest, TwoRestartsInARowWriteNothing) {
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  const std::string before = shell("iptables-nft-save | grep -v ^#; ip route show");
  for (int life = 0; life < 2; ++life) {
    end();
    EXPECT_EQ(shell("iptables-nft-save | grep -v ^#; ip route show"), before) << "all stays";
    start();
    EXPECT_EQ(thread_->found_routes(), 1U);
    send();
    ASSERT_TRUE(wait([this] { return is_programmed(); }));
    for (const auto& [name, state] : report_.drivers) {
      if (name == "settings") continue;
      EXPECT_EQ(state.updated + state.removed, 0U) << name;
      const auto restores = state.counts.find("restores");
      EXPECT_EQ(restores == state.counts.end() ? 0U : restores->second, 0U) << name;
    }
    EXPECT_EQ(shell("iptables-nft-save | grep -v ^#; ip route show"), before);
  }
}

TEST_F(DataplaneThreadTest, ARestartWritesWhatHasChangedMeanwhile) {
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  const std::string before = shell("iptables-nft-save -t filter | grep -c REJECT");
  end();
  must("ip route del 10.65.0.2/32");
  start();
  send([](auto& settings) { settings.netfilter.iptables_filter_deny_action = model::DenyAction::kReject; });
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  EXPECT_NE(shell("iptables-nft-save -t filter | grep -c REJECT"), before);
  EXPECT_NE(shell("ip route show").find("10.65.0.2 dev cali1 proto 80"), std::string::npos);
  EXPECT_EQ(count("iptables mangle v4", "restores"), 0U) << "that table is as it was";
}

TEST_F(DataplaneThreadTest, WhatOthersDoToOurRulesIsRepairedWhenTheKernelTellsOfIt) {
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  ASSERT_EQ(report_.backend, "nft");
  const std::string before = shell("iptables-nft-save -t filter | grep margay");
  const std::uint64_t saves = count(kFilter4, "saves");
  must("iptables-nft -D FORWARD 1");
  must("iptables-nft -F margay-FORWARD");
  ASSERT_TRUE(wait(
      [&] { return count(kFilter4, "drifts") > 0 && shell("iptables-nft-save -t filter | grep margay") == before; }));
  // What was repaired was ours: another look at another table does not look at this one again.
  const std::uint64_t after = count(kFilter4, "saves");
  EXPECT_GE(after, saves + 1);
  must("iptables-nft -t nat -F margay-POSTROUTING");
  ASSERT_TRUE(wait([this] { return count("iptables nat v4", "drifts") > 0; }));
  EXPECT_LE(count(kFilter4, "saves"), after + 1) << "at most for the second of the two commands";
  EXPECT_EQ(count("iptables mangle v4", "drifts"), 0U);
}

TEST_F(DataplaneThreadTest, RulesOfOthersAreNoReasonToLook) {
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  const std::uint64_t saves = count(kFilter4, "saves");
  must("iptables-nft -N others");
  for (int i = 0; i < 5; ++i) must("iptables-nft -A others -j ACCEPT");
  // This one is, and comes after them.
  must("iptables-nft -t mangle -F margay-PREROUTING");
  ASSERT_TRUE(wait([this] { return count("iptables mangle v4", "drifts") > 0; }));
  EXPECT_EQ(count(kFilter4, "saves"), saves);
}

TEST_F(DataplaneThreadTest, TheBackEndIsChangedWhileItRuns) {
  if (!shell("iptables-legacy-save >/dev/null 2>&1 || echo failed").empty()) GTEST_SKIP() << "no legacy iptables";
  start();
  send([](auto& settings) { settings.netfilter.iptables_backend = model::IptablesBackend::kNft; });
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  EXPECT_TRUE(saved("iptables-nft", "margay-"));
  send([](auto& settings) { settings.netfilter.iptables_backend = model::IptablesBackend::kLegacy; });
  ASSERT_TRUE(wait([this] { return report_.drivers["iptables leftovers"].applied > 0; }));
  EXPECT_EQ(report_.backend, "legacy");
  EXPECT_TRUE(saved("iptables-legacy", "margay-"));
  EXPECT_FALSE(saved("iptables-nft", "margay-"));
  EXPECT_EQ(count(kFilter4, "drifts"), 0U);
}

TEST_F(DataplaneThreadTest, RoutesOfAnotherSystemToOurInterfacesAreTakenOver) {
  must("ip route add 10.65.0.2/32 dev cali1 metric 1024");
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  EXPECT_NE(shell("ip route show").find("10.65.0.2 dev cali1 proto 80"), std::string::npos);
  EXPECT_EQ(report_.drivers["routes"].failed, 0U);
}

TEST_F(DataplaneThreadTest, SettingsOfRoutesActWhileItRuns) {
  start();
  send();
  ASSERT_TRUE(wait([this] { return is_programmed(); }));
  send([](auto& settings) {
    settings.routes.device_route_protocol = 201;
    settings.routes.ipv4_normal_route_priority = 500;
    settings.routes.device_route_source_address = IpAddress::parse("192.0.2.1").value();
  });
  const int before = reports_;
  ASSERT_TRUE(wait([&] { return reports_ > before && is_programmed(); }));
  const std::string routes = shell("ip route show dev cali1");
  EXPECT_NE(routes.find("10.65.0.2 proto 201 scope link src 192.0.2.1 metric 500"), std::string::npos) << routes;
  EXPECT_EQ(routes.find("proto 80"), std::string::npos) << routes;
}

}  // namespace
}  // namespace margay::agent
