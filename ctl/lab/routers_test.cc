#include "ctl/lab/routers.h"

#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay::lab {
namespace {

Topology topology_of(const std::string& yaml) {
  auto topology = parse_topology(yaml, "f");
  EXPECT_TRUE(topology.ok()) << topology.error().message;
  return topology.ok() ? *std::move(topology) : Topology{};
}

std::string neighbors_of(const RouterPlan& plan) {
  std::vector<std::string> out;
  for (const RouterNeighbor& each : plan.neighbors) {
    out.push_back(concat(each.name, " ", each.address ? each.address->to_string() : each.range.to_string(), " AS ",
                         each.as_number));
  }
  return join(out, ", ");
}

constexpr const char* kRacks =
    "subnets:\n"
    "- {name: a, prefixes: [10.0.0.0/24, \"fd00:1::/64\"], nodes: [n1], tor: {kind: bird, asNumber: 65001}}\n"
    "- {name: b, prefixes: [10.0.1.0/24], nodes: [n2], tor: {kind: frr, asNumber: 65002}}\n";

TEST(LabRouters, OneInTheMiddleTakesSessionsFromEverySubnet) {
  const auto plans = plan_routers(topology_of(std::string(kDefaultTopology)));
  ASSERT_EQ(plans.size(), 1U);
  EXPECT_EQ(plans[0].name, "router");
  EXPECT_EQ(plans[0].id.to_string(), "172.31.1.1");
  EXPECT_EQ(neighbors_of(plans[0]), "rack-a 172.31.1.0/24 AS 64512, rack-b 172.31.2.0/24 AS 64512");
}

TEST(LabRouters, OfSubnetsSpeakWithTheirNodesAndTheMiddle) {
  const auto plans = plan_routers(topology_of(kRacks));
  ASSERT_EQ(plans.size(), 3U);
  EXPECT_EQ(neighbors_of(plans[0]),
            "tor-a 172.30.255.1 AS 65001, tor-a-ipv6 fd00:30:255::1 AS 65001, tor-b 172.30.255.3 AS 65002");
  EXPECT_EQ(plans[1].name, "tor-a");
  EXPECT_EQ(plans[1].id.to_string(), "10.0.0.1");
  EXPECT_EQ(neighbors_of(plans[1]),
            "a 10.0.0.0/24 AS 65001, a-ipv6 fd00:1::/64 AS 65001, router 172.30.255.0 AS 64512, "
            "router-ipv6 fd00:30:255:: AS 64512");
  EXPECT_EQ(neighbors_of(plans[2]), "b 10.0.1.0/24 AS 65002, router 172.30.255.2 AS 64512");
}

TEST(LabRouters, ReflectToNodesOfTheirOwnAsOnly) {
  const struct {
    const char* kind;
    const char* word;  // of a client
    std::size_t count;
  } cases[] = {{"bird", "rr client;", 1},
               {"frr", "route-reflector-client", 1},
               {"gobgp", "route-reflector-client = true", 2},  // and who writes to the kernel
               {"margay-bgpd", "routeReflectorClusterID: 10.0.0.1", 1}};
  for (const auto& each : cases) {
    const auto plans = plan_routers(
        topology_of(concat("subnets:\n- {name: a, prefixes: [10.0.0.0/24], nodes: [n], tor: {kind: ", each.kind,
                           ", asNumber: 65001}}\n")));
    ASSERT_EQ(plans.size(), 2U);
    const std::string text = router_files(plans[1]).front().name == "zebra.conf" ? router_files(plans[1])[1].text
                                                                                 : router_files(plans[1])[0].text;
    std::size_t count = 0;
    for (std::size_t at = text.find(each.word); at != std::string::npos; at = text.find(each.word, at + 1)) ++count;
    EXPECT_EQ(count, each.count) << text;
  }
}

TEST(LabRouters, OfEveryBrandHaveProgramsAndFiles) {
  for (const char* kind : {"margay-bgpd", "bird", "frr", "gobgp"}) {
    const auto plans = plan_routers(topology_of(concat(
        "subnets:\n- {name: a-b, prefixes: [10.0.0.0/24, \"fd00::/64\"], nodes: [n]}\nrouter: {kind: ", kind, "}\n")));
    ASSERT_EQ(plans.size(), 1U);
    std::string all;
    for (const RouterFile& file : router_files(plans[0])) all += file.text;
    for (const char* word : {"10.0.0.0/24", "fd00::/64", "64512", "10.0.0.1"}) {
      EXPECT_NE(all.find(word), std::string::npos) << kind << " " << word << "\n" << all;
    }
    for (const RouterProgram& program : router_programs(plans[0], "/f")) {
      EXPECT_EQ(program.package.empty(), program.name == "margay-bgpd");
      EXPECT_NE(join(program.arguments, " ").find("/f/"), std::string::npos) << program.name;
    }
    EXPECT_FALSE(router_programs(plans[0], "/f").empty());
  }
}

}  // namespace
}  // namespace margay::lab
