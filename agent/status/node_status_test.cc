#include "agent/status/node_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/json/value.h"
#include "base/loop/sim_loop.h"
#include "test/support/patch_client.h"

namespace margay::status {
namespace {

using model::NodeStatusClass;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const WallTime kStart(std::chrono::seconds(1'767'225'600));

NodeSnapshot snapshot() {
  NodeSnapshot out;
  out.speaker = {.is_running = true, .version = "0.1.0", .router_id = "10.0.0.7", .started = kStart};
  const auto peer = [](std::string_view address, model::BgpSessionState state) {
    return NodeSnapshot::Peer{*IpAddress::parse(address), model::NodePeerType::kNodeMesh, state, kStart};
  };
  out.peers = {peer("10.0.0.9", model::BgpSessionState::kActive),
               peer("2001:db8::8", model::BgpSessionState::kEstablished),
               peer("10.0.0.8", model::BgpSessionState::kEstablished)};
  for (const char* destination : {"10.48.1.0/26", "fd00::/122", "10.48.0.64/26"}) {
    out.routes.emplace_back().destination = destination;
    out.routes.back().type = model::RouteTableKind::kFib;
  }
  return out;
}

std::vector<std::string> addresses(const std::vector<model::NodePeerStatus>& peers) {
  std::vector<std::string> out;
  for (const auto& peer : peers) out.push_back(peer.peer_ip);
  return out;
}

TEST(NodeStatus, BothFamiliesAreTold) {
  model::NodeStatusSpec spec;
  spec.classes = {NodeStatusClass::kAgent, NodeStatusClass::kBgp, NodeStatusClass::kRoutes};
  const auto status = fill(spec, snapshot(), kStart);
  EXPECT_EQ(status.last_updated, kStart);
  EXPECT_EQ(status.agent.bird_v4.state, model::BgpDaemonState::kReady);
  EXPECT_EQ(status.agent.bird_v6.router_id, "10.0.0.7");
  EXPECT_EQ(status.agent.bird_v4.last_boot_time, "2026-01-01T00:00:00Z");
  EXPECT_EQ(status.agent.bird_v4.last_reconfiguration_time, "");
  EXPECT_EQ(status.bgp.number_established_v4, 1);
  EXPECT_EQ(status.bgp.number_not_established_v4, 1);
  EXPECT_EQ(status.bgp.number_established_v6, 1);
  EXPECT_EQ(status.bgp.number_not_established_v6, 0);
  EXPECT_THAT(addresses(status.bgp.peers_v4), ElementsAre("10.0.0.8", "10.0.0.9"));
  EXPECT_THAT(addresses(status.bgp.peers_v6), ElementsAre("2001:db8::8"));
  ASSERT_THAT(status.routes.routes_v4, SizeIs(2));
  EXPECT_EQ(status.routes.routes_v4[0].destination, "10.48.0.64/26");
  EXPECT_THAT(status.routes.routes_v6, SizeIs(1));
}

TEST(NodeStatus, ConditionsTellWhatCalicosFieldsDoNot) {
  model::NodeStatusSpec spec;
  spec.classes = {NodeStatusClass::kAgent, NodeStatusClass::kBgp};
  NodeSnapshot given = snapshot();
  given.aspects = {{.type = "Ready", .is_well = true, .reason = "Ready", .message = "margay-node 0.1.0"}};
  given.peers[0].problem = "connect: Connection refused";
  given.peers[1].asn = 64512;
  given.peers[1].received = 3;
  const auto status = fill(spec, given, kStart);
  ASSERT_THAT(status.conditions, SizeIs(2));
  EXPECT_EQ(status.conditions[0].type, "Ready");
  EXPECT_EQ(status.conditions[0].status, model::ConditionStatus::kTrue);
  EXPECT_EQ(status.conditions[0].last_transition_time, kStart);
  EXPECT_EQ(status.conditions[1].type, "BGPReady");
  EXPECT_EQ(status.conditions[1].status, model::ConditionStatus::kFalse);
  EXPECT_EQ(status.conditions[1].message,
            "10.0.0.9 AS? received 0 accepted 0 sent 0: connect: Connection refused\n"
            "10.0.0.8 AS? received 0 accepted 0 sent 0\n2001:db8::8 AS64512 received 3 accepted 0 sent 0")
      << "those that are not up come first";
  given.aspects[0].is_well = false;
  const auto later = fill(spec, given, kStart + std::chrono::seconds(9), status);
  EXPECT_EQ(later.conditions[0].last_transition_time, kStart + std::chrono::seconds(9)) << "it changed";
  EXPECT_EQ(later.conditions[1].last_transition_time, kStart) << "it did not";
}

TEST(NodeStatus, OfMorePeersThanAMessageHoldsThoseThatAreUpAreLeftOut) {
  model::NodeStatusSpec spec;
  spec.classes = {NodeStatusClass::kBgp};
  NodeSnapshot given;
  EXPECT_EQ(fill(spec, given, kStart).conditions.at(0).reason, "NotRunning");
  given.speaker.is_running = true;
  given.speaker.problem = "two peers with one address";
  EXPECT_EQ(fill(spec, given, kStart).conditions.at(0).reason, "Refused");
  EXPECT_EQ(fill(spec, given, kStart).conditions.at(0).message, "two peers with one address");
  given.speaker.problem.clear();
  for (std::uint32_t i = 0; i < 2000; ++i) {
    given.peers.push_back({IpAddress::v4(0x0a000000 + i), model::NodePeerType::kNodeMesh,
                           i == 1999 ? model::BgpSessionState::kIdle : model::BgpSessionState::kEstablished, kStart});
  }
  const auto status = fill(spec, given, kStart);
  ASSERT_THAT(status.conditions, SizeIs(1));
  EXPECT_LE(status.conditions[0].message.size(), 32'768U);
  EXPECT_TRUE(status.conditions[0].message.starts_with("10.0.7.207 ")) << status.conditions[0].message.substr(0, 80);
}

TEST(NodeStatus, WhatIsNotAskedForIsEmpty) {
  model::NodeStatusSpec spec;
  spec.classes = {NodeStatusClass::kBgp};
  const auto status = fill(spec, snapshot(), kStart);
  EXPECT_EQ(status.agent, model::NodeAgentStatus());
  EXPECT_EQ(status.routes, model::NodeRoutesStatus());
  EXPECT_EQ(status.bgp.number_established_v4, 1);
}

class ReporterTest : public ::testing::Test {
 protected:
  std::shared_ptr<const model::CalicoNodeStatus> object(std::string_view node, std::int64_t period) {
    auto out = std::make_shared<model::CalicoNodeStatus>();
    out->metadata.name = "status";
    out->spec.node = node;
    out->spec.classes = {NodeStatusClass::kBgp};
    out->spec.update_period_seconds = period;
    return out;
  }

  loop::SimLoop loop;
  SeededRandom random{1};
  test::PatchClient client{"caliconodestatuses"};
  NodeStatusReporter reporter{{loop, random, client}, "node-1", snapshot};
};

TEST_F(ReporterTest, WritesAllOfTheStatusAtOnce) {
  reporter.set_object("status", object("node-1", 10));
  EXPECT_THAT(client.open, IsEmpty()) << "not from inside the call";
  loop.run_until_idle();
  ASSERT_THAT(client.open, SizeIs(1));
  EXPECT_EQ(client.open[0].name, "status");
  EXPECT_EQ(client.open[0].subresource, "status");
  EXPECT_EQ(client.open[0].type, kube::PatchType::kJson);
  const auto body = json::parse(client.open[0].body);
  ASSERT_TRUE(body.ok() && body->as_array() != nullptr && body->as_array()->size() == 1);
  const json::Value& change = body->as_array()->front();
  EXPECT_EQ(change.string_at({"op"}), "add");
  EXPECT_EQ(change.string_at({"path"}), "/status");
  EXPECT_EQ(*change.find({"value", "bgp", "numberEstablishedV4"})->as_integer(), 1);
  EXPECT_EQ(change.string_at({"value", "lastUpdated"}), "2026-01-01T00:00:00Z");
}

TEST_F(ReporterTest, EachPeriodWithJitter) {
  reporter.set_object("status", object("node-1", 10));
  loop.run_until_idle();
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(client.open, SizeIs(1));
    client.answer(true);
    loop.advance(std::chrono::milliseconds(8'900));
    EXPECT_THAT(client.open, IsEmpty());
    loop.advance(std::chrono::milliseconds(1'200));
  }
}

TEST_F(ReporterTest, OnlyOnceWithoutAPeriodAndAgainWhenTheSpecChanges) {
  reporter.set_object("status", object("node-1", 0));
  loop.run_until_idle();
  client.answer(true);
  loop.advance(std::chrono::hours(24));
  EXPECT_THAT(client.open, IsEmpty());
  reporter.set_object("status", object("node-1", 0));  // as our own writing comes back
  loop.run_until_idle();
  EXPECT_THAT(client.open, IsEmpty());
  reporter.set_object("status", object("node-1", 3600));
  loop.run_until_idle();
  EXPECT_THAT(client.open, SizeIs(1));
}

TEST_F(ReporterTest, ObjectsOfOtherNodesAndThoseGoneAreLeftAlone) {
  reporter.set_object("status", object("node-2", 10));
  loop.advance(std::chrono::minutes(1));
  EXPECT_THAT(client.open, IsEmpty());
  reporter.set_object("status", object("node-1", 10));
  loop.run_until_idle();
  client.answer(false);
  reporter.set_object("status", nullptr);
  loop.advance(std::chrono::minutes(10));
  EXPECT_THAT(client.open, IsEmpty()) << "its retry went with it";
}

TEST_F(ReporterTest, AFailureIsTriedAgain) {
  reporter.set_object("status", object("node-1", 0));
  loop.run_until_idle();
  for (int i = 0; i < 3; ++i) {
    ASSERT_THAT(client.open, SizeIs(1));
    client.answer(false);
    loop.advance(std::chrono::seconds(11));
  }
}

}  // namespace
}  // namespace margay::status
