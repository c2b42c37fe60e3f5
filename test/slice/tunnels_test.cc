// What runs plain and what through a tunnel, asserted on the packets a router between the nodes sees. Needs root.
#include <netinet/in.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/ip/address.h"
#include "gtest/gtest.h"
#include "test/slice/capture.h"
#include "test/slice/hand_made.h"
#include "test/slice/routed_nodes.h"

namespace margay::test {
namespace {

using Nodes = RoutedNodes;
using std::chrono::seconds;

constexpr seconds kLimit{20};
constexpr Nodes::Who kNodesAll[] = {Nodes::kA, Nodes::kB, Nodes::kC};

enum class Way { kPlain, kVxlan, kIpip };

// One cluster for all: starting it takes longer than any of them.
class Tunnels : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = Nodes::start({.vxlan_mode = "Always"}, &missing_).release();
    if (cluster_ != nullptr) capture_ = new Capture(cluster_->router());
  }
  static void TearDownTestSuite() {
    delete capture_;
    delete cluster_;
  }
  void SetUp() override {
    if (cluster_ == nullptr) GTEST_SKIP() << missing_;
  }
  void TearDown() override {
    if (!HasFailure() || cluster_ == nullptr) return;
    for (const Nodes::Who who : kNodesAll) {
      std::fprintf(stderr, "%s\n%s\n", nodes().routes(who).c_str(), json::dump(nodes().ask(who, "/status")).c_str());
    }
    std::fprintf(stderr, "%s\n", nodes().logs().c_str());
  }

  static Nodes& nodes() { return *cluster_; }
  static Capture& capture() { return *capture_; }
  static std::string address(Nodes::Who who, IpFamily family) {
    return family == IpFamily::kV4 ? nodes().pod_v4(who) : nodes().pod_v6(who);
  }
  static bool pings(Nodes::Who from, Nodes::Who to, IpFamily family) {
    return nodes().pod(from).run({"ping", "-n", "-c", "1", "-W", "1", address(to, family)}).exit_status == 0;
  }
  // Until all packets of a ping go that way, both directions, and none goes the other.
  static bool goes(Nodes::Who from, Nodes::Who to, IpFamily family, Way way) {
    const std::string a = address(from, family), b = address(to, family);
    return poll_until(kLimit, [&] {
      capture().clear();
      if (!pings(from, to, family)) return false;
      std::map<Way, std::size_t> seen;
      seen[Way::kPlain] =
          capture().count([&](const SeenPacket& each) { return each.is_plain(a, b) || each.is_plain(b, a); });
      seen[Way::kVxlan] =
          capture().count([&](const SeenPacket& each) { return each.is_vxlan(a, b) || each.is_vxlan(b, a); });
      seen[Way::kIpip] =
          capture().count([&](const SeenPacket& each) { return each.is_ipip(a, b) || each.is_ipip(b, a); });
      const std::size_t all = seen[Way::kPlain] + seen[Way::kVxlan] + seen[Way::kIpip];
      return seen[way] >= 2 && seen[way] == all;
    });
  }
  static void expect_ways(Way near, Way far) {
    for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
      EXPECT_TRUE(goes(Nodes::kA, Nodes::kB, family, near)) << "near, " << static_cast<int>(family);
      EXPECT_TRUE(goes(Nodes::kA, Nodes::kC, family, far)) << "far, " << static_cast<int>(family);
      EXPECT_TRUE(goes(Nodes::kC, Nodes::kB, family, far)) << "far, " << static_cast<int>(family);
    }
  }

  // With IP-in-IP: the host's own packets have the tunnel's address, so that answers come back by it.
  static void expect_hosts_reach_pods() {
    const std::string own = nodes().annotation(Nodes::kA, "IPv4IPIPTunnelAddr");
    ASSERT_FALSE(own.empty());
    const std::string pod = nodes().pod_v4(Nodes::kC);
    EXPECT_TRUE(poll_until(kLimit, [&] {
      capture().clear();
      return nodes().node(Nodes::kA).run({"ping", "-n", "-c", "1", "-W", "1", pod}).exit_status == 0 &&
             capture().count([&](const SeenPacket& each) { return each.is_ipip(own, pod); }) > 0 &&
             capture().count([&](const SeenPacket& each) { return each.is_ipip(pod, own); }) > 0;
    })) << nodes().routes(Nodes::kA);
  }
  // What was chosen, and what it carried: on the agent's socket and on the Node object.
  static void expect_told() {
    const std::string by = std::string(nodes().ask(Nodes::kA, "/tunnels").string_at({"ipip"}));
    const auto has_counted = [&] {
      const json::Value tunnels = nodes().ask(Nodes::kA, "/tunnels");
      const json::Value* found = tunnels.find({"counters", by == "kernel" ? "devices" : "nodes"});
      if (found == nullptr || found->as_array() == nullptr) return false;
      std::size_t carrying = 0;
      for (const json::Value& each : *found->as_array()) {
        const json::Value* const packets = each.find("packetsOut");
        const bool is_meant = each.string_at({"device"}) == "tunl0" || !each.string_at({"node"}).empty();
        carrying += is_meant && packets != nullptr && packets->as_integer() != nullptr && *packets->as_integer() > 0;
      }
      return carrying >= (by == "kernel" ? 1U : 2U);
    };
    EXPECT_TRUE(poll_until(kLimit, has_counted)) << json::dump(nodes().ask(Nodes::kA, "/tunnels"));
    EXPECT_TRUE(poll_until(kLimit, [&] { return nodes().condition(Nodes::kA, "IPIPAvailable") == "True"; }));
  }

  static Nodes* cluster_;
  static Capture* capture_;
  static std::string missing_;
};
Nodes* Tunnels::cluster_ = nullptr;
Capture* Tunnels::capture_ = nullptr;
std::string Tunnels::missing_;

TEST_F(Tunnels, AlwaysMeansAlways) {
  expect_ways(Way::kVxlan, Way::kVxlan);
  for (const Nodes::Who who : kNodesAll) {
    EXPECT_TRUE(poll_until(kLimit, [who] { return nodes().is_ready(who); }));
    EXPECT_TRUE(nodes().annotation(who, "IPv4VXLANTunnelAddr").starts_with("10.65.0."));
    EXPECT_TRUE(nodes().annotation(who, "IPv6VXLANTunnelAddr").starts_with("fd65::"));
    EXPECT_FALSE(nodes().annotation(who, "VXLANTunnelMACAddr").empty());
  }
  const std::string device = nodes().node(Nodes::kA).run({"ip", "-d", "link", "show", "vxlan.calico"}).out;
  EXPECT_NE(device.find("mtu 1450"), std::string::npos) << device;
  EXPECT_NE(device.find("vxlan id 4096 local 192.0.2.1"), std::string::npos) << device;
}

// The host's own packets have the tunnel's address, so that answers come back by it.
TEST_F(Tunnels, HostsReachPodsOfOthersAndPodsReachHosts) {
  ASSERT_TRUE(goes(Nodes::kA, Nodes::kC, IpFamily::kV4, Way::kVxlan));
  const auto ping = [](const NetSpace& from, const std::string& to) {
    return from.run({"ping", "-n", "-c", "1", "-W", "2", to}).exit_status == 0;
  };
  EXPECT_TRUE(ping(nodes().node(Nodes::kA), nodes().pod_v4(Nodes::kC)));
  EXPECT_TRUE(ping(nodes().node(Nodes::kA), nodes().pod_v6(Nodes::kC)));
  const std::string own = nodes().annotation(Nodes::kA, "IPv4VXLANTunnelAddr");
  EXPECT_GT(capture().count([&](const SeenPacket& each) { return each.is_vxlan(own, nodes().pod_v4(Nodes::kC)); }), 0U);
}

TEST_F(Tunnels, CrossSubnetIsPlainOnTheLinkAndTunnelledBeyond) {
  nodes().set_pools({{"vxlanMode", "CrossSubnet"}});
  expect_ways(Way::kPlain, Way::kVxlan);
  nodes().set_pools({{"vxlanMode", "Always"}});
  expect_ways(Way::kVxlan, Way::kVxlan);
}

TEST_F(Tunnels, AModeThatChangesLosesNoPacket) {
  ASSERT_TRUE(goes(Nodes::kA, Nodes::kB, IpFamily::kV4, Way::kVxlan));
  ASSERT_TRUE(goes(Nodes::kA, Nodes::kC, IpFamily::kV4, Way::kVxlan));
  Prober near(nodes().pod(Nodes::kA), nodes().pod(Nodes::kB), nodes().pod_v4(Nodes::kB), 9001);
  Prober far(nodes().pod(Nodes::kC), nodes().pod(Nodes::kA), nodes().pod_v4(Nodes::kA), 9002);
  for (const char* mode : {"CrossSubnet", "Always", "CrossSubnet", "Always"}) {
    nodes().set_pools({{"vxlanMode", mode}});
    const Way way = std::string_view(mode) == "Always" ? Way::kVxlan : Way::kPlain;
    EXPECT_TRUE(goes(Nodes::kA, Nodes::kB, IpFamily::kV4, way)) << mode;
    EXPECT_TRUE(goes(Nodes::kB, Nodes::kA, IpFamily::kV4, way)) << mode;
  }
  EXPECT_TRUE(poll_until(kLimit, [&] { return near.received() > 250 && far.received() > 250; }));
  for (Prober* prober : {&near, &far}) {
    const Prober::Outcome outcome = prober->stop();
    EXPECT_GT(outcome.sent, 200U);
    EXPECT_TRUE(outcome.lost.empty()) << outcome.lost.size() << " of " << outcome.sent << " lost, the first "
                                      << outcome.lost.front();
  }
}

// By the kernel's device or by eBPF, whichever this machine has.
TEST_F(Tunnels, IpInIpCarriesAndChangesWithVxlanWithoutALoss) {
  ASSERT_TRUE(goes(Nodes::kA, Nodes::kC, IpFamily::kV4, Way::kVxlan));
  if (nodes().ask(Nodes::kA, "/status").string_at({"tunnels", "ipip"}) == "none") GTEST_SKIP() << "no IP-in-IP here";
  Prober near(nodes().pod(Nodes::kA), nodes().pod(Nodes::kB), nodes().pod_v4(Nodes::kB), 9004);
  Prober far(nodes().pod(Nodes::kC), nodes().pod(Nodes::kA), nodes().pod_v4(Nodes::kA), 9005);
  struct Step {
    const char *ipip, *vxlan;
    Way near, far;
  };
  for (const Step& step :
       {Step{"Always", "Never", Way::kIpip, Way::kIpip}, Step{"CrossSubnet", "Never", Way::kPlain, Way::kIpip},
        Step{"Never", "Always", Way::kVxlan, Way::kVxlan}, Step{"Always", "Never", Way::kIpip, Way::kIpip}}) {
    nodes().set_pools({{"ipipMode", step.ipip}, {"vxlanMode", step.vxlan}});
    EXPECT_TRUE(goes(Nodes::kA, Nodes::kB, IpFamily::kV4, step.near)) << step.ipip;
    EXPECT_TRUE(goes(Nodes::kC, Nodes::kA, IpFamily::kV4, step.far)) << step.ipip;
    EXPECT_TRUE(goes(Nodes::kC, Nodes::kB, IpFamily::kV4, step.far)) << step.ipip;
  }
  for (Prober* prober : {&near, &far}) {
    const Prober::Outcome outcome = prober->stop();
    EXPECT_TRUE(outcome.lost.empty()) << outcome.lost.size() << " of " << outcome.sent << " lost, the first "
                                      << outcome.lost.front();
  }
  expect_hosts_reach_pods();
  expect_told();
  nodes().set_pools({{"ipipMode", "Never"}, {"vxlanMode", "Always"}});
  EXPECT_TRUE(goes(Nodes::kA, Nodes::kB, IpFamily::kV4, Way::kVxlan));
  EXPECT_TRUE(goes(Nodes::kC, Nodes::kA, IpFamily::kV4, Way::kVxlan));
}

TEST_F(Tunnels, ASenderThatIsNoNodeIsNotHeard) {
  ASSERT_TRUE(goes(Nodes::kA, Nodes::kC, IpFamily::kV4, Way::kVxlan));
  const Mailbox target(nodes().pod(Nodes::kC), 9009);
  const std::string mac = nodes().annotation(Nodes::kC, "VXLANTunnelMACAddr");
  const auto send_from = [&](const std::string& outer, std::uint8_t word) {
    const Bytes inner =
        ipv4_packet(nodes().pod_v4(Nodes::kA), nodes().pod_v4(Nodes::kC), IPPROTO_UDP, udp(9009, {word}));
    send_raw(nodes().router(), ipv4_packet(outer, "198.51.100.1", IPPROTO_UDP, udp(4789, vxlan(mac, inner))));
  };
  send_from("192.0.2.77", 1);
  send_from("198.51.100.254", 2);
  send_from("192.0.2.1", 3);  // a node's: it arrives, so those before it would have
  EXPECT_EQ(target.next(), 3);
  EXPECT_TRUE(target.is_empty());
  const std::string rules = nodes().filter_rules(Nodes::kC);
  EXPECT_EQ(packets_at(rules, "VXLAN from others"), 2) << rules;
}

// Of the device, of the pods to come, and what CNI plugins of others read.
TEST_F(Tunnels, AnMtuThatChangesIsFollowedWithoutARestart) {
  ASSERT_TRUE(goes(Nodes::kA, Nodes::kC, IpFamily::kV4, Way::kVxlan));
  const auto follows = [](int of_uplink) {
    const std::string of_pods = concat(of_uplink - 70), of_device = concat("mtu ", of_uplink - 50, " ");
    return poll_until(kLimit, [&] {
      const std::string device = nodes().node(Nodes::kA).run({"ip", "link", "show", "vxlan.calico"}).out;
      return device.find(of_device) != std::string::npos && nodes().state_file(Nodes::kA, "mtu") == of_pods + "\n";
    });
  };
  EXPECT_TRUE(follows(1500));
  for (const int mtu : {1400, 1500}) {
    nodes().node(Nodes::kA).ip({concat("link set eth0 mtu ", mtu)});
    EXPECT_TRUE(follows(mtu)) << mtu;
  }
  EXPECT_TRUE(goes(Nodes::kA, Nodes::kC, IpFamily::kV4, Way::kVxlan));
}

// Same port, another VNI, and the other end is no node.
TEST_F(Tunnels, ForeignVxlanOnTheNodeGoesOn) {
  nodes().node(Nodes::kA).ip({"link add theirs type vxlan id 77 dstport 4789 local 192.0.2.1 remote 192.0.2.254",
                              "addr add 10.77.0.1/24 dev theirs", "link set theirs up"});
  nodes().router().ip({"link add theirs type vxlan id 77 dstport 4789 local 192.0.2.254 remote 192.0.2.1",
                       "addr add 10.77.0.2/24 dev theirs", "link set theirs up"});
  EXPECT_EQ(nodes().node(Nodes::kA).run({"ping", "-n", "-c", "1", "-W", "2", "10.77.0.2"}).exit_status, 0);
  EXPECT_EQ(nodes().router().run({"ping", "-n", "-c", "1", "-W", "2", "10.77.0.1"}).exit_status, 0);
  EXPECT_TRUE(goes(Nodes::kA, Nodes::kB, IpFamily::kV4, Way::kVxlan));
}

TEST_F(Tunnels, WithoutBgpVxlanCarriesAllTheSame) {
  Prober prober(nodes().pod(Nodes::kA), nodes().pod(Nodes::kC), nodes().pod_v4(Nodes::kC), 9003);
  nodes().restart_agents({{"CALICO_NETWORKING_BACKEND", "vxlan"}});
  for (const Nodes::Who who : kNodesAll) {
    EXPECT_TRUE(poll_until(kLimit, [who] { return nodes().is_ready(who); }));
    const json::Value peers = nodes().ask(who, "/peers");
    const json::Value* running = peers.find("running");
    EXPECT_TRUE(running != nullptr && running->as_bool() != nullptr && !*running->as_bool());
  }
  expect_ways(Way::kVxlan, Way::kVxlan);
  EXPECT_TRUE(poll_until(kLimit, [&] { return prober.received() > 250; }));
  const Prober::Outcome outcome = prober.stop();
  EXPECT_GT(outcome.sent, 200U);
  EXPECT_TRUE(outcome.lost.empty()) << "over the restart: " << outcome.lost.size() << " lost";
  nodes().set_pools({{"vxlanMode", "CrossSubnet"}});
  expect_ways(Way::kPlain, Way::kVxlan);
  nodes().set_pools({{"vxlanMode", "Never"}});
  EXPECT_TRUE(goes(Nodes::kA, Nodes::kB, IpFamily::kV4, Way::kPlain)) << "routes of its own link are the plan's";
}

}  // namespace
}  // namespace margay::test
