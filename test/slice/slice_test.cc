// The thin slice: from an object in the API server to a packet that passes or does not, with real processes on a real
// kernel. Needs root; what is missing on a machine is said and the tests are skipped.
#include <algorithm>
#include <memory>
#include <string>

#include "base/core/text.h"
#include "datastore/model/programmed_policies.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/slice/first_packets.h"
#include "test/slice/traffic.h"
#include "test/slice/two_nodes.h"
#include "test/support/open_connections.h"

namespace margay::test {
namespace {

using json::Array;
using json::Object;
using json::Value;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Who = TwoNodes::Who;

constexpr std::uint16_t kPort = 8080;
constexpr seconds kDeadline{15};

Value deny_all(const std::string& name, const std::string& selector) {
  return Object{{"apiVersion", "projectcalico.org/v3"},
                {"kind", "NetworkPolicy"},
                {"metadata", Object{{"name", name}, {"namespace", "default"}}},
                {"spec", Object{{"selector", selector}, {"types", Array{"Ingress"}}}}};
}

// One cluster for all: starting it takes longer than any of them.
struct Cluster {
  std::unique_ptr<TwoNodes> nodes;
  std::unique_ptr<NetSpace> pod_a, pod_b;
  std::unique_ptr<TcpServer> server_a, server_b;
};

class Slice : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = std::make_unique<Cluster>();
    cluster_->nodes = TwoNodes::start(&why_);
    if (cluster_->nodes == nullptr) return;
    cluster_->pod_a = cluster_->nodes->run_pod(Who::kA, "a", kA);
    cluster_->pod_b = cluster_->nodes->run_pod(Who::kB, "b", kB);
    cluster_->server_a = std::make_unique<TcpServer>(*cluster_->pod_a, kA, kPort);
    cluster_->server_b = std::make_unique<TcpServer>(*cluster_->pod_b, kB, kPort);
  }
  static void TearDownTestSuite() { cluster_.reset(); }

  void SetUp() override {
    if (cluster_->nodes == nullptr) GTEST_SKIP() << why_;
    ASSERT_TRUE(reaches(pod_a(), kB)) << state();
    ASSERT_TRUE(reaches(pod_b(), kA)) << state();
  }
  void TearDown() override {
    if (HasFailure() && cluster_->nodes != nullptr) std::fprintf(stderr, "%s\n", nodes().logs().c_str());
  }

  static TwoNodes& nodes() { return *cluster_->nodes; }
  static const NetSpace& pod_a() { return *cluster_->pod_a; }
  static const NetSpace& pod_b() { return *cluster_->pod_b; }
  static bool reaches(const NetSpace& from, const std::string& address) {
    return poll_until(kDeadline, [&] { return can_connect(from, address, kPort); });
  }
  // "True: on all 2 nodes", "none"
  static std::string condition_of(const kube::ResourceType& type, const kube::ObjectName& name, std::string_view what) {
    const auto object = nodes().api().get(type, name);
    const Value* all = object.ok() ? object->find({"status", "conditions"}) : nullptr;
    if (all == nullptr || all->as_array() == nullptr) return "none";
    for (const Value& each : *all->as_array()) {
      if (each.string_at({"type"}) == what)
        return concat(each.string_at({"status"}), ": ", each.string_at({"message"}));
    }
    return "none";
  }
  // That it is there at all: what a node has of policies comes when it changes.
  static bool has_reported(Who who) {
    const kube::ResourceType leases{"coordination.k8s.io", "v1", "leases", "Lease", true};
    const std::string node = who == Who::kA ? "node-a" : "node-b";
    return nodes().api().get(leases, {std::string(model::kReportNamespace), model::report_name(node)}).ok();
  }
  static bool is_cut_off(const NetSpace& from, const std::string& address) {
    return poll_until(kDeadline, [&] { return !can_connect(from, address, kPort); });
  }
  static std::string state() {
    return json::dump(nodes().ask(Who::kA, "/status")) + "\n" + json::dump(nodes().ask(Who::kB, "/peers")) + "\n" +
           json::dump(nodes().ask(Who::kA, "/endpoints"));
  }

  static bool has_session(Who who) {
    const Value answer = nodes().ask(who, "/peers");
    const Value* peers = answer.find("peers");
    if (peers == nullptr || peers->as_array() == nullptr || peers->as_array()->empty()) return false;
    const Value& peer = peers->as_array()->front();
    const Value* received = peer.find("prefixesReceived");
    return peer.string_at({"state"}) == "Established" && received != nullptr && *received->as_integer() > 0;
  }
  // What an agent has written in this life to sets and tables: "iptables raw v4: 7".
  static std::string written(Who who) {
    const Value status = nodes().ask(who, "/status");
    const Value* drivers = status.find({"dataplane", "drivers"});
    if (drivers == nullptr || drivers->as_object() == nullptr) return "nobody answers";
    std::string out;
    for (const json::Member& driver : *drivers->as_object()) {
      const Value* updated = driver.value.find("updated");
      const bool counts = driver.name.starts_with("ipset") || driver.name.starts_with("iptables");
      if (!counts || updated == nullptr || *updated->as_integer() == 0) continue;
      out += concat(driver.name, ": ", *updated->as_integer(), "; ");
    }
    return out;
  }

  class Traffic;
  static void expect_back(Who who);

  static constexpr const char* kA = "10.65.0.1";
  static constexpr const char* kB = "10.65.0.65";
  static std::unique_ptr<Cluster> cluster_;
  static std::string why_;
};

std::unique_ptr<Cluster> Slice::cluster_;
std::string Slice::why_;

TEST_F(Slice, PodsOnDifferentNodesReachEachOther) {
  EXPECT_TRUE(poll_until(kDeadline, [] { return nodes().is_ready(Who::kA) && nodes().is_ready(Who::kB); })) << state();
  const ProgramResult pinged = pod_a().run({"ping", "-n", "-c", "1", "-W", "2", kB});
  EXPECT_EQ(pinged.exit_status, 0) << pinged.out << pinged.err;
  EXPECT_TRUE(can_connect(nodes().node(Who::kA), kA, kPort)) << "the host reaches its own workloads";
  const std::string routes = nodes().node(Who::kA).run({"ip", "route"}).out;
  EXPECT_NE(routes.find("10.65.0.64/26 via 192.0.2.2 dev eth0"), std::string::npos) << routes;
  EXPECT_NE(routes.find("blackhole 10.65.0.0/26"), std::string::npos) << routes;
}

TEST_F(Slice, APolicyBitesAndLetsGoAgain) {
  nodes().create(kPolicies, deny_all("deny-b", "app == 'b'"));
  EXPECT_TRUE(is_cut_off(pod_a(), kB)) << state();
  EXPECT_TRUE(can_connect(pod_b(), kA, kPort)) << "the other way is open";
  nodes().remove(kPolicies, {"default", "deny-b"});
  EXPECT_TRUE(reaches(pod_a(), kB)) << state();
}

// Translated by the controllers.
TEST_F(Slice, APolicyOfKubernetesBitesAndLetsGoAgain) {
  const kube::ResourceType type{"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", true};
  // A policy that is on all nodes that have reported is not told of again when another one does.
  ASSERT_TRUE(poll_until(kDeadline, [] { return has_reported(Who::kA) && has_reported(Who::kB); })) << state();
  nodes().create(type, Object{{"apiVersion", "networking.k8s.io/v1"},
                              {"kind", "NetworkPolicy"},
                              {"metadata", Object{{"name", "b"}, {"namespace", "default"}}},
                              {"spec", Object{{"podSelector", Object{{"matchLabels", Object{{"app", "b"}}}}},
                                              {"policyTypes", Array{"Ingress"}}}}});
  EXPECT_TRUE(is_cut_off(pod_a(), kB)) << state();
  EXPECT_TRUE(can_connect(pod_b(), kA, kPort)) << "the other way is open";
  EXPECT_TRUE(
      poll_until(seconds(30),
                 [] {
                   return condition_of(kPolicies, {"default", "knp.default.b"}, "Programmed") == "True: on all 2 nodes";
                 }))
      << condition_of(kPolicies, {"default", "knp.default.b"}, "Programmed") << state();
  nodes().remove(type, {"default", "b"});
  EXPECT_TRUE(reaches(pod_a(), kB)) << state();
}

TEST_F(Slice, WhoAsksForTheStateOfANodeIsAnswered) {
  const kube::ResourceType statuses{"projectcalico.org", "v3", "caliconodestatuses", "CalicoNodeStatus", false};
  ASSERT_TRUE(poll_until(kDeadline, [] { return has_session(Who::kA); })) << state();
  nodes().create(
      statuses,
      Object{{"apiVersion", "projectcalico.org/v3"},
             {"kind", "CalicoNodeStatus"},
             {"metadata", Object{{"name", "asked"}}},
             {"spec", Object{{"node", "node-a"}, {"classes", Array{"Agent", "BGP"}}, {"updatePeriodSeconds", 10}}}});
  const auto established = [&] {
    const auto object = nodes().api().get(statuses, {"", "asked"});
    const Value* count = object.ok() ? object->find({"status", "bgp", "numberEstablishedV4"}) : nullptr;
    return count != nullptr && count->as_integer() != nullptr ? *count->as_integer() : -1;
  };
  EXPECT_TRUE(poll_until(kDeadline, [&] { return established() == 1; }));
  nodes().remove(statuses, {"", "asked"});
}

// What goes on while agents come and go: 1,000 connections and datagrams in both directions; and what becomes of
// routes.
class Slice::Traffic {
 public:
  explicit Traffic(std::size_t connections)
      : there_(pod_a(), pod_b(), kB, 9001),
        back_(pod_b(), pod_a(), kA, 9002),
        routes_a_(nodes().node(Who::kA)),
        routes_b_(nodes().node(Who::kB)),
        connections_({.from = &pod_a(), .to = &pod_b(), .address = IpAddress::parse(kB).value(), .port = 9003},
                     connections) {}

  // Both directions have been tried once more.
  [[nodiscard]] bool goes_on() {
    const std::size_t there = there_.received(), back = back_.received(), rounds = connections_.rounds();
    return poll_until(kDeadline, [&] {
      return there_.received() > there + 100 && back_.received() > back + 100 && connections_.rounds() > rounds + 1;
    });
  }
  void expect_nothing_lost(const std::string& what) {
    for (Prober* prober : {&there_, &back_}) {
      const Prober::Outcome outcome = prober->stop();
      EXPECT_GT(outcome.sent, 200U);
      EXPECT_TRUE(outcome.lost.empty()) << outcome.lost.size() << " of " << outcome.sent << " lost, the first "
                                        << outcome.lost.front();
      std::printf("%s: %zu datagrams, %zu lost\n", what.c_str(), outcome.sent, outcome.lost.size());
    }
    const OpenConnections::Outcome outcome = connections_.stop();
    EXPECT_EQ(outcome.broken, 0U);
    std::printf("%s: %zu rounds of all connections, %zu broken, %zu segments sent again\n", what.c_str(),
                outcome.rounds, outcome.broken, outcome.retransmitted);
    EXPECT_EQ(routes_a_.removed(), "");
    EXPECT_EQ(routes_b_.removed(), "");
  }

 private:
  Prober there_, back_;
  RouteMonitor routes_a_, routes_b_;
  OpenConnections connections_;
};

// Until its peer has it back: what was kept for it must not go when it speaks again.
void Slice::expect_back(Who who) {
  ASSERT_TRUE(poll_until(kDeadline, [who] { return nodes().is_ready(who); })) << state();
  EXPECT_EQ(written(who), "") << "the kernel had it all";
  ASSERT_TRUE(poll_until(kDeadline, [who] { return has_session(who); })) << state();
}

TEST_F(Slice, ARestartOfAnAgentLosesNoPacket) {
  ASSERT_TRUE(poll_until(kDeadline, [] { return nodes().is_ready(Who::kA) && nodes().is_ready(Who::kB); })) << state();
  Traffic traffic(1000);
  for (const Who who : {Who::kB, Who::kA}) {
    if (who == Who::kB) {
      nodes().kill_agent(who);
    } else {
      EXPECT_EQ(nodes().stop_agent(who), 0);
    }
    nodes().start_agent(who);
    expect_back(who);
    ASSERT_TRUE(traffic.goes_on());
  }
  traffic.expect_nothing_lost("kill -9 of one, SIGTERM of the other");
}

// Appendix C of calico.md, 3 and 4.
TEST_F(Slice, RestartsOfAllAtOnceAndOfOneTwiceLoseNoPacket) {
  ASSERT_TRUE(poll_until(kDeadline, [] { return nodes().is_ready(Who::kA) && nodes().is_ready(Who::kB); })) << state();
  ASSERT_TRUE(poll_until(kDeadline, [] { return has_session(Who::kA) && has_session(Who::kB); })) << state();
  Traffic traffic(100);
  for (const Who who : {Who::kA, Who::kB}) nodes().kill_agent(who);
  for (const Who who : {Who::kA, Who::kB}) nodes().start_agent(who);
  for (const Who who : {Who::kA, Who::kB}) expect_back(who);
  ASSERT_TRUE(traffic.goes_on());
  for (int i = 0; i < 2; ++i) {
    nodes().kill_agent(Who::kB);
    nodes().start_agent(Who::kB);
    // The second time before its peer has heard all of it.
    ASSERT_TRUE(poll_until(kDeadline, [] { return nodes().is_ready(Who::kB); })) << state();
  }
  expect_back(Who::kB);
  ASSERT_TRUE(traffic.goes_on());
  traffic.expect_nothing_lost("all at once, and one twice");
}

TEST_F(Slice, APodOfThePluginWorksWhenAddReturns) {
  Value object = pod_object("plugged", "node-a", "");
  object.as_object()->erase("status");
  nodes().create(kPods, object);
  const NetSpace space;
  const ProgramResult added = nodes().plugin(Who::kA, "ADD", "plugged", space);
  ASSERT_EQ(added.exit_status, 0) << added.out << added.err << state();
  const auto result = json::parse(added.out);
  ASSERT_TRUE(result.ok()) << added.out;
  const Value* addresses = result->find("ips");
  ASSERT_TRUE(addresses != nullptr && addresses->as_array() != nullptr && !addresses->as_array()->empty()) << added.out;
  const std::string address(split(addresses->as_array()->front().string_at({"address"}), '/').front());
  const TcpServer server(space, address, kPort);
  EXPECT_TRUE(can_connect(pod_a(), address, kPort)) << "at once: route and policy are in the kernel";
  EXPECT_TRUE(can_connect(space, kA, kPort));
  EXPECT_TRUE(reaches(pod_b(), address)) << "once its block is told: " << state();
  const ProgramResult deleted = nodes().plugin(Who::kA, "DEL", "plugged", space);
  EXPECT_EQ(deleted.exit_status, 0) << deleted.out;
  EXPECT_TRUE(poll_until(kDeadline, [&] {
    return nodes().node(Who::kA).run({"ip", "route"}).out.find(address + " dev") == std::string::npos;
  }));
  nodes().remove(kPods, {"default", "plugged"});
}

TEST_F(Slice, AnExhaustedPoolIsToldOnPodAndPoolAndInTheError) {
  nodes().create(kPools, Object{{"apiVersion", "projectcalico.org/v3"},
                                {"kind", "IPPool"},
                                {"metadata", Object{{"name", "tiny"}}},
                                {"spec", Object{{"cidr", "10.67.0.7/32"}, {"blockSize", 32}, {"ipipMode", "Never"}}}});
  for (const char* name : {"first", "second"}) {
    Value object = pod_object(name, "node-a", "");
    object.as_object()->erase("status");
    object["metadata"]["annotations"]["cni.projectcalico.org/ipv4pools"] = R"(["tiny"])";
    nodes().create(kPods, object);
  }
  const NetSpace first, second;
  // The agent may not know the pool yet.
  ASSERT_TRUE(poll_until(kDeadline, [&] { return nodes().plugin(Who::kA, "ADD", "first", first).exit_status == 0; }))
      << state();
  const ProgramResult refused = nodes().plugin(Who::kA, "ADD", "second", second);
  EXPECT_NE(refused.exit_status, 0);
  EXPECT_NE(refused.out.find("10.67.0.7/32"), std::string::npos) << refused.out;
  EXPECT_NE(refused.out.find(R"("code":11)"), std::string::npos) << refused.out;
  const kube::ResourceType events{"", "v1", "events", "Event", true};
  const auto is_told = [&] {
    const auto listed = nodes().api().list(events, "default");
    return listed.ok() && std::any_of(listed->items.begin(), listed->items.end(), [](const Value& event) {
             return event.string_at({"reason"}) == "AddressesExhausted" &&
                    event.string_at({"involvedObject", "kind"}) == "Pod" &&
                    event.string_at({"involvedObject", "name"}) == "second";
           });
  };
  EXPECT_TRUE(poll_until(kDeadline, is_told)) << state();
  EXPECT_TRUE(poll_until(kDeadline, [] {
    return condition_of(kPools, {"", "tiny"}, "Exhausted").starts_with("True");
  })) << state();
  EXPECT_NE(nodes().metrics(Who::kA).find("margay_ipam_exhausted_total 1\n"), std::string::npos);
  const std::string links = nodes().node(Who::kA).run({"ip", "link"}).out;
  EXPECT_EQ(links.find(policy::interface_name_of("default", "second")), std::string::npos) << links;
  EXPECT_EQ(second.run({"ip", "link"}).out.find("eth0"), std::string::npos);
  EXPECT_EQ(nodes().plugin(Who::kA, "DEL", "first", first).exit_status, 0);
  EXPECT_EQ(nodes().plugin(Who::kA, "ADD", "second", second).exit_status, 0) << "there is room again";
  EXPECT_EQ(nodes().plugin(Who::kA, "DEL", "second", second).exit_status, 0);
  for (const char* name : {"first", "second"}) nodes().remove(kPods, {"default", name});
  nodes().remove(kPools, {"", "tiny"});
}

TEST_F(Slice, TheFirstPacketPassesAndWhatIsDeniedNeverDoes) {
  const FirstPackets seen = try_first_packets(nodes(), 10);
  EXPECT_EQ(seen.problem, "") << state();
  EXPECT_EQ(seen.open, 10);
  EXPECT_EQ(seen.passed, seen.open);
  EXPECT_EQ(seen.closed, 10);
  EXPECT_EQ(seen.leaked, 0U);
  EXPECT_GT(seen.sent, 1000U);
}

TEST_F(Slice, AnUnknownInterfaceOfOursIsDropped) {
  const std::string address = "10.65.0.9";
  const auto stranger = nodes().plug(Who::kA, "cali0123456789a", address);
  nodes().node(Who::kA).ip({"route add 10.65.0.9 dev cali0123456789a"});
  const TcpServer server(*stranger, address, kPort);
  EXPECT_FALSE(can_connect(*stranger, kA, kPort));
  EXPECT_FALSE(can_connect(*stranger, kB, kPort));
  EXPECT_FALSE(can_connect(pod_a(), address, kPort));
  // The same interface, once its pod is known.
  EXPECT_TRUE(can_connect(pod_a(), kB, kPort));
}

TEST_F(Slice, AWorkloadWhoseProfileIsMissingGetsNothing) {
  const std::string address = "10.65.0.10";
  const auto orphan = nodes().plug(Who::kA, "cali0orphan", address);
  const TcpServer server(*orphan, address, kPort);
  nodes().create(kWorkloads, Object{{"apiVersion", "projectcalico.org/v3"},
                                    {"kind", "WorkloadEndpoint"},
                                    {"metadata", Object{{"name", "node--a-cni-orphan-eth0"}, {"namespace", "default"}}},
                                    {"spec", Object{{"node", "node-a"},
                                                    {"orchestrator", "cni"},
                                                    {"containerID", "orphan"},
                                                    {"endpoint", "eth0"},
                                                    {"interfaceName", "cali0orphan"},
                                                    {"ipNetworks", Array{Value(address + "/32")}},
                                                    {"profiles", Array{"nowhere"}}}}});
  ASSERT_TRUE(poll_until(kDeadline, [&] {
    const std::string routes = nodes().node(Who::kA).run({"ip", "route"}).out;
    return routes.find("10.65.0.10 dev cali0orphan") != std::string::npos;
  })) << state();
  EXPECT_FALSE(can_connect(*orphan, kB, kPort));
  EXPECT_FALSE(can_connect(pod_b(), address, kPort));
  nodes().remove(kWorkloads, {"default", "node--a-cni-orphan-eth0"});
  EXPECT_TRUE(poll_until(kDeadline, [&] {
    return nodes().node(Who::kA).run({"ip", "route"}).out.find("cali0orphan") == std::string::npos;
  }));
}

}  // namespace
}  // namespace margay::test
