#include "agent/cluster/networks.h"

#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using model::Kind;
using model::ObjectKey;

IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }

std::shared_ptr<const model::IpPool> pool(const char* cidr, bool nat_outgoing, bool disabled = false) {
  model::IpPool out;
  out.spec.cidr = prefix(cidr);
  out.spec.nat_outgoing = nat_outgoing;
  out.spec.disabled = disabled;
  return std::make_shared<const model::IpPool>(std::move(out));
}

std::shared_ptr<const model::BlockAffinity> affinity(const char* cidr, const char* node,
                                                     model::BlockAffinityState state, bool deleted = false) {
  model::BlockAffinity out;
  out.spec = {
      .state = state, .node = node, .type = model::AffinityType::kHost, .cidr = prefix(cidr), .deleted = deleted};
  return std::make_shared<const model::BlockAffinity>(std::move(out));
}

TEST(Networks, PoolsAreKnownDisabledOrNot) {
  Networks networks("node-1");
  networks.set_pool({Kind::kIpPool, "", "a"}, pool("10.0.0.0/16", true));
  networks.set_pool({Kind::kIpPool, "", "b"}, pool("10.1.0.0/16", false, true));
  const auto change = networks.take();
  EXPECT_EQ(change.networks->pools, (std::set<IpPrefix>{prefix("10.0.0.0/16"), prefix("10.1.0.0/16")}));
  EXPECT_EQ(change.networks->masquerade_pools, std::set<IpPrefix>{prefix("10.0.0.0/16")});
  EXPECT_EQ(change.own_blocks, std::set<IpPrefix>{}) << "said, although there is none";
  networks.set_pool({Kind::kIpPool, "", "a"}, nullptr);
  EXPECT_EQ(networks.take().networks->pools, std::set<IpPrefix>{prefix("10.1.0.0/16")});
}

TEST(Networks, BlocksAreOursOnceConfirmed) {
  using State = model::BlockAffinityState;
  struct Case {
    const char* why;
    std::shared_ptr<const model::BlockAffinity> affinity;
    bool is_ours;
  };
  const Case cases[] = {
      {"confirmed", affinity("10.0.0.0/26", "node-1", State::kConfirmed), true},
      {"old writers say nothing", affinity("10.0.0.0/26", "node-1", State::kUnset), true},
      {"may become another's", affinity("10.0.0.0/26", "node-1", State::kPending), false},
      {"is being given up", affinity("10.0.0.0/26", "node-1", State::kPendingDeletion), false},
      {"another node's", affinity("10.0.0.0/26", "node-2", State::kConfirmed), false},
      {"deleted", affinity("10.0.0.0/26", "node-1", State::kConfirmed, true), false},
  };
  for (const Case& each : cases) {
    Networks networks("node-1");
    networks.set_affinity({Kind::kBlockAffinity, "", "x"}, each.affinity);
    EXPECT_EQ(networks.take().own_blocks->size(), each.is_ours ? 1U : 0U) << each.why;
    networks.set_affinity({Kind::kBlockAffinity, "", "x"}, nullptr);
    EXPECT_EQ(networks.take().own_blocks.has_value(), each.is_ours) << each.why;
  }
}

TEST(Networks, WhatIsTheSameIsNotSaidAgain) {
  Networks networks("node-1");
  networks.set_pool({Kind::kIpPool, "", "a"}, pool("10.0.0.0/16", true));
  (void)networks.take();
  networks.set_pool({Kind::kIpPool, "", "a"}, pool("10.0.0.0/16", true));
  const auto change = networks.take();
  EXPECT_FALSE(change.networks.has_value());
  EXPECT_FALSE(change.own_blocks.has_value());
}

TEST(Networks, ServiceAddressesAreThoseOfTheGlobalConfiguration) {
  model::BgpConfiguration configuration;
  configuration.spec.service_cluster_ips.push_back({.cidr = prefix("10.96.0.0/16")});
  configuration.spec.service_load_balancer_ips.push_back({.cidr = prefix("192.0.2.0/24")});
  const auto shared = std::make_shared<const model::BgpConfiguration>(std::move(configuration));
  Networks networks("node-1");
  networks.set_configuration({Kind::kBgpConfiguration, "", "node.node-1"}, shared);
  EXPECT_TRUE(networks.take().networks->service_blocks.empty());
  networks.set_configuration({Kind::kBgpConfiguration, "", "default"}, shared);
  EXPECT_EQ(networks.take().networks->service_blocks.size(), 2U);
}

}  // namespace
}  // namespace margay::agent
