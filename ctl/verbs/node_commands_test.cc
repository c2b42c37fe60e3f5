// node status and checksystem, bgp, support-bundle, version.
#include <gmock/gmock.h>

#include <string>

#include "ctl/verbs/console.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::verbs {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kSocket = "/run/margay/node.sock";

constexpr std::string_view kStatus = R"j({"node": "a", "version": "0.1.0", "aspects": [
  {"type": "Ready", "status": "True", "reason": "Ready", "message": "margay-node 0.1.0"},
  {"type": "DataplaneReady", "status": "True", "reason": "Programmed", "message": "iptables-nft, 2 endpoints"},
  {"type": "TunnelsReady", "status": "True", "reason": "Programmed", "message": "tunl0 (kernel)"}]})j";

constexpr std::string_view kSessions = R"({"running": true, "gateOpen": true, "speaker": {"asNumber": 64512,
  "routerID": "192.0.2.1", "problems": []}, "peers": [
  {"address": "192.0.2.2", "name": "node-to-node mesh: b", "asNumber": 64512, "state": "Established",
   "sinceSeconds": 3661.5, "prefixesReceived": 3, "prefixesAccepted": 3, "prefixesSent": 1, "problem": "",
   "source": "NodeMesh", "session": {"holdTimeSeconds": 90.0, "families": ["IPv4", "IPv6"]}},
  {"address": "192.0.2.9", "name": "BGPPeer rack1", "asNumber": 65000, "state": "Active", "sinceSeconds": 5,
   "prefixesReceived": 0, "prefixesAccepted": 0, "prefixesSent": 0, "source": "GlobalPeer", "session": null,
   "problem": "received Cease/Administrative Shutdown"}]})";

constexpr std::string_view kRouteList = R"({"routes": [
  {"prefix": "10.0.0.0/26", "nextHop": "", "peer": "", "best": true, "asPath": "", "localPref": null, "med": null,
   "communities": [], "reason": "the only path"},
  {"prefix": "10.0.1.0/26", "nextHop": "192.0.2.2", "peer": "192.0.2.2", "best": true, "multipath": false, "asPath": "",
   "localPref": 100, "med": null, "communities": ["64512:1"], "reason": "best"},
  {"prefix": "10.0.1.0/26", "nextHop": "192.0.2.9", "peer": "192.0.2.9", "best": false, "stale": true, "filtered": true,
   "asPath": "65000 65001", "localPref": 100, "med": 5, "communities": [], "reason": "lost: AS path length"}]})";

void answer(Console& console, std::string_view socket, std::string_view target, std::string_view body,
            int status = 200) {
  console.host.machine_files[std::string(socket)] = "";
  console.host.answers[concat(socket, " ", target)] = {status, std::string(body)};
}

void fill_agent(Console& console) {
  answer(console, kSocket, "/status", kStatus);
  answer(console, kSocket, "/peers", kSessions);
  answer(console, kSocket, "/routes", kRouteList);
}

// What the agent of a node makes of the request that netctl is about to send.
std::string filled(const std::string& node, std::string_view peers, std::string_view ready = "True") {
  return concat(R"(MODIFIED {"metadata": {"name": "netctl-1787392800000-)", node, R"("}, "spec": {"node": ")", node,
                R"("}, "status": {"lastUpdated": "2026-08-22T10:00:00Z", "agent": {"birdV4": {"state": "Ready",
                "version": "0.1.0"}}, "conditions": [{"type": "Ready", "status": ")",
                ready, R"(", "reason": "Starting", "message": "margay-node 0.1.0"},
                {"type": "DataplaneReady", "status": "True", "reason": "Programmed", "message": "iptables-nft"},
                {"type": "BGPReady", "status": "False", "reason": "NotEstablished", "message":
                "192.0.2.2 AS64512 received 3 accepted 2 sent 1\n192.0.2.3 AS64512 received 0 accepted 0 sent 0: refused"}],
                "bgp": {"peersV4": [)",
                peers, "]}}}");
}
constexpr std::string_view kUp =
    R"({"peerIP": "192.0.2.2", "type": "NodeMesh", "state": "Established", "since": "2026-08-22T09:00:00Z"})";
constexpr std::string_view kDown =
    R"({"peerIP": "192.0.2.3", "type": "NodePeer", "state": "Idle", "since": "2026-08-22T09:59:00Z"})";

void put_nodes(Console& console) {
  console.client.put("nodes", R"({"metadata": {"name": "a"}})");
  console.client.put("nodes", R"({"metadata": {"name": "b"}})");
}

TEST(NodeStatus, OfAllNodesThroughTheApiServer) {
  Console console;
  put_nodes(console);
  console.client.changes = {filled("a", kUp), filled("b", concat(kUp, ",", kDown))};
  console.run("netctl node status");
  EXPECT_EQ(console.take_calls(),
            "list nodes\ncreate caliconodestatuses netctl-1787392800000-a\ncreate caliconodestatuses "
            "netctl-1787392800000-b\nlist caliconodestatuses\nwatch from 104 caliconodestatuses\ndelete "
            "caliconodestatuses netctl-1787392800000-a\ndelete caliconodestatuses netctl-1787392800000-b\n");
  console.client.changes = {filled("a", kUp), filled("b", concat(kUp, ",", kDown))};
  console.run("netctl node status -o wide");
  console.client.changes = {filled("a", kUp)};
  console.run("netctl node status a");
  console.client.changes = {filled("b", concat(kUp, ",", kDown))};
  console.run("netctl node status b");
  console.client.changes = {filled("b", concat(kUp, ",", kDown), "False")};
  console.run("netctl node status b -o yaml");
  test::expect_golden("ctl/verbs/testdata/node-status.txt", console.screen);
}

TEST(NodeStatus, ANodeThatDoesNotAnswerIsNamed) {
  Console console;
  put_nodes(console);
  console.client.changes = {filled("a", kUp)};
  console.client.watch_stays_open = false;
  const std::string screen = console.run("netctl node status --wait 0");
  EXPECT_THAT(screen, HasSubstr("no answer within 0s"));
  EXPECT_THAT(screen, HasSubstr("[3]"));
  EXPECT_EQ(console.client.stored("caliconodestatuses", "", "netctl-1787392800000-b"), nullptr) << "it is removed";
}

TEST(NodeStatus, WhatAnEarlierOneLeftIsRemoved) {
  Console console;
  put_nodes(console);
  console.client.put("caliconodestatuses", R"({"metadata": {"name": "netctl-1-x",
    "labels": {"app.kubernetes.io/managed-by": "netctl"}}, "spec": {"node": "x"}})");
  console.client.put("caliconodestatuses", R"({"metadata": {"name": "mine"}, "spec": {"node": "x"}})");
  console.client.changes = {filled("a", kUp)};
  console.run("netctl node status a");
  EXPECT_EQ(console.client.stored("caliconodestatuses", "", "netctl-1-x"), nullptr);
  EXPECT_NE(console.client.stored("caliconodestatuses", "", "mine"), nullptr);
}

TEST(NodeStatus, OfThisMachineByTheAgentsSocket) {
  Console console;
  fill_agent(console);
  console.run("netctl node status --socket /run/margay/node.sock");
  console.run("netctl node status --socket /run/margay/node.sock -o json");
  console.run("netctl node status --socket /elsewhere");
  // Nothing is configured: the agent of this machine is asked.
  console.server.problem = Error{ErrorCode::kNotFound, "no kubeconfig"};
  console.run("netctl node status -o yaml");
  test::expect_golden("ctl/verbs/testdata/node-status-socket.txt", console.screen);
}

TEST(NodeStatus, WrongInputIsAnswered) {
  Console console;
  put_nodes(console);
  console.run("netctl node status nobody");
  console.run("netctl node status a --socket /run/margay/node.sock");
  console.run("netctl node status --wait soon");
  console.run("netctl node status -o xml");
  console.run("netctl node stats");
  console.run("netctl node checksystem now");
  console.run("netctl bgp");
  console.run("netctl bgp routes 10.0.0.0/33");
  console.run("netctl bgp routes 10.0.0.1 --longer");
  console.run("netctl bgp routes --longer");
  console.run("netctl bgp routes --received");
  console.run("netctl bgp routes --received --advertised --peer 192.0.2.2");
  console.run("netctl bgp routes --peer rack1");
  console.run("netctl bgp neighbor");
  console.run("netctl bgp neighbor rack1");
  console.run("netctl bgp peers");
  console.run("netctl support-bundle --wait never");
  console.client.failures.push_back(
      {"list", FakeClient::error(ErrorCode::kPermissionDenied, 403, "may not list nodes")});
  console.run("netctl node status");
  console.client.failures.push_back({"create", FakeClient::error(ErrorCode::kPermissionDenied, 403, "may not create")});
  console.run("netctl node status a");
  console.server.problem = Error{ErrorCode::kNotFound, "no kubeconfig"};
  console.run("netctl support-bundle");
  test::expect_golden("ctl/verbs/testdata/node-wrong.txt", console.screen);
}

TEST(Bgp, PeersRoutesAndNeighbor) {
  Console console;
  fill_agent(console);
  answer(console, kSocket, "/routes?prefix=10.0.1.7%2F32&match=holding", kRouteList);
  answer(console, kSocket, "/routes?prefix=10.0.0.0%2F16&match=inside", kRouteList);
  answer(console, kSocket, "/routes?peer=192.0.2.2&in", kRouteList);
  answer(console, kSocket, "/routes?peer=192.0.2.7&out", R"({"error": "there is no peer 192.0.2.7, only 192.0.2.2"})",
         404);
  answer(console, kSocket, "/routes?prefix=10.9.0.0%2F16", R"({"routes": []})");
  console.run("netctl bgp peers");
  console.run("netctl bgp routes");
  console.run("netctl bgp routes 10.0.1.7 -o yaml");
  console.run("netctl bgp routes 10.0.0.0/16 --longer -o json");
  console.run("netctl bgp routes --peer 192.0.2.2 --received");
  console.run("netctl bgp routes --peer 192.0.2.7 --advertised");
  console.run("netctl bgp routes 10.9.0.0/16");
  console.run("netctl bgp neighbor 192.0.2.2");
  console.run("netctl bgp neighbour 192.0.2.9 -o yaml");
  console.run("netctl bgp neighbor 192.0.2.3");
  test::expect_golden("ctl/verbs/testdata/bgp.txt", console.screen);
}

TEST(Bgp, ASpeakerThatDoesNotRunIsSaid) {
  Console console;
  answer(console, "/run/margay/bgpd.sock", "/peers", R"({"speaker": {"problems": ["listen on 192.0.2.1: in use"]},
    "peers": []})");
  EXPECT_THAT(console.run("netctl bgp peers"), HasSubstr("tried again: listen on 192.0.2.1: in use"))
      << "margay-bgpd's socket, as there is no agent";
  answer(console, kSocket, "/peers", R"({"running": false, "refused": "two peers with one address", "peers": []})");
  const std::string screen = console.run("netctl bgp peers");
  EXPECT_THAT(screen, HasSubstr("BGP is not running"));
  EXPECT_THAT(screen, HasSubstr("refused: two peers with one address"));
  EXPECT_THAT(screen, HasSubstr("[3]"));
}

TEST(Checksystem, TellsWhatIsMissingAndWhatThatMeans) {
  Console console;
  using node::Verdict;
  console.host.checks = {{"veth pairs", true, Verdict::kWorks, "", "pods cannot be connected"},
                         {"IP-in-IP", false, Verdict::kWorks, "by kernel", "no tunnel"}};
  console.run("netctl node checksystem");
  console.host.checks.push_back({"VXLAN", false, Verdict::kMissing, "Not supported", "pools with vxlanMode"});
  console.run("netctl node checksystem");
  console.run("netctl node checksystem -o json");
  console.host.checks.push_back({"iptables", true, Verdict::kUnknown, "no such program", "no policy"});
  console.run("netctl node checksystem");
  test::expect_golden("ctl/verbs/testdata/node-checksystem.txt", console.screen);
}

TEST(SupportBundle, HasWhatThereIsAndNamesWhatThereIsNot) {
  Console console;
  put_nodes(console);
  fill_agent(console);
  console.client.put("pods", R"({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [{"env": [
    {"name": "PASSWORD", "value": "hush"}]}]}})");
  console.client.put("secrets", R"({"metadata": {"name": "s", "namespace": "shop"}, "data": {"k": "aHVzaA=="}})");
  console.client.changes = {filled("a", kUp), filled("b", kUp)};
  console.host.machine_files["/var/log/pods/kube-system_margay-node-x/node/0.log"] = "a line of the log\n";
  console.host.absent = {"nft"};
  console.run("netctl support-bundle");
  ASSERT_EQ(console.host.written.size(), 1U);
  const auto& [path, archive] = *console.host.written.begin();
  EXPECT_EQ(path, "netctl-bundle-20260822T100000Z.tar.gz");
  EXPECT_THAT(archive, Not(HasSubstr("hush")));
  EXPECT_THAT(archive, Not(HasSubstr("aHVzaA==")));
  for (const char* part : {"cluster/pods.json", "cluster/ippools.projectcalico.org.json", "nodes.json",
                           "agent/status.json", "output of ip -d route show table all", "a line of the log",
                           "there is no program nft", "\"what\": \"agent/metrics.txt\""}) {
    EXPECT_THAT(archive, HasSubstr(part));
  }
}

TEST(SupportBundle, OfAClusterAloneAndWhatFailsIsCounted) {
  Console console;
  put_nodes(console);
  console.client.changes = {filled("a", kUp), filled("b", kUp)};
  console.client.failures.push_back({"list", FakeClient::error(ErrorCode::kPermissionDenied, 403, "may not list")});
  const std::string screen = console.run("netctl diags --output-file case.tar.gz");
  EXPECT_THAT(screen, HasSubstr("may not list"));
  EXPECT_THAT(screen, HasSubstr("[5]"));
  EXPECT_THAT(console.host.written["case.tar.gz"], HasSubstr("there is no agent at /run/margay/node.sock"));
}

TEST(Version, OfTheClusterIsThatOfItsClusterInformation) {
  Console console;
  EXPECT_THAT(console.run("netctl version"), Not(HasSubstr("Cluster")));
  console.client.put("clusterinformations", R"({"metadata": {"name": "default"}, "spec": {"clusterGUID": "abc",
    "clusterType": "k8s,bgp", "calicoVersion": "v3.32.0"}})");
  console.run("netctl version");
  console.run("netctl version -o yaml");
  console.run("netctl version --client");
  test::expect_golden("ctl/verbs/testdata/version-cluster.txt", console.screen);
}

}  // namespace
}  // namespace margay::verbs
