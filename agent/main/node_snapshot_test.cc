#include "agent/main/node_snapshot.h"

#include <gtest/gtest.h>

namespace margay::agent {
namespace {

constexpr WallTime kNow{std::chrono::seconds(1'000'000)};

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }

bgp::RouteSnapshot best_route(const std::string& prefix, std::optional<std::string> peer, const std::string& next_hop) {
  bgp::RouteSnapshot out;
  out.prefix = IpPrefix::parse(prefix).value();
  if (peer) out.peer = address(*peer);
  out.next_hop.address = address(next_hop);
  out.best = true;
  return out;
}

class NodeSnapshotTest : public testing::Test {
 protected:
  NodeSnapshotTest() {
    speaker_.is_running = true;
    bgp::PeerSnapshot peer;
    peer.address = address("192.0.2.2");
    peer.state = bgp::fsm::State::kEstablished;
    peer.since = std::chrono::seconds(10);
    speaker_.speaker.peers = {peer};
    link::Interface eth0;
    eth0.name = "eth0";
    eth0.addresses = {InterfaceAddress::parse("192.0.2.1/24").value()};
    links_["eth0"] = eth0;
  }
  status::NodeSnapshot take() { return node_snapshot({speaker_, nullptr, links_}, kNow); }

  BgpSnapshot speaker_;
  std::map<std::string, link::Interface> links_;
};

TEST_F(NodeSnapshotTest, RoutesSayWhoTheyAreFromAndWhereTheyLead) {
  speaker_.speaker.routes = {
      best_route("10.0.0.0/26", std::nullopt, "192.0.2.1"), best_route("10.0.1.0/26", "192.0.2.2", "192.0.2.2"),
      best_route("10.0.2.0/26", "203.0.113.9", "203.0.113.9"), best_route("10.0.3.0/26", "192.0.2.2", "192.0.2.2")};
  speaker_.speaker.routes[3].best = false;
  const auto routes = take().routes;
  ASSERT_EQ(routes.size(), 3U) << "the best ones";
  EXPECT_EQ(routes[0].interface, "blackhole");
  EXPECT_EQ(routes[0].learned_from.source_type, model::RouteSourceType::kStatic);
  EXPECT_EQ(routes[1].destination, "10.0.1.0/26");
  EXPECT_EQ(routes[1].gateway, "192.0.2.2");
  EXPECT_EQ(routes[1].interface, "eth0");
  EXPECT_EQ(routes[1].learned_from.source_type, model::RouteSourceType::kNodeMesh);
  EXPECT_EQ(routes[1].learned_from.peer_ip, "192.0.2.2");
  EXPECT_EQ(routes[2].interface, "") << "no link of ours";
  EXPECT_EQ(routes[2].learned_from.source_type, model::RouteSourceType::kBgpPeer) << "one that has gone";
}

TEST_F(NodeSnapshotTest, MoreRoutesThanAnObjectHoldsAreLeftOut) {
  const auto one = best_route("10.0.1.0/26", "192.0.2.2", "192.0.2.2");
  speaker_.speaker.routes.assign(kStatusRoutesMax + 7, one);
  EXPECT_EQ(take().routes.size(), kStatusRoutesMax);
}

TEST_F(NodeSnapshotTest, TimesAreBeforeNow) {
  speaker_.speaker.uptime = std::chrono::seconds(60);
  const auto snapshot = take();
  EXPECT_EQ(snapshot.speaker.started, kNow - std::chrono::seconds(60));
  ASSERT_EQ(snapshot.peers.size(), 1U);
  EXPECT_EQ(snapshot.peers[0].since, kNow - std::chrono::seconds(10));
  EXPECT_EQ(snapshot.peers[0].state, model::BgpSessionState::kEstablished);
}

TEST_F(NodeSnapshotTest, WithoutASpeakerThereIsNothingToTell) {
  speaker_.is_running = false;
  const auto snapshot = take();
  EXPECT_FALSE(snapshot.speaker.is_running);
  EXPECT_TRUE(snapshot.peers.empty());
}

}  // namespace
}  // namespace margay::agent
