// What is told to whom, and with which attributes.
#include "bgp/rib/rib.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bgp/rib/rib_fixture.h"

namespace margay::bgp::rib {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const IpPrefix kPrefix = prefix_of("192.0.2.0/24");
const PeerTable::Key kKey{kPrefix, 0};

constexpr PeerSpec kInternal2{.id = 2, .kind = Kind::kInternal};
constexpr PeerSpec kInternal3{.id = 3, .kind = Kind::kInternal};
constexpr PeerSpec kClient4{.id = 4, .kind = Kind::kClient};
constexpr PeerSpec kClient5{.id = 5, .kind = Kind::kClient};

class RibTest : public ::testing::Test {
 protected:
  void add_all(const std::vector<PeerSpec>& specs) {
    for (const PeerSpec& spec : specs) {
      world.add(spec);
      world.up(spec.id);
    }
    world.settle();
  }
  void announce(PeerId peer, const AttributeText& text, std::string_view next_hop = "198.51.100.1") {
    world.rib().receive(peer, announcement({{kPrefix}}, attributes_of(text), address_of(next_hop)));
    world.settle();
  }
  void withdraw(PeerId peer) {
    world.rib().receive(peer, withdrawal({{kPrefix}}));
    world.settle();
  }
  bool knows(PeerId peer) { return world.table(peer).routes.contains(kKey); }
  AttributeView told(PeerId peer) {
    return AttributeView(bytes::view_of(world.table(peer).routes.at(kKey).attributes));
  }
  IpAddress next_hop(PeerId peer) { return world.table(peer).routes.at(kKey).next_hop.address; }

  void TearDown() override { EXPECT_THAT(world.problems, IsEmpty()); }

  World world;
};

TEST_F(RibTest, ExternalPeerGetsOurNumberInFrontAndUsAsNextHop) {
  add_all({kExternal0, kExternal1});
  announce(0, {.path = {65000, 3}, .med = 7});
  ASSERT_TRUE(knows(1));
  EXPECT_EQ(told(1).as_path().to_string(), "64512 65000 3");
  EXPECT_EQ(told(1).med(), std::nullopt) << "RFC 4271 §5.1.4: not passed on to another AS";
  EXPECT_EQ(told(1).local_pref(), std::nullopt);
  EXPECT_EQ(next_hop(1), address_of("10.0.0.254"));
  EXPECT_FALSE(knows(0)) << "never back to where it came from";
  withdraw(0);
  EXPECT_FALSE(knows(1));
}

TEST_F(RibTest, NextHopOnTheLinkWeShareIsKept) {
  add_all({kExternal0, kExternal1});
  announce(0, {.path = {65000}}, "10.0.0.1");
  EXPECT_EQ(next_hop(1), address_of("10.0.0.1"));
}

TEST_F(RibTest, InternalPeerGetsLocalPrefAndTheNextHopAsItCame) {
  add_all({kExternal0, kInternal2});
  announce(0, {.path = {65000, 3}, .med = 7});
  EXPECT_EQ(told(2).as_path().to_string(), "65000 3");
  EXPECT_EQ(told(2).med(), std::optional(7U));
  EXPECT_EQ(told(2).local_pref(), std::optional(100U));
  EXPECT_EQ(next_hop(2), address_of("198.51.100.1"));
}

TEST_F(RibTest, NextHopModesSayWhatTheySay) {
  add_all({kExternal0, kExternal1, kInternal2});
  PeerPolicy keep = policy_of(kExternal1), self = policy_of(kInternal2);
  keep.next_hop_mode = NextHopMode::kKeep;
  self.next_hop_mode = NextHopMode::kSelf;
  world.rib().set_policy(1, keep);
  world.rib().set_policy(2, self);
  announce(0, {.path = {65000}});
  EXPECT_EQ(next_hop(1), address_of("198.51.100.1"));
  EXPECT_EQ(next_hop(2), address_of("10.0.0.254"));
}

TEST_F(RibTest, InternalRoutesAreNotPassedOnWithoutReflection) {
  add_all({kInternal2, kInternal3, kExternal0});
  announce(2, {.local_pref = 100});
  EXPECT_FALSE(knows(3));
  EXPECT_TRUE(knows(0));
}

TEST_F(RibTest, ReflectorServesClientsAsRfc4456Says) {
  PeerSpec non_client = kInternal2, other_non_client = kInternal3;
  non_client.is_reflecting = other_non_client.is_reflecting = true;
  add_all({kExternal0, non_client, other_non_client, kClient4, kClient5});
  announce(4, {.local_pref = 100});  // of a client: to everybody else
  EXPECT_TRUE(knows(0) && knows(2) && knows(3) && knows(5));
  EXPECT_FALSE(knows(4));
  EXPECT_EQ(told(5).originator_id(), std::optional(RouterId(0x0a000005)));
  EXPECT_TRUE(told(5).cluster_list_contains(RouterId(0x01010101)));
  EXPECT_EQ(told(0).originator_id(), std::nullopt);
  EXPECT_EQ(told(0).cluster_list_length(), 0U);
  withdraw(4);
  announce(2, {.local_pref = 100});  // of a non-client: to clients and external peers
  EXPECT_TRUE(knows(0) && knows(4) && knows(5));
  EXPECT_FALSE(knows(3) || knows(2));
}

TEST_F(RibTest, NothingIsReflectedToItsOriginator) {
  PeerSpec non_client = kInternal2;
  non_client.is_reflecting = true;
  add_all({non_client, kClient4, kClient5});
  // Another reflector passes on what our client 4 (router ID 10.0.0.5) said.
  announce(2, {.local_pref = 100, .originator = 0x0a000005, .clusters = {0x02020202}});
  EXPECT_FALSE(knows(4));
  ASSERT_TRUE(knows(5));
  EXPECT_EQ(told(5).originator_id(), std::optional(RouterId(0x0a000005)));
  EXPECT_EQ(told(5).cluster_list_length(), 2U);
}

TEST_F(RibTest, LoopsAreNotUsed) {
  struct Loop {
    const char* why;
    AttributeText text;
    std::string_view reason;
  };
  const Loop loops[] = {
      {"our AS in the path", {.path = {3, 64512, 4}, .local_pref = 100}, "our AS is in the path"},
      {"we are the originator", {.local_pref = 100, .originator = 0x0a0000fe}, "we are its originator"},
      {"our cluster", {.local_pref = 100, .clusters = {9, 0x01010101}}, "our cluster is in its cluster list"},
  };
  add_all({kClient4, kClient5});
  for (const Loop& loop : loops) {
    announce(4, loop.text);
    EXPECT_FALSE(knows(5)) << loop.why;
    const std::vector<RouteView> views = world.rib().explain(kPrefix);
    ASSERT_EQ(views.size(), 1U) << loop.why;
    EXPECT_EQ(views[0].lost_at, DecisionStep::kUnusable);
    EXPECT_EQ(views[0].reason, loop.reason);
  }
  PeerPolicy policy = policy_of(kClient4);
  policy.own_asn_allowed = 1;
  announce(4, loops[0].text);
  world.rib().set_policy(4, policy);
  world.settle();
  EXPECT_TRUE(knows(5)) << "judged again without a reset";
}

TEST_F(RibTest, NextHopsThatLeadToUsOrNowhereAreNotUsed) {
  add_all({kExternal0, kExternal1});
  for (const char* bad : {"10.0.0.254", "0.0.0.0", "127.0.0.1", "224.0.0.5"}) {
    announce(0, {.path = {65000}}, bad);
    EXPECT_FALSE(knows(1)) << bad;
  }
  announce(0, {.path = {65000}});
  EXPECT_TRUE(knows(1));
}

TEST_F(RibTest, WellKnownCommunitiesAreObeyed) {
  add_all({kExternal0, kExternal1, kInternal2});
  announce(0, {.path = {65000}, .communities = {kNoExport}});
  EXPECT_TRUE(!knows(1) && knows(2));
  announce(0, {.path = {65000}, .communities = {kNoExportSubconfed}});
  EXPECT_TRUE(!knows(1) && knows(2));
  announce(0, {.path = {65000}, .communities = {kNoAdvertise}});
  EXPECT_TRUE(!knows(1) && !knows(2));
}

// RFC 1997 speaks of routes that were received: ours carry the community to those it is meant for.
TEST_F(RibTest, CommunitiesOfOurOwnRoutesAreForTheNeighbour) {
  add_all({kExternal0});
  world.rib().set_local_routes(
      {{.prefix = kPrefix, .communities = {kNoExport}, .large_communities = {}, .interface = {}}});
  world.settle();
  ASSERT_TRUE(knows(0));
  EXPECT_TRUE(told(0).has_community(kNoExport));
  EXPECT_EQ(told(0).as_path().to_string(), "64512");
}

TEST_F(RibTest, ExternalPeersWithoutPolicyAreSilentWhereOneIsRequired) {
  add_all({kExternal0, kExternal1, kInternal2});
  PeerPolicy strict = policy_of(kExternal1);
  strict.requires_policy = true;
  world.rib().set_policy(1, strict);
  announce(0, {.path = {65000}});
  EXPECT_FALSE(knows(1));
  announce(1, {.path = {65001}});
  EXPECT_EQ(world.rib().counts(1).accepted[Family::kIpv4Unicast], 0U);
  strict.export_chain[Family::kIpv4Unicast] = std::make_shared<std::vector<Filter>>();
  world.rib().set_policy(1, strict);
  world.settle();
  EXPECT_TRUE(knows(1));
}

TEST_F(RibTest, BestMovesFromOnePeerToAnother) {
  add_all({kExternal0, kExternal1, kInternal2});
  announce(0, {.path = {65000, 3}});
  EXPECT_TRUE(!knows(0) && knows(1) && knows(2));
  announce(1, {.path = {65001}});
  EXPECT_TRUE(knows(0) && !knows(1) && knows(2)) << "1 is the source now and must forget ours";
  withdraw(1);
  EXPECT_TRUE(!knows(0) && knows(1) && knows(2));
  EXPECT_EQ(world.table(2).needless, 0U);
}

TEST_F(RibTest, WhatDoesNotChangeForAPeerIsNotSaidAgain) {
  add_all({kExternal0, kExternal1, kInternal2});
  announce(0, {.path = {65000}, .med = 1});
  const std::size_t before = world.table(1).updates;
  announce(0, {.path = {65000}, .med = 2});  // external peers do not see MED
  EXPECT_EQ(world.table(1).updates, before);
  EXPECT_EQ(told(2).med(), std::optional(2U));
  announce(0, {.path = {65000}, .med = 2});
  EXPECT_EQ(world.table(2).needless, 0U);
}

TEST_F(RibTest, GracefulShutdownIsTheLastResortAndIsPassedOn) {
  add_all({kExternal0, kExternal1, kInternal2});
  announce(1, {.path = {65001, 3, 4, 5}});
  announce(0, {.path = {65000}, .communities = {kGracefulShutdown}});
  EXPECT_EQ(told(2).as_path().to_string(), "65001 3 4 5");
  PeerPolicy drained = policy_of(kInternal2);
  drained.graceful_shutdown = true;
  world.rib().set_policy(2, drained);
  world.settle();
  EXPECT_TRUE(told(2).has_community(kGracefulShutdown));
  EXPECT_EQ(told(2).local_pref(), std::optional(0U));
}

TEST_F(RibTest, KernelGetsTheBestAndWhatTiesWithIt) {
  add_all({kInternal2, kInternal3});
  announce(2, {.local_pref = kLocalPrefOfPriorityZero - 1024}, "10.0.0.3");
  announce(3, {.local_pref = kLocalPrefOfPriorityZero - 1024}, "10.0.0.4");
  const BestRoute& both = world.kernel().at(kPrefix);
  EXPECT_THAT(both.next_hops, ElementsAre(NextHop{address_of("10.0.0.3"), {}}, NextHop{address_of("10.0.0.4"), {}}));
  EXPECT_EQ(both.priority, 1024U);
  EXPECT_FALSE(both.is_elevated || both.is_external);
  // Calico's live migration: the new node says 512 and wins.
  announce(3, {.local_pref = kLocalPrefOfPriorityZero - 512}, "10.0.0.4");
  const BestRoute& moved = world.kernel().at(kPrefix);
  EXPECT_THAT(moved.next_hops, ElementsAre(NextHop{address_of("10.0.0.4"), {}}));
  EXPECT_EQ(moved.priority, 512U);
  EXPECT_TRUE(moved.is_elevated);
  withdraw(2);
  withdraw(3);
  EXPECT_THAT(world.kernel(), IsEmpty());
}

TEST_F(RibTest, BestRoutesAreToldAgainToWhoBeganToListen) {
  add_all({kInternal2, kExternal0});
  announce(2, {.local_pref = 100});
  const std::map<IpPrefix, BestRoute> before = world.kernel();
  ASSERT_EQ(before.size(), 1U);
  world.kernel().clear();
  world.rib().tell_routes_again();
  EXPECT_EQ(world.kernel(), before);
  withdraw(2);
  world.rib().tell_routes_again();
  EXPECT_THAT(world.kernel(), IsEmpty());
}

TEST_F(RibTest, OurOwnRouteLeavesTheKernelToItsOwner) {
  add_all({kInternal2, kExternal0});
  announce(2, {.local_pref = 100});
  EXPECT_EQ(world.kernel().size(), 1U);
  world.rib().set_local_routes({{.prefix = kPrefix, .communities = {}, .large_communities = {}, .interface = {}}});
  world.settle();
  EXPECT_THAT(world.kernel(), IsEmpty());
  EXPECT_EQ(told(2).local_pref(), std::optional(kLocalPrefOfPriorityZero - 1024));
  EXPECT_EQ(next_hop(2), address_of("10.0.0.254"));
  world.rib().set_local_routes({});
  world.settle();
  EXPECT_EQ(world.kernel().size(), 1U);
  EXPECT_FALSE(knows(2));
}

TEST_F(RibTest, FiltersDecideAndChange) {
  add_all({kExternal0, kExternal1, kInternal2});
  FilterRule reject, mark;
  reject.cidr = kPrefix;
  reject.accept = false;
  mark.cidr = kPrefix;
  mark.operations = {{.add_community = AnyCommunity(77U), .prepend = {Asn(9), Asn(8)}, .set_priority = 512U}};
  const auto chain = [](const FilterRule& rule) {
    return std::make_shared<const std::vector<Filter>>(std::vector<Filter>{{"test", {rule}}});
  };
  announce(0, {.path = {65000}});
  PeerPolicy one = policy_of(kExternal1), two = policy_of(kInternal2);
  one.export_chain[Family::kIpv4Unicast] = chain(reject);
  two.export_chain[Family::kIpv4Unicast] = chain(mark);
  world.rib().set_policy(1, one);
  world.rib().set_policy(2, two);
  world.settle();
  EXPECT_FALSE(knows(1));
  EXPECT_TRUE(told(2).has_community(77U));
  EXPECT_EQ(told(2).as_path().to_string(), "9 8 65000");
  EXPECT_EQ(told(2).local_pref(), std::optional(kLocalPrefOfPriorityZero - 512));

  PeerPolicy zero = policy_of(kExternal0);
  zero.import_chain[Family::kIpv4Unicast] = chain(reject);
  world.rib().set_policy(0, zero);
  world.settle();
  EXPECT_FALSE(knows(2));
  const std::vector<RouteView> views = world.rib().explain(kPrefix);
  ASSERT_EQ(views.size(), 1U);
  EXPECT_TRUE(views[0].is_filtered);
  EXPECT_EQ(views[0].filter, "test");
  zero.import_chain = {};
  world.rib().set_policy(0, zero);
  world.settle();
  EXPECT_TRUE(knows(2)) << "the route as received was kept";
}

TEST_F(RibTest, ExplainSaysWhereEachPathLost) {
  add_all({kExternal0, kExternal1, kInternal2});
  announce(0, {.path = {65000, 3}});
  announce(1, {.path = {65001}});
  announce(2, {.path = {65009}, .local_pref = 50});
  const std::vector<RouteView> views = world.rib().explain(kPrefix);
  ASSERT_EQ(views.size(), 3U);
  EXPECT_TRUE(views[0].is_best);
  EXPECT_EQ(views[0].peer, std::optional<PeerId>(1));
  for (const RouteView& view : views) {
    if (view.peer == PeerId{0}) {
      EXPECT_EQ(view.lost_at, DecisionStep::kAsPathLength);
    }
    if (view.peer == PeerId{2}) {
      EXPECT_EQ(view.lost_at, DecisionStep::kLocalPref);
    }
  }
}

TEST_F(RibTest, ViewsAreOrderedByPrefix) {
  add_all({kExternal0, kExternal1});
  std::vector<Nlri> nlri;
  for (const char* text : {"198.18.0.0/15", "10.0.0.0/8", "192.0.2.0/24", "10.0.0.0/16"})
    nlri.push_back({prefix_of(text)});
  world.rib().receive(0, announcement(nlri, attributes_of({.path = {65000}}), address_of("198.51.100.1")));
  world.settle();
  const auto names = [](auto&& visit) {
    std::vector<std::string> result;
    visit([&result](const RouteView& view) { result.push_back(view.prefix.to_string()); });
    return result;
  };
  const auto expected = ElementsAre("10.0.0.0/8", "10.0.0.0/16", "192.0.2.0/24", "198.18.0.0/15");
  EXPECT_THAT(names([this](const auto& visit) { world.rib().visit_routes(visit); }), expected);
  EXPECT_THAT(names([this](const auto& visit) { world.rib().visit_received(0, visit); }), expected);
  EXPECT_THAT(names([this](const auto& visit) { world.rib().visit_sent(1, visit); }), expected);
  EXPECT_THAT(names([this](const auto& visit) { world.rib().visit_sent(0, visit); }), IsEmpty());
}

TEST_F(RibTest, Ipv6RoutesGoTheSameWay) {
  add_all({kExternal0, kInternal2});
  const IpPrefix prefix = prefix_of("2001:db8::/32");
  world.rib().receive(0, announcement({{prefix}}, attributes_of({.path = {65000}}), address_of("2001:db8:f::1")));
  world.settle();
  ASSERT_TRUE(world.table(2).routes.contains({prefix, 0}));
  EXPECT_EQ(world.table(2).routes.at({prefix, 0}).next_hop.address, address_of("2001:db8:f::1"));
  world.rib().receive(0, withdrawal({{prefix}}));
  world.settle();
  EXPECT_THAT(world.table(2).routes, IsEmpty());
}

}  // namespace
}  // namespace margay::bgp::rib
