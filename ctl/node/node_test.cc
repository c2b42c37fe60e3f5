// Reports of nodes, archives, masks, and the checks of this machine.
#include <gmock/gmock.h>
#include <unistd.h>

#include <set>

#include "base/core/text.h"
#include "ctl/node/host.h"
#include "ctl/node/mask.h"
#include "ctl/node/node_report.h"
#include "ctl/node/tar.h"
#include "gtest/gtest.h"

namespace margay::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

json::Value value(std::string_view text) { return *json::parse(text); }

constexpr std::string_view kAspects = R"([
  {"type": "Ready", "status": "True", "reason": "Ready", "message": "margay-node 0.1.0 abc"},
  {"type": "DataplaneReady", "status": "True", "reason": "Programmed", "message": "iptables-nft, 1 endpoint"}])";

TEST(NodeReport, SocketAndObjectSayTheSame) {
  const NodeReport by_socket = report_of(
      value(concat(R"({"node": "a", "version": "0.1.0", "aspects": )", kAspects, "}")), value(R"({"running": true,
    "speaker": {"routerID": "192.0.2.1"}, "peers": [
      {"address": "192.0.2.2", "source": "NodeMesh", "state": "Established", "sinceSeconds": 60.0, "asNumber": 64512,
       "prefixesReceived": 3, "prefixesAccepted": 2, "prefixesSent": 1, "problem": ""},
      {"address": "192.0.2.3", "source": "GlobalPeer", "state": "Idle", "sinceSeconds": 5, "asNumber": null,
       "prefixesReceived": 0, "prefixesAccepted": 0, "prefixesSent": 0, "problem": "connect: refused"}]})"));
  json::Value object = value(concat(R"({"spec": {"node": "a"}, "status": {"lastUpdated": "2026-08-22T10:01:00Z",
    "conditions": )",
                                    kAspects, R"(, "agent": {"birdV4": {"state": "Ready", "version": "0.1.0",
    "routerID": "192.0.2.1"}}, "bgp": {"peersV4": [
      {"peerIP": "192.0.2.2", "type": "NodeMesh", "state": "Established", "since": "2026-08-22T10:00:00Z"},
      {"peerIP": "192.0.2.3", "type": "GlobalPeer", "state": "Idle", "since": "2026-08-22T10:00:55Z"}]}}})"));
  json::Value peers = value(R"({"type": "BGPReady", "status": "False", "reason": "NotEstablished"})");
  peers["message"] =
      "192.0.2.3 AS? received 0 accepted 0 sent 0: connect: refused\n192.0.2.2 AS64512 received 3 accepted 2 sent 1";
  object["status"]["conditions"].make_array().push_back(std::move(peers));
  EXPECT_EQ(as_json(report_of(object)), as_json(by_socket)) << json::dump_pretty(as_json(report_of(object)));
  EXPECT_EQ(by_socket.peers_up(), 1U);
  EXPECT_FALSE(by_socket.is_well()) << "a peer is down";
  EXPECT_EQ(by_socket.peers[1].problem, "connect: refused");
}

TEST(NodeReport, WhatIsIllMakesANodeIll) {
  NodeReport report;
  EXPECT_TRUE(report.is_well());
  report.aspects = {{.type = "Ready", .is_well = false, .reason = "Starting", .message = ""}};
  EXPECT_FALSE(report.is_well());
  report.aspects.clear();
  report.problem = "no answer";
  EXPECT_FALSE(report.is_well());
}

TEST(NodeReport, ARefusedConfigurationIsSaidEitherWay) {
  const NodeReport by_socket =
      report_of(value("{}"), value(R"({"running": true, "refused": "two peers, one address"})"));
  EXPECT_EQ(by_socket.bgp_problem, "two peers, one address");
  EXPECT_FALSE(by_socket.is_well());
  const NodeReport by_object = report_of(value(R"({"status": {"conditions": [{"type": "BGPReady", "status": "False",
    "reason": "Refused", "message": "two peers, one address\n192.0.2.2 AS1 received 0 accepted 0 sent 0"}]}})"));
  EXPECT_EQ(by_object.bgp_problem, "two peers, one address");
}

TEST(NodeReport, OfCalicosAgentThereIsWhatCalicoTells) {
  const NodeReport report = report_of(value(R"({"spec": {"node": "a"}, "status": {"lastUpdated": "x",
    "agent": {"birdV4": {"state": "NotReady"}}, "bgp": {"peersV6": [{"peerIP": "2001:db8::2", "state": "Active",
    "since": "10:23:00"}]}}})"));
  EXPECT_EQ(report.bgp, "not running");
  ASSERT_EQ(report.peers.size(), 1U);
  EXPECT_EQ(report.peers[0].since, std::nullopt);
  EXPECT_EQ(report.peers[0].asn, std::nullopt);
  EXPECT_TRUE(report_of(value("{}")).peers.empty());
}

TEST(Tar, IsReadByTar) {
  Tar tar(WallTime(std::chrono::seconds(1'767'225'600)));
  const std::string folder(120, 'd');
  EXPECT_TRUE(tar.add("bundle/a.txt", "hello\n"));
  EXPECT_TRUE(tar.add("bundle/empty", ""));
  EXPECT_TRUE(tar.add(concat(folder, "/long.txt"), std::string(1000, 'x')));
  EXPECT_FALSE(tar.add("", "nameless"));
  EXPECT_FALSE(tar.add(std::string(300, 'n'), "too long"));
  const std::string archive = std::move(tar).finish();
  EXPECT_EQ(archive.size() % 512, 0U);
  exec::ProcessRunner runner;
  const auto listed = runner.run({.program = "tar", .arguments = {"-tf", "-"}, .input = archive});
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed->output, concat("bundle/a.txt\nbundle/empty\n", folder, "/long.txt\n")) << listed->errors;
  const auto one = runner.run({.program = "tar", .arguments = {"-xOf", "-", "bundle/a.txt"}, .input = archive});
  EXPECT_EQ(one->output, "hello\n");
}

TEST(Mask, SecretsAreNotShownAndReferencesAre) {
  json::Value pod = value(R"({"kind": "Pod", "metadata": {"annotations": {"a": "1",
    "kubectl.kubernetes.io/last-applied-configuration": "{\"env\": \"hush\"}"}}, "spec": {"containers": [{"env": [
    {"name": "KEY", "value": "hush"}, {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]}})");
  mask_secrets(pod);
  const std::string shown = json::dump(pod);
  EXPECT_THAT(shown, Not(HasSubstr("hush")));
  EXPECT_THAT(shown, HasSubstr(R"("secretKeyRef":{"name":"s","key":"k"})"));
  EXPECT_THAT(shown, HasSubstr(R"("annotations":{"a":"1"})"));
  json::Value secret = value(R"({"kind": "Secret", "data": {"a": "aHVzaA=="}, "stringData": {"b": "hush"}})");
  mask_secrets(secret);
  EXPECT_EQ(json::dump(secret), R"({"kind":"Secret","data":{"a":"***"},"stringData":{"b":"***"}})");
  json::Value peer = value(R"({"kind": "BGPPeer", "spec": {"password": {"secretKeyRef": {"name": "n", "key": "rack"}},
    "authToken": "hush"}})");
  mask_secrets(peer);
  EXPECT_THAT(json::dump(peer), HasSubstr(R"("key":"rack")"));
  EXPECT_THAT(json::dump(peer), HasSubstr(R"("authToken":"***")"));
}

// Which of them works is this machine's business; that each says what it means is ours.
TEST(SystemChecks, EachHasAVerdictAndAMeaning) {
  if (geteuid() != 0) GTEST_SKIP() << "network namespaces need root";
  const auto host = machine_host();
  std::set<std::string> names;
  for (const CheckResult& result : host->check_system()) {
    EXPECT_TRUE(names.insert(result.name).second) << result.name;
    EXPECT_FALSE(result.meaning.empty()) << result.name;
    EXPECT_TRUE(result.verdict == Verdict::kWorks || !result.detail.empty()) << result.name;
  }
  EXPECT_TRUE(names.contains("iptables"));
}

TEST(MachineHost, NobodyAnswersWhereNobodyIs) {
  const auto host = machine_host();
  const auto answer = ask(*host, "/nowhere/node.sock", "/status");
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().message, HasSubstr("/nowhere/node.sock"));
  EXPECT_TRUE(host->files("/nowhere/*").empty());
  EXPECT_TRUE(host->has_file("/proc"));
}

}  // namespace
}  // namespace margay::node
