// What a node tells of: blocks, borrowed addresses, service addresses, their communities; and whom it tells what.
#include <gtest/gtest.h>

#include "agent/bgp/bgp_world.h"
#include "bgp/filter/filter.h"

namespace margay::agent {
namespace {

using Lines = std::vector<std::string>;

class Routes : public testing::Test {
 protected:
  Routes() { world_.apply(node("us", {.ipv4 = "192.0.2.1/24"}), pool("10.0.0.0/16"), pool("fd00::/64")); }
  World world_;
};

TEST_F(Routes, BlocksAreToldAsTheyAreOnceTheyAreOurs) {
  using State = model::BlockAffinityState;
  world_.apply(affinity("us", "10.0.0.0/26"), affinity("us", "fd00::/122"), affinity("b", "10.0.1.0/26"),
               affinity("us", "10.0.2.0/26", State::kPending), affinity("us", "10.0.3.0/26", State::kPendingDeletion),
               affinity("us", "10.0.4.0/26", State::kUnset), affinity("us", "172.16.0.0/26"));
  EXPECT_EQ(world_.routes(), (Lines{"10.0.0.0/26", "10.0.4.0/26", "172.16.0.0/26", "fd00::/122"}));
  world_.apply(affinity("us", "10.0.2.0/26"));
  EXPECT_EQ(world_.routes().size(), 5U) << "confirmed";
  world_.apply(absent(Kind::kBlockAffinity, "us-10.0.2.0/26"));
  EXPECT_EQ(world_.routes().size(), 4U);
}

TEST_F(Routes, VirtualAndDeletedAffinitiesAreNobodys) {
  auto affine = std::make_shared<model::BlockAffinity>();
  affine->metadata.name = "a";
  affine->spec.node = "us";
  affine->spec.cidr = net("10.0.0.0/26");
  affine->spec.state = model::BlockAffinityState::kConfirmed;
  affine->spec.type = model::AffinityType::kVirtual;
  world_.apply(input_of(std::make_shared<model::BlockAffinity>(*affine)));
  EXPECT_EQ(world_.routes(), Lines{});
  affine->spec.type = model::AffinityType::kHost;
  affine->spec.deleted = true;
  world_.apply(input_of(std::make_shared<model::BlockAffinity>(*affine)));
  EXPECT_EQ(world_.routes(), Lines{});
  affine->spec.deleted = false;
  world_.apply(input_of(affine));
  EXPECT_EQ(world_.routes(), Lines{"10.0.0.0/26"});
}

TEST_F(Routes, BorrowedAddressesAreToldAlone) {
  world_.apply(affinity("us", "10.0.0.0/26"), block("10.0.0.0/26", "us", {{1, "us"}, {2, "b"}}),
               block("10.0.1.0/26", "b", {{3, "us"}, {4, "b"}}), block("172.16.0.0/26", "b", {{1, "us"}}));
  EXPECT_EQ(world_.routes(), (Lines{"10.0.0.0/26", "10.0.1.3/32"})) << "inside of pools, outside of our blocks";
  world_.apply(workload("w", "us", {"10.0.0.9/32", "10.0.2.9/32", "fd00::9/128", "172.16.0.1/32"}),
               workload("theirs", "b", {"10.0.2.10/32"}));
  EXPECT_EQ(world_.routes(), (Lines{"10.0.0.0/26", "10.0.1.3/32", "10.0.2.9/32", "fd00::9/128"}));
  world_.apply(affinity("us", "10.0.1.0/26"));
  EXPECT_EQ(world_.routes(), (Lines{"10.0.0.0/26", "10.0.1.0/26", "10.0.2.9/32", "fd00::9/128"}))
      << "the block is ours now";
  world_.apply(absent(Kind::kWorkloadEndpoint, "w", "default"), absent(Kind::kIpPool, "10.0.0.0/16"));
  EXPECT_EQ(world_.routes(), (Lines{"10.0.0.0/26", "10.0.1.0/26"}));
}

TEST_F(Routes, CommunitiesAreThoseOfEveryRangeAround) {
  const auto fill = [](model::BgpConfigurationSpec& spec) {
    spec.communities = {{"named", model::Community::standard(64512, 100)}, {"large", model::Community::large(1, 2, 3)}};
    spec.prefix_advertisements = {{net("10.0.0.0/16"), {"named", "64512:1", "unknown"}},
                                  {net("10.0.1.0/24"), {"large", "64512:1"}},
                                  {net("fd00::/64"), {"64512:9"}}};
  };
  world_.apply(affinity("us", "10.0.0.0/26"), affinity("us", "10.0.1.0/26"), configuration("default", fill));
  ASSERT_EQ(world_.told.local_routes.size(), 2U);
  const bgp::rib::LocalRoute& wide = world_.told.local_routes[0];
  const bgp::rib::LocalRoute& narrow = world_.told.local_routes[1];
  const std::vector<std::uint32_t> both{64512U << 16 | 1, 64512U << 16 | 100};
  EXPECT_EQ(wide.communities, both);
  EXPECT_TRUE(wide.large_communities.empty());
  EXPECT_EQ(narrow.communities, both);
  EXPECT_EQ(narrow.large_communities, (std::vector<bgp::LargeCommunity>{{1, 2, 3}}));
  EXPECT_EQ(world_.problems(), Lines{"BGPConfiguration/default: spec.prefixAdvertisements[0].communities[2]"});
  world_.apply(configuration("node.us", [](auto& spec) {
    spec.prefix_advertisements = {{net("10.0.0.0/26"), {"named"}}};
  }));
  EXPECT_EQ(world_.told.local_routes[0].communities, std::vector<std::uint32_t>{64512U << 16 | 100});
  EXPECT_TRUE(world_.told.local_routes[1].communities.empty()) << "a node's own list stands for the default's";
}

TEST_F(Routes, PrioritiesAreThoseOfTheFamily) {
  world_.apply(affinity("us", "10.0.0.0/26"), affinity("us", "fd00::/122"), configuration("default", [](auto& spec) {
                 spec.ipv4_normal_route_priority = 500;
                 spec.ipv6_normal_route_priority = 600;
               }));
  ASSERT_EQ(world_.told.local_routes.size(), 2U);
  EXPECT_EQ(world_.told.local_routes[0].priority, 500U);
  EXPECT_EQ(world_.told.local_routes[1].priority, 600U);
}

// --- services ---

void load_balancer(model::Service& service, std::string_view address, model::TrafficPolicy policy) {
  service.spec.type = model::ServiceType::kLoadBalancer;
  service.spec.external_traffic_policy = policy;
  service.status.load_balancer.ingress = {{ip(address), ""}};
}

class Services : public Routes {
 protected:
  void advertise(const std::function<void(model::BgpConfigurationSpec&)>& more = [](auto&) {}) {
    world_.apply(configuration("default", [&](model::BgpConfigurationSpec& spec) {
      spec.service_cluster_ips = {{net("10.96.0.0/16")}};
      spec.service_external_ips = {{net("203.0.113.0/24")}};
      spec.service_load_balancer_ips = {{net("198.51.100.0/24")}};
      more(spec);
    }));
  }
};

TEST_F(Services, RangesAreToldByEveryNode) {
  advertise();
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "198.51.100.0/24", "203.0.113.0/24"}));
  EXPECT_EQ(world_.desired().not_for_kernel,
            (std::vector<IpPrefix>{net("10.96.0.0/16"), net("198.51.100.0/24"), net("203.0.113.0/24")}));
}

TEST_F(Services, LocalPolicyTellsAddressesWhereAnEndpointIsReady) {
  advertise();
  const Lines ranges = world_.routes();
  world_.apply(service("web", [](model::Service& object) {
    load_balancer(object, "198.51.100.7", model::TrafficPolicy::kLocal);
    object.spec.cluster_ips = {{ip("10.96.0.7")}, {ip("fd96::7")}};
    object.spec.external_ips = {ip("203.0.113.7"), ip("192.0.2.77")};
  }));
  EXPECT_EQ(world_.routes(), ranges) << "no endpoint";
  world_.apply(slice("web-1", "web", {{"b"}, {"us", false}}));
  EXPECT_EQ(world_.routes(), ranges) << "none that is ready here";
  world_.apply(slice("web-2", "web", {{"us"}}));
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "10.96.0.7/32", "198.51.100.0/24", "198.51.100.7/32",
                                    "203.0.113.0/24", "203.0.113.7/32"}))
      << "addresses outside of the ranges are not told";
  // Appendix C of calico.md, 7: the slice goes, the service stays as it is.
  world_.apply(absent(Kind::kEndpointSlice, "web-2", "default"));
  EXPECT_EQ(world_.routes(), ranges);
  world_.apply(slice("web-1", "web", {{"us"}}), absent(Kind::kService, "web", "default"));
  EXPECT_EQ(world_.routes(), ranges);
}

TEST_F(Services, TheNodeOfAnEndpointIsInItsTopologyOnOlderServers) {
  advertise();
  const Lines ranges = world_.routes();
  world_.apply(
      service("web", [](auto& object) { load_balancer(object, "198.51.100.7", model::TrafficPolicy::kLocal); }));
  const auto old_slice = [](std::string_view node) {
    auto object = std::make_shared<model::EndpointSlice>();
    object->metadata.name = "web-1";
    object->metadata.name_space = "default";
    object->metadata.labels.set(model::kServiceNameLabel, "web");
    model::Endpoint& endpoint = object->endpoints.emplace_back();
    endpoint.addresses = {"10.0.0.1"};
    endpoint.topology = {{"kubernetes.io/hostname", node}};
    return input_of(std::move(object));
  };
  world_.apply(old_slice("b"));
  EXPECT_EQ(world_.routes(), ranges);
  world_.apply(old_slice("us"));
  EXPECT_EQ(world_.routes().size(), ranges.size() + 1);
}

TEST_F(Services, ASliceMayComeBeforeItsServiceAndChangeIt) {
  advertise();
  const Lines ranges = world_.routes();
  world_.apply(slice("s", "web", {{"us"}}));
  world_.apply(
      service("web", [](auto& object) { load_balancer(object, "198.51.100.7", model::TrafficPolicy::kLocal); }));
  EXPECT_EQ(world_.routes().size(), ranges.size() + 1);
  world_.apply(slice("s", "another", {{"us"}}));
  EXPECT_EQ(world_.routes(), ranges);
}

TEST_F(Services, WithoutAggregationEachBalancedAddressIsToldAlone) {
  world_.apply(
      service("web", [](auto& object) { load_balancer(object, "198.51.100.7", model::TrafficPolicy::kCluster); }));
  advertise();
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "198.51.100.0/24", "203.0.113.0/24"}));
  advertise([](auto& spec) { spec.service_load_balancer_aggregation = model::Switch::kDisabled; });
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "198.51.100.7/32", "203.0.113.0/24"}));
  advertise([](auto& spec) { spec.service_load_balancer_ips = {{net("198.51.100.7/32")}, {net("198.51.100.8/32")}}; });
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "198.51.100.7/32", "203.0.113.0/24"}))
      << "a range of one address is told with its service";
  world_.apply(
      service("twin", [](auto& object) { load_balancer(object, "198.51.100.7", model::TrafficPolicy::kCluster); }));
  world_.apply(absent(Kind::kService, "web", "default"));
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "198.51.100.7/32", "203.0.113.0/24"})) << "the other has it too";
  world_.apply(absent(Kind::kService, "twin", "default"));
  EXPECT_EQ(world_.routes(), (Lines{"10.96.0.0/16", "203.0.113.0/24"}));
}

TEST_F(Services, AnExcludedNodeTellsOfNone) {
  advertise();
  world_.apply(affinity("us", "10.0.0.0/26"),
               node("us", {.ipv4 = "192.0.2.1/24",
                           .labels = {{"node.kubernetes.io/exclude-from-external-load-balancers", ""}}}));
  EXPECT_EQ(world_.routes(), Lines{"10.0.0.0/26"});
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24"}));
  EXPECT_EQ(world_.routes().size(), 4U);
}

TEST_F(Services, HeadlessAndExternalNamesHaveNoAddress) {
  advertise();
  const Lines ranges = world_.routes();
  world_.apply(service("headless", [](auto& object) { object.spec.cluster_ips = {{std::nullopt}}; }),
               service("name",
                       [](auto& object) {
                         load_balancer(object, "198.51.100.9", model::TrafficPolicy::kLocal);
                         object.spec.type = model::ServiceType::kExternalName;
                       }),
               slice("s", "name", {{"us"}}), slice("t", "headless", {{"us"}}));
  EXPECT_EQ(world_.routes(), ranges);
}

// --- export ---

class Export : public Routes {
 protected:
  bool is_told(const char* prefix, bool from_peer) {
    const auto& policy = world_.told.peers.begin()->second.policy;
    bgp::RouteFacts facts;
    facts.prefix = net(prefix);
    facts.from_peer = from_peer;
    return bgp::evaluate(policy.export_chain[bgp::family_of(facts.prefix.family())], facts).accept;
  }
};

TEST_F(Export, OwnRoutesAndThoseInsideOfPoolsAreTold) {
  world_.apply(router("tor", "192.0.2.254", 65100), pool("10.1.0.0/16", false),
               configuration("default", [](auto& spec) {
                 spec.service_load_balancer_ips = {{net("198.51.100.0/24")}};
                 spec.service_external_ips = {{net("203.0.113.0/24")}};
               }));
  struct Case {
    const char* why;
    const char* prefix;
    bool from_peer;
    bool told, told_by_reflector;
  };
  const Case cases[] = {
      {"our block", "10.0.0.0/26", false, true, true},
      {"our service range", "198.51.100.0/24", false, true, true},
      {"our block of a pool that is not exported", "10.1.0.0/26", false, false, false},
      {"another's block", "10.0.7.0/26", true, true, true},
      {"another's borrowed address", "10.0.7.9/32", true, true, true},
      {"another's block of a pool that is not exported", "10.1.7.0/26", true, false, false},
      {"a default route", "0.0.0.0/0", true, false, false},
      {"something outside", "172.16.0.0/16", true, false, false},
      {"around a pool", "10.0.0.0/8", true, false, false},
      {"another's balanced address", "198.51.100.7/32", true, false, true},
      {"another's external address", "203.0.113.7/32", true, false, true},
      {"another's IPv6 block", "fd00::100/122", true, true, true},
      {"an IPv6 default route", "::/0", true, false, false},
  };
  for (const Case& c : cases) EXPECT_EQ(is_told(c.prefix, c.from_peer), c.told) << c.why;
  world_.apply(node("us", {.ipv4 = "192.0.2.1/24", .cluster_id = "1.0.0.1"}));
  for (const Case& c : cases) EXPECT_EQ(is_told(c.prefix, c.from_peer), c.told_by_reflector) << c.why;
}

TEST_F(Export, FiltersOfTheUserComeFirst) {
  model::BgpFilterRule accept, reject;
  accept.cidr = net("172.16.0.0/12");
  accept.match_operator = model::FilterMatchOperator::kIn;
  reject = accept;
  reject.cidr = net("10.0.5.0/24");
  reject.action = model::FilterAction::kReject;
  world_.apply(router("tor", "192.0.2.254", 65100, [](auto& spec) { spec.filters = {"f"}; }),
               filter("f", [&](auto& spec) {
                 spec.export_v4 = {accept, reject};
               }));
  EXPECT_TRUE(is_told("172.16.0.0/16", true));
  EXPECT_FALSE(is_told("10.0.5.0/26", false));
  EXPECT_TRUE(is_told("10.0.6.0/26", false));
  world_.apply(filter("f", [&](auto& spec) { spec.export_v4 = {reject}; }));
  EXPECT_FALSE(is_told("172.16.0.0/16", true));
}

TEST_F(Export, APoolThatChangesIsANewRuleForAllPeers) {
  world_.apply(node("b", {.ipv4 = "192.0.2.2/24"}));
  EXPECT_TRUE(is_told("10.0.0.0/26", false));
  world_.apply(pool("10.0.0.0/16", false));
  EXPECT_FALSE(is_told("10.0.0.0/26", false));
  world_.calculation().apply(pool("10.0.0.0/16", false));
  EXPECT_TRUE(world_.flush().speaker.empty()) << "the same again";
}

}  // namespace
}  // namespace margay::agent
