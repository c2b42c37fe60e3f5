// What is calculated in steps equals what is calculated at once, whatever the order.
#include <gtest/gtest.h>

#include <set>

#include "agent/bgp/bgp_world.h"
#include "base/core/random.h"
#include "bgp/speaker/config_change.h"

namespace margay::agent {
namespace {

class RandomCluster {
 public:
  explicit RandomCluster(std::uint64_t seed) : random_(seed) {}

  BgpInput change() {
    BgpInput input = any();
    objects_[input.key] = input;
    return input;
  }
  [[nodiscard]] std::vector<BgpInput> shuffled() {
    std::vector<BgpInput> inputs;
    for (const auto& [key, input] : objects_) inputs.push_back(input);
    for (std::size_t i = inputs.size(); i > 1; --i) std::swap(inputs[i - 1], inputs[below(i)]);
    return inputs;
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.below(bound)); }

 private:
  bool one_in(std::size_t count) { return below(count) == 0; }
  std::string any_node() { return concat("n", below(6)); }
  std::string any_selector() {
    const char* const selectors[] = {"all()", "rack == '0'", "rack == '1'", "has(rr)", "!has(rr)", "rack ==", ""};
    return selectors[below(7)];
  }

  BgpInput any() {
    switch (below(10)) {
      case 0: return any_configuration();
      case 1:
      case 2: return any_peer();
      case 3: return any_pool_or_affinity();
      case 4: return any_block_or_workload();
      case 5: return any_service();
      case 6: return any_filter_or_secret();
      default: return any_node_object();
    }
  }
  BgpInput any_node_object() {
    const std::string name = any_node();
    if (one_in(6)) return absent(Kind::kNode, name);
    NodeText text;
    // n0 has an address always: what was said before it lost it stays, which is another property.
    if (name == "n0" || !one_in(5)) text.ipv4 = concat("192.0.2.", 1 + below(8), "/24");
    if (!one_in(3)) text.ipv6 = concat("2001:db8::", 1 + below(8), "/64");
    if (one_in(3)) text.asn = concat(one_in(8) ? 23456 : 65000 + below(3));
    if (one_in(4)) text.cluster_id = concat("1.0.0.", 1 + below(2));
    text.labels["rack"] = concat(below(2));
    if (one_in(3)) text.labels["rr"] = "";
    if (one_in(6)) text.labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "";
    return node(name, text);
  }
  BgpInput any_configuration() {
    const std::string name = one_in(2) ? std::string("default") : concat("node.", any_node());
    if (one_in(4)) return absent(Kind::kBgpConfiguration, name);
    return configuration(name, [&](model::BgpConfigurationSpec& spec) {
      if (one_in(3)) spec.node_to_node_mesh_enabled = one_in(2);
      if (one_in(3)) spec.as_number = Asn(static_cast<std::uint32_t>(65000 + below(3)));
      if (one_in(3)) spec.listen_port = Port(static_cast<std::uint16_t>(1179 + below(2)));
      if (one_in(3)) spec.bind_mode = model::BgpBindMode::kNodeIp;
      if (one_in(2)) spec.service_cluster_ips = {{net("10.96.0.0/24")}};
      if (one_in(2)) spec.service_load_balancer_ips = {{net("198.51.100.0/24")}, {net("203.0.113.1/32")}};
      if (one_in(3)) spec.service_load_balancer_aggregation = model::Switch::kDisabled;
      if (one_in(4)) spec.node_mesh_password = secret_reference("keys", "k");
      if (one_in(3)) spec.prefix_advertisements = {{net("10.0.0.0/16"), {"64512:1"}}};
      if (one_in(3)) spec.local_workload_peering_ipv4 = ip("169.254.9.1");
    });
  }
  BgpInput any_peer() {
    const std::string name = concat("p", below(4));
    if (one_in(4)) return absent(Kind::kBgpPeer, name);
    return peer(name, [&](model::BgpPeerSpec& spec) {
      if (one_in(3)) {
        spec.node = any_node();
      } else {
        spec.node_selector = any_selector();
      }
      switch (below(3)) {
        case 0:
          spec.peer_ip = model::PeerAddress::parse(concat("192.0.2.", 1 + below(10))).value();
          if (one_in(2)) spec.as_number = Asn(static_cast<std::uint32_t>(65000 + below(3)));
          if (one_in(3)) spec.reachable_by = ip("192.0.2.254");
          break;
        case 1: spec.peer_selector = any_selector(); break;
        default: spec.local_workload_selector = "has(bgp)"; spec.as_number = Asn(65300);
      }
      if (one_in(4)) spec.filters = {concat("f", below(2))};
      if (one_in(4)) spec.password = secret_reference("keys", "k");
      if (one_in(4)) spec.reverse_peering = model::ReversePeering::kManual;
      if (one_in(5)) spec.local_as_number = Asn(65009);
    });
  }
  BgpInput any_pool_or_affinity() {
    const char* const pools[] = {"10.0.0.0/16", "10.0.1.0/24", "fd00::/64"};
    const char* const blocks[] = {"10.0.0.0/26", "10.0.1.0/26", "fd00::/122"};
    if (one_in(2)) {
      const char* const cidr = pools[below(3)];
      return one_in(3) ? absent(Kind::kIpPool, cidr) : pool(cidr, one_in(2));
    }
    const std::string owner = one_in(2) ? "n0" : any_node();
    const char* const cidr = blocks[below(3)];
    if (one_in(3)) return absent(Kind::kBlockAffinity, concat(owner, "-", cidr));
    return affinity(owner, cidr, static_cast<model::BlockAffinityState>(below(4)));
  }
  BgpInput any_block_or_workload() {
    if (one_in(2)) {
      const char* const cidr = one_in(2) ? "10.0.0.0/26" : "10.0.1.0/26";
      if (one_in(3)) return absent(Kind::kIpamBlock, cidr);
      return block(cidr, any_node(), {{static_cast<int>(below(4)), any_node()}, {9, any_node()}});
    }
    const std::string name = concat("w", below(3));
    if (one_in(3)) return absent(Kind::kWorkloadEndpoint, name, "default");
    std::map<std::string, std::string> labels;
    if (one_in(2)) labels["bgp"] = "";
    return workload(name, one_in(2) ? "n0" : any_node(), {concat("10.0.", below(3), ".", below(4), "/32")}, labels);
  }
  BgpInput any_service() {
    const std::string name = concat("s", below(3));
    if (one_in(2)) {
      if (one_in(3)) return absent(Kind::kEndpointSlice, name, "default");
      return slice(name, concat("s", below(3)), {{any_node(), one_in(2)}, {"n0", one_in(2)}});
    }
    if (one_in(3)) return absent(Kind::kService, name, "default");
    return service(name, [&](model::Service& object) {
      object.spec.type = model::ServiceType::kLoadBalancer;
      object.spec.external_traffic_policy = static_cast<model::TrafficPolicy>(below(2));
      object.spec.cluster_ips = {{ip(concat("10.96.0.", below(4)))}};
      object.status.load_balancer.ingress = {
          {ip(one_in(3) ? std::string("203.0.113.1") : concat("198.51.100.", below(4))), ""}};
    });
  }
  BgpInput any_filter_or_secret() {
    if (one_in(2)) return one_in(3) ? absent(Kind::kSecret, "keys", "kube-system") : secret("keys", {{"k", "x"}});
    const std::string name = concat("f", below(2));
    if (one_in(3)) return absent(Kind::kBgpFilter, name);
    return filter(name, [&](model::BgpFilterSpec& spec) {
      model::BgpFilterRule rule;
      rule.action = static_cast<model::FilterAction>(below(2));
      spec.import_v4 = {rule};
    });
  }

  SeededRandom random_;
  std::map<model::ObjectKey, BgpInput> objects_;
};

// Everything but the content of filters, which equal() looks at.
std::string text_of(const bgp::SpeakerConfig& config) {
  std::string out =
      concat("as ", config.asn.to_string(), " id ", config.router_id.to_string(), " port ", config.listen_port);
  for (const IpAddress& address : config.listen_addresses) out += concat(" on ", address.to_string());
  for (const auto& [key, peer] : config.peers) out += concat("\n", bgp::to_string(key), " ", peer.name);
  for (const auto& route : config.local_routes) {
    out += concat("\n", route.prefix.to_string(), " ", route.priority, " ", route.communities.size());
  }
  return out;
}

testing::AssertionResult are_equal(const bgp::SpeakerConfig& a, const bgp::SpeakerConfig& b) {
  if (text_of(a) != text_of(b)) {
    return testing::AssertionFailure() << text_of(a) << "\n--- expected\n" << text_of(b);
  }
  if (a.local_routes != b.local_routes) return testing::AssertionFailure() << "local routes";
  for (const auto& [key, settings] : a.peers) {
    if (bgp::compare(settings, b.peers.at(key)).any()) return testing::AssertionFailure() << bgp::to_string(key);
  }
  return testing::AssertionSuccess();
}

TEST(CalculationProperty, WhatWasDoneInStepsEqualsWhatIsDoneAtOnce) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    RandomCluster cluster(seed);
    World world("n0");
    SpeakerUpdate waiting;
    bgp::SpeakerConfig told;
    for (int step = 0; step < 150; ++step) {
      world.calculation().apply(cluster.change());
      if (cluster.below(3) != 0) continue;
      waiting.merge(world.flush().speaker);
      if (cluster.below(2) == 0) continue;
      std::exchange(waiting, {}).apply_to(told);
      World fresh("n0");
      for (const BgpInput& input : cluster.shuffled()) fresh.calculation().apply(input);
      fresh.flush();
      // Without an address nothing new is said.
      if (fresh.calculation().desired() == nullptr) continue;
      ASSERT_TRUE(are_equal(told, fresh.told)) << "seed " << seed << ", step " << step;
      ASSERT_TRUE(are_equal(world.desired().config, fresh.desired().config)) << "seed " << seed << ", step " << step;
      ASSERT_EQ(world.problems(), fresh.problems()) << "seed " << seed << ", step " << step;
      ASSERT_EQ(world.desired().origins, fresh.desired().origins) << "seed " << seed << ", step " << step;
      ASSERT_EQ(world.desired().peer_routes, fresh.desired().peer_routes) << "seed " << seed << ", step " << step;
      ASSERT_EQ(world.desired().not_for_kernel, fresh.desired().not_for_kernel) << "seed " << seed;
      ASSERT_TRUE(bgp::validate(told).empty()) << "the speaker takes all of it";
    }
  }
}

}  // namespace
}  // namespace margay::agent
