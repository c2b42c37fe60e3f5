#include "ipip/plan/planner.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/core/random.h"
#include "ipip/plan/node_ends.h"
#include "ipip/plan/plan_world.h"

namespace margay::ipip {
namespace {

using Lines = std::vector<std::string>;
using model::EncapMode;
using model::Kind;

constexpr EncapMode kNever = EncapMode::kNever, kAlways = EncapMode::kAlways, kCross = EncapMode::kCrossSubnet;

class PlannerTest : public testing::Test {
 protected:
  void SetUp() override {
    planner_.apply(node("us", {{"IPv4Address", "192.0.2.1/24"}, {"IPv6Address", "2001:db8::1/64"}}));
    planner_.apply(node("near", {{"IPv4Address", "192.0.2.2/24"},
                                 {"IPv6Address", "2001:db8::2/64"},
                                 {"IPv4IPIPTunnelAddr", "10.0.1.1"},
                                 {"IPv4VXLANTunnelAddr", "10.0.1.0"},
                                 {"IPv6VXLANTunnelAddr", "fd00::1:0"}}));
    planner_.apply(node("far", {{"IPv4Address", "198.51.100.3/24"},
                                {"IPv6Address", "2001:db8:1::3/64"},
                                {"IPv4IPIPTunnelAddr", "10.0.2.1"},
                                {"IPv4VXLANTunnelAddr", "10.0.2.0"},
                                {"IPv6VXLANTunnelAddr", "fd00::2:0"}}));
    planner_.apply(block("10.0.0.0/26", "us"));
    planner_.apply(block("10.0.1.0/26", "near"));
    planner_.apply(block("10.0.2.0/26", "far"));
    planner_.apply(block("fd00::/122", "us"));
    planner_.apply(block("fd00::1:0/122", "near"));
    planner_.apply(block("fd00::2:0/122", "far"));
  }
  const PlanState& state() {
    PlanDelta delta = planner_.flush();
    state_.apply(delta);
    return state_;
  }
  Lines routes() { return state().route_lines(); }

  TunnelPlanner planner_{"us", {.ipip = true, .plain = true}};
  PlanState state_;
};

TEST_F(PlannerTest, EachModeCarriesEachNodeAsItSays) {
  struct Case {
    const char* why;
    EncapMode ipip, vxlan;
    PlannedRoutes planned;
    Lines want;
  };
  const PlannedRoutes all{true, true}, none{};
  const Case cases[] = {
      {"IPIP to all", kAlways, kNever, all, {"10.0.1.0/26 ipip 192.0.2.2 near", "10.0.2.0/26 ipip 198.51.100.3 far"}},
      {"IPIP across", kCross, kNever, all, {"10.0.1.0/26 plain 192.0.2.2 near", "10.0.2.0/26 ipip 198.51.100.3 far"}},
      {"VXLAN to all", kNever, kAlways, none, {"10.0.1.0/26 vxlan 10.0.1.0 near", "10.0.2.0/26 vxlan 10.0.2.0 far"}},
      {"VXLAN across", kNever, kCross, none, {"10.0.1.0/26 plain 192.0.2.2 near", "10.0.2.0/26 vxlan 10.0.2.0 far"}},
      {"no tunnel: only the own subnet", kNever, kNever, all, {"10.0.1.0/26 plain 192.0.2.2 near"}},
      {"BGP says where IPIP goes", kAlways, kNever, none, {}},
      {"BGP says where plain goes", kNever, kNever, none, {}},
  };
  for (const Case& c : cases) {
    planner_.set_planned(c.planned);
    planner_.apply(pool("10.0.0.0/16", c.ipip, c.vxlan));
    EXPECT_EQ(routes(), c.want) << c.why;
  }
}

TEST_F(PlannerTest, VxlanCarriesBothFamilies) {
  planner_.apply(pool("fd00::/64", kNever, kCross));
  EXPECT_EQ(routes(), (Lines{"fd00::1:0/122 plain 2001:db8::2 near", "fd00::2:0/122 vxlan fd00::2:0 far"}));
  EXPECT_TRUE(state().local.vxlan_v6.is_wanted);
  EXPECT_FALSE(state().local.vxlan_v4.is_wanted);
}

TEST_F(PlannerTest, ARealPrefixLengthDecidesWhoIsNear) {
  planner_.apply(pool("10.0.0.0/16", kCross, kNever));
  planner_.apply(node("us", {{"IPv4Address", "192.0.2.1/32"}}));
  EXPECT_EQ(routes().front(), "10.0.1.0/26 ipip 192.0.2.2 near") << "/32 shares its subnet with nobody";
  planner_.apply(node("us", {{"IPv4Address", "192.0.2.1/30"}}));
  EXPECT_EQ(routes().front(), "10.0.1.0/26 plain 192.0.2.2 near");
  planner_.apply(node("us", {{"IPv4Address", "192.0.2.1"}}));
  EXPECT_EQ(routes().front(), "10.0.1.0/26 ipip 192.0.2.2 near") << "no length is that of a host";
}

TEST_F(PlannerTest, NothingIsGuessed) {
  planner_.apply(pool("10.0.0.0/16", kNever, kAlways));
  (void)routes();
  planner_.apply(node("far", {{"IPv4Address", "198.51.100.3/24"}}));
  EXPECT_EQ(routes(), Lines{"10.0.1.0/26 vxlan 10.0.1.0 near"}) << "no tunnel address, no route";
  planner_.apply(node("near", {{"IPv4VXLANTunnelAddr", "10.0.1.0"}}));
  EXPECT_EQ(routes(), Lines{}) << "no address to send to";
  planner_.apply(node("near", {{"IPv4Address", "300.0.0.1"}, {"IPv4VXLANTunnelAddr", "10.0.1.0"}}));
  EXPECT_EQ(routes(), Lines{});
  ASSERT_EQ(planner_.problems().count({Kind::kNode, "", "near"}), 1U);
  planner_.apply(absent(Kind::kNode, "near"));
  EXPECT_EQ(routes(), Lines{});
  EXPECT_TRUE(planner_.problems().empty());
}

TEST_F(PlannerTest, BorrowedAddressesFollowWhoHasThem) {
  planner_.apply(pool("10.0.0.0/16", kAlways, kNever));
  planner_.apply(block("10.0.0.0/26", "us", {{0, "us"}, {5, "far"}}));
  planner_.apply(block("10.0.1.0/26", "near", {{7, "us"}, {8, "far"}, {9, "near"}}));
  EXPECT_EQ(routes(), (Lines{"10.0.0.5/32 ipip 198.51.100.3 far", "10.0.1.0/26 ipip 192.0.2.2 near",
                             "10.0.1.8/32 ipip 198.51.100.3 far", "10.0.2.0/26 ipip 198.51.100.3 far"}));
  EXPECT_EQ(state().local_blocks, (std::set<IpPrefix>{net("10.0.0.0/26"), net("fd00::/122")}));
  planner_.apply(block("10.0.1.0/26", "", {{8, "far"}}));
  EXPECT_EQ(routes(), (Lines{"10.0.0.5/32 ipip 198.51.100.3 far", "10.0.1.8/32 ipip 198.51.100.3 far",
                             "10.0.2.0/26 ipip 198.51.100.3 far"}))
      << "a block that nobody owns is its addresses";
}

TEST_F(PlannerTest, ABlockThatMovesIsOneReplacedRoute) {
  planner_.apply(pool("10.0.0.0/16", kAlways, kNever));
  (void)routes();
  planner_.apply(block("10.0.2.0/26", "near"));
  const PlanDelta delta = planner_.flush();
  ASSERT_EQ(delta.routes.size(), 1U);
  EXPECT_EQ(delta.routes.begin()->second->gateway, ip("192.0.2.2"));
  EXPECT_TRUE(planner_.flush().empty()) << "said once";
}

TEST_F(PlannerTest, AModeThatChangesIsOneDeltaWithoutAGap) {
  planner_.apply(pool("10.0.0.0/16", kAlways, kNever));
  const std::set<IpAddress> peers = state().ipip_peers;
  planner_.apply(pool("10.0.0.0/16", kNever, kAlways));
  const PlanDelta delta = planner_.flush();
  ASSERT_EQ(delta.routes.size(), 2U);
  for (const auto& [prefix, route] : delta.routes) {
    ASSERT_TRUE(route) << prefix.to_string();
    EXPECT_EQ(route->carrier, Carrier::kVxlan);
  }
  ASSERT_NE(delta.learned_rule, nullptr) << "together with the routes";
  state_.apply(delta);
  EXPECT_EQ(state().ipip_peers, peers) << "others still send through the old tunnel";
  EXPECT_FALSE(state().local.ipip.is_wanted);
}

// A node tells its tunnel's address once its device is there.
TEST_F(PlannerTest, ANodeThatHasNotChangedYetIsReachedAsBefore) {
  using Annotations = std::map<std::string, std::string>;
  const Annotations ipip{{"IPv4IPIPTunnelAddr", "10.0.1.1"}}, vxlan{{"IPv4VXLANTunnelAddr", "10.0.1.2"}};
  const Annotations both{{"IPv4IPIPTunnelAddr", "10.0.1.1"}, {"IPv4VXLANTunnelAddr", "10.0.1.2"}}, none;
  struct Case {
    const char* why;
    EncapMode to_ipip, to_vxlan;
    Annotations ours, theirs;
    const char *near, *far;  // "": no route
  };
  const char *plain = "plain 192.0.2.2", *near_ipip = "ipip 192.0.2.2", *far_ipip = "ipip 198.51.100.3";
  const char* by_vxlan = "vxlan 10.0.1.2";
  const Case cases[] = {
      {"VXLAN to IPIP, they are not done", kAlways, kNever, both, vxlan, by_vxlan, by_vxlan},
      {"VXLAN to IPIP, nobody is done", kAlways, kNever, vxlan, vxlan, by_vxlan, by_vxlan},
      {"VXLAN to IPIP, they are done", kAlways, kNever, vxlan, both, near_ipip, far_ipip},
      {"IPIP to VXLAN, they are not done", kNever, kAlways, both, ipip, near_ipip, far_ipip},
      {"IPIP to VXLAN, they are done", kNever, kAlways, ipip, both, by_vxlan, by_vxlan},
      {"plain to IPIP, they are not done", kAlways, kNever, ipip, none, plain, far_ipip},
      {"plain to VXLAN, they are not done", kNever, kAlways, vxlan, none, plain, ""},
      {"our own VXLAN has gone", kAlways, kNever, ipip, vxlan, plain, far_ipip},
      {"our own IPIP has gone", kNever, kAlways, vxlan, ipip, plain, ""},
  };
  const auto with = [](Annotations annotations, const char* address) {
    annotations["IPv4Address"] = address;
    return annotations;
  };
  for (const Case& c : cases) {
    planner_.apply(node("us", with(c.ours, "192.0.2.1/24")));
    planner_.apply(node("near", with(c.theirs, "192.0.2.2/24")));
    planner_.apply(node("far", with(c.theirs, "198.51.100.3/24")));
    planner_.apply(pool("10.0.0.0/16", c.to_ipip, c.to_vxlan));
    Lines want{concat("10.0.1.0/26 ", c.near, " near")};
    if (*c.far != '\0') want.push_back(concat("10.0.2.0/26 ", c.far, " far"));
    EXPECT_EQ(routes(), want) << c.why;
  }
}

TEST_F(PlannerTest, RoutesOfBgpToANodeThatIsNotDoneStayPlainOnOurLink) {
  planner_.apply(pool("10.0.0.0/16", kAlways, kNever));
  const auto carrier = [&](const char* next_hop) { return state().rule.carrier_of(net("10.0.1.0/26"), ip(next_hop)); };
  EXPECT_EQ(carrier("192.0.2.2"), Carrier::kIpip);
  planner_.apply(node("near", {{"IPv4Address", "192.0.2.2/24"}}));
  planner_.apply(node("far", {{"IPv4Address", "198.51.100.3/24"}}));
  EXPECT_EQ(carrier("192.0.2.2"), Carrier::kPlain);
  EXPECT_EQ(carrier("198.51.100.3"), Carrier::kIpip) << "plain packets would get nowhere";
  planner_.apply(node("near", {{"IPv4Address", "192.0.2.2/24"}, {"IPv4IPIPTunnelAddr", "10.0.1.1"}}));
  EXPECT_EQ(carrier("192.0.2.2"), Carrier::kIpip);
}

TEST_F(PlannerTest, OnlyNodesMaySendTunnelledPackets) {
  EXPECT_EQ(state().ipip_peers, (std::set<IpAddress>{ip("192.0.2.2"), ip("198.51.100.3")}));
  EXPECT_EQ(state().vxlan_peers.size(), 4U) << "both families";
  planner_.apply(node("twin", {{"IPv4Address", "192.0.2.2/24"}}));
  planner_.apply(absent(Kind::kNode, "near"));
  EXPECT_TRUE(state().ipip_peers.contains(ip("192.0.2.2"))) << "another node has the address";
  planner_.apply(absent(Kind::kNode, "twin"));
  EXPECT_EQ(state().ipip_peers, std::set<IpAddress>{ip("198.51.100.3")});
}

TEST_F(PlannerTest, MacsComeFromTheNodeOrItsName) {
  EXPECT_EQ(mac_of_name("remotehostname", IpFamily::kV4).to_string(), "66:3e:ca:a4:db:65");
  EXPECT_EQ(mac_of_name("remotehostname", IpFamily::kV6).to_string(), "66:a0:68:c9:4c:79");
  planner_.apply(node("far", {{"IPv4Address", "198.51.100.3/24"},
                              {"IPv4VXLANTunnelAddr", "10.0.2.0"},
                              {"VXLANTunnelMACAddr", "66:00:00:00:00:01"}}));
  const Vtep& vtep = state().vteps.at({"far", IpFamily::kV4});
  EXPECT_EQ(vtep.mac.to_string(), "66:00:00:00:00:01");
  EXPECT_EQ(vtep.node_address, ip("198.51.100.3"));
  EXPECT_FALSE(state().vteps.contains({"far", IpFamily::kV6}));
}

TEST_F(PlannerTest, OurOwnEndsAreSaidWhenTheyChange) {
  planner_.apply(pool("10.0.0.0/16", kCross, kNever));
  planner_.apply(node("us", {{"IPv4Address", "192.0.2.1/24"}, {"IPv4IPIPTunnelAddr", "10.0.0.1"}}));
  const LocalTunnels local = state().local;
  EXPECT_TRUE(local.ipip.is_wanted);
  EXPECT_EQ(local.ipip.address, ip("10.0.0.1"));
  EXPECT_EQ(local.ipip.node_address, ip("192.0.2.1"));
  EXPECT_FALSE(local.vxlan_v4.is_wanted);
  planner_.apply(absent(Kind::kNode, "far"));
  EXPECT_FALSE(planner_.flush().local) << "the same";
}

TEST_F(PlannerTest, RoutesThatBgpTeachesGoWhereTheirPoolSays) {
  planner_.apply(pool("10.0.0.0/16", kCross, kNever));
  planner_.apply(pool("10.1.0.0/16", kAlways, kNever));
  planner_.apply(pool("10.2.0.0/16", kNever, kAlways));
  planner_.apply(pool("10.1.128.0/17", kNever, kNever));
  planner_.apply(pool("fd00::/64", kNever, kNever));
  struct Case {
    const char* why;
    const char* prefix;
    const char* next_hop;
    Carrier want;
  };
  const Case cases[] = {
      {"CrossSubnet, same subnet", "10.0.1.0/26", "192.0.2.2", Carrier::kPlain},
      {"CrossSubnet, other subnet", "10.0.2.0/26", "198.51.100.3", Carrier::kIpip},
      {"CrossSubnet, one address", "10.0.2.5/32", "198.51.100.3", Carrier::kIpip},
      {"CrossSubnet, a router", "10.0.2.0/26", "203.0.113.1", Carrier::kPlain},
      {"Always, same subnet", "10.1.1.0/26", "192.0.2.2", Carrier::kIpip},
      {"Always, a router", "10.1.1.0/26", "192.0.2.254", Carrier::kPlain},
      {"the narrower pool", "10.1.200.0/26", "198.51.100.3", Carrier::kPlain},
      {"wider than any pool", "10.0.0.0/8", "198.51.100.3", Carrier::kPlain},
      {"VXLAN pools are not learnt", "10.2.0.0/26", "198.51.100.3", Carrier::kVxlan},
      {"IPv6", "fd00::2:0/122", "2001:db8:1::3", Carrier::kPlain},
      {"no pool", "172.16.0.0/16", "198.51.100.3", Carrier::kPlain},
  };
  const LearnedRule rule = state().rule;
  for (const Case& c : cases) EXPECT_EQ(rule.carrier_of(net(c.prefix), ip(c.next_hop)), c.want) << c.why;
}

TEST(PlanDelta, WhatIsMergedIsWhatBothDo) {
  PlanDelta first, second;
  const RemoteRoute route{Carrier::kPlain, ip("192.0.2.2"), "near"};
  first.routes[net("10.0.0.0/26")] = route;
  first.routes[net("10.0.1.0/26")] = route;
  first.ipip_peers.added = {ip("192.0.2.2"), ip("192.0.2.3")};
  second.routes[net("10.0.0.0/26")] = std::nullopt;
  second.ipip_peers.removed = {ip("192.0.2.2")};
  second.ipip_peers.added = {ip("192.0.2.4")};
  first.merge(std::move(second));
  EXPECT_FALSE(first.routes.at(net("10.0.0.0/26")));
  EXPECT_TRUE(first.routes.at(net("10.0.1.0/26")));
  EXPECT_EQ(first.ipip_peers.added, (std::set<IpAddress>{ip("192.0.2.3"), ip("192.0.2.4")}));
  EXPECT_EQ(first.ipip_peers.removed, std::set<IpAddress>{ip("192.0.2.2")});
  EXPECT_TRUE(PlanDelta().empty());
  EXPECT_FALSE(first.empty());
}

// A world that changes at random: the plan so far and one made anew of the same objects are equal.
class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : random_(seed) {}

  PlanInput change() {
    PlanInput input = any();
    objects_[input.key] = input;
    return input;
  }
  [[nodiscard]] PlanState from_scratch(PlannedRoutes planned) {
    TunnelPlanner planner("n0", planned);
    std::vector<PlanInput> inputs;
    for (const auto& [key, input] : objects_) inputs.push_back(input);
    for (std::size_t i = inputs.size(); i > 1; --i) std::swap(inputs[i - 1], inputs[random_.below(i)]);
    for (const PlanInput& input : inputs) planner.apply(input);
    PlanState state;
    state.apply(planner.flush());
    return state;
  }
  SeededRandom& dice() { return random_; }

 private:
  std::string any_node() { return concat("n", random_.below(5)); }
  EncapMode any_mode() { return static_cast<EncapMode>(random_.below(3)); }

  PlanInput any() {
    switch (random_.below(4)) {
      case 0: return any_pool();
      case 1: return any_block();
      default: return any_node_object();
    }
  }
  PlanInput any_pool() {
    const char* const cidrs[] = {"10.0.0.0/24", "10.0.0.0/16", "10.0.1.0/24", "fd00::/112"};
    const char* const cidr = cidrs[random_.below(4)];
    if (random_.below(4) == 0) return absent(Kind::kIpPool, cidr);
    const bool is_vxlan = random_.below(2) == 0;
    return pool(cidr, is_vxlan ? kNever : any_mode(), is_vxlan ? any_mode() : kNever);
  }
  PlanInput any_block() {
    const char* const cidrs[] = {"10.0.0.0/26", "10.0.0.64/26", "10.0.1.0/26", "10.0.1.7/32", "fd00::/122"};
    const char* const cidr = cidrs[random_.below(5)];
    if (random_.below(4) == 0) return absent(Kind::kIpamBlock, cidr);
    std::map<int, std::string> given;
    for (int i = 0; i < 3; ++i) given[static_cast<int>(random_.below(9))] = any_node();
    return block(cidr, random_.below(4) == 0 ? std::string() : any_node(), given);
  }
  PlanInput any_node_object() {
    const std::string name = any_node();
    if (random_.below(5) == 0) return absent(Kind::kNode, name);
    std::map<std::string, std::string> annotations;
    const auto maybe = [&](const char* key, const std::string& value) {
      if (random_.below(4) != 0) annotations[key] = value;
    };
    maybe("IPv4Address", concat("192.0.", random_.below(2), ".", random_.below(4), random_.below(2) ? "/24" : "/32"));
    maybe("IPv6Address", concat("2001:db8:", random_.below(2), "::", random_.below(4), "/64"));
    maybe("IPv4VXLANTunnelAddr", concat("10.9.0.", random_.below(4)));
    maybe("IPv6VXLANTunnelAddr", concat("fd09::", random_.below(4)));
    maybe("IPv4IPIPTunnelAddr", concat("10.8.0.", random_.below(4)));
    return node(name, annotations);
  }

  SeededRandom random_;
  std::map<model::ObjectKey, PlanInput> objects_;
};

TEST(PlannerProperty, WhatWasDoneInStepsEqualsWhatIsDoneAtOnce) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    RandomWorld world(seed);
    PlannedRoutes planned{world.dice().below(2) == 0, world.dice().below(2) == 0};
    TunnelPlanner planner("n0", planned);
    PlanState state;
    PlanDelta waiting;
    for (int step = 0; step < 120; ++step) {
      planner.apply(world.change());
      if (world.dice().below(40) == 0) {
        planned.ipip = !planned.ipip;
        planner.set_planned(planned);
      }
      if (world.dice().below(3) != 0) continue;
      waiting.merge(planner.flush());
      if (world.dice().below(2) == 0) continue;
      state.apply(std::exchange(waiting, {}));
      const PlanState want = world.from_scratch(planned);
      ASSERT_EQ(state.route_lines(), want.route_lines()) << "seed " << seed << ", step " << step;
      ASSERT_TRUE(state == want) << "seed " << seed << ", step " << step;
    }
  }
}

}  // namespace
}  // namespace margay::ipip
