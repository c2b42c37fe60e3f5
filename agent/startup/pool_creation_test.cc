#include "agent/startup/pool_creation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "test/support/fake_kube_client.h"

namespace margay::startup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const kube::ResourceType kPools{"projectcalico.org", "v3", "ippools", "IPPool", false};
const kube::ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap", true};

class PoolCreationTest : public ::testing::Test {
 protected:
  std::unique_ptr<PoolCreation> make(const std::map<std::string, std::string>& variables = {}) {
    return std::make_unique<PoolCreation>(PoolCreation::Parts{loop, random, client}, read_environment(variables));
  }
  std::vector<std::string> pools() {
    std::vector<std::string> out;
    for (const auto& [name, object] : client.objects(kPools)) {
      out.push_back(concat(name.name, " ", object.string_at({"spec", "cidr"})));
    }
    return out;
  }
  static IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

  loop::SimLoop loop;
  SeededRandom random{1};
  test::FakeKubeClient client{loop, random};
};

TEST_F(PoolCreationTest, WaitsUntilItKnowsWhatIsThere) {
  const auto creation = make();
  creation->set_host({prefix("192.168.1.0/24")}, false);
  loop.advance(std::chrono::minutes(1));
  EXPECT_THAT(pools(), IsEmpty());
  creation->set_pools({});
  loop.advance(std::chrono::seconds(1));
  EXPECT_THAT(pools(), ElementsAre("default-ipv4-ippool 172.16.0.0/16"));
  EXPECT_TRUE(creation->is_done());
}

TEST_F(PoolCreationTest, KubeadmSaysWhichNetworksPodsHave) {
  client.put(kConfigMaps, {"kube-system", "kubeadm-config"},
             json::Object{{"data", json::Object{{"ClusterConfiguration",
                                                 "networking:\n  podSubnet: 10.244.0.0/16, fd00:10::/56\n"}}}});
  const auto creation = make();
  creation->set_pools({});
  creation->set_host({}, true);
  loop.advance(std::chrono::seconds(1));
  EXPECT_THAT(pools(), ElementsAre("default-ipv4-ippool 10.244.0.0/16", "default-ipv6-ippool fd00:10::/56"));
}

TEST_F(PoolCreationTest, NothingIsMadeWherePoolsAre) {
  const auto creation = make();
  creation->set_pools({prefix("10.0.0.0/8")});
  creation->set_host({}, false);
  loop.advance(std::chrono::seconds(1));
  EXPECT_THAT(pools(), IsEmpty());
  EXPECT_TRUE(creation->is_done());
  EXPECT_EQ(client.requests("get") + client.requests("create"), 0);
}

TEST_F(PoolCreationTest, AnotherNodeMayHaveBeenFaster) {
  client.put(kPools, {"", "default-ipv4-ippool"}, json::Object{{"spec", json::Object{{"cidr", "10.1.0.0/16"}}}});
  const auto creation = make();
  creation->set_pools({});
  creation->set_host({}, false);
  loop.advance(std::chrono::seconds(1));
  EXPECT_TRUE(creation->is_done());
  EXPECT_THAT(pools(), ElementsAre("default-ipv4-ippool 10.1.0.0/16"));
}

TEST_F(PoolCreationTest, FailuresAreTriedAgain) {
  int failures = 0;
  client.on_request = [&failures](std::string_view, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (++failures > 5) return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "away"};
  };
  const auto creation = make();
  creation->set_pools({});
  creation->set_host({}, false);
  loop.advance(std::chrono::seconds(3));
  EXPECT_FALSE(creation->is_done());
  EXPECT_EQ(creation->last_error(), "away");
  loop.advance(std::chrono::minutes(2));
  EXPECT_TRUE(creation->is_done());
  EXPECT_EQ(creation->last_error(), "");
  EXPECT_THAT(pools(), ElementsAre("default-ipv4-ippool 192.168.0.0/16"));
}

TEST_F(PoolCreationTest, AServerThatKeepsItsConfigMapsToItselfHasNoKubeadm) {
  client.on_request = [](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (verb != "get") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kPermissionDenied, .message = "no", .http_status = 403};
  };
  const auto creation = make();
  creation->set_pools({});
  creation->set_host({}, false);
  loop.advance(std::chrono::seconds(1));
  EXPECT_TRUE(creation->is_done());
}

TEST(Kubeadm, WhatCannotBeReadIsNone) {
  EXPECT_THAT(kubeadm_pod_networks("networking: {podSubnet: 10.0.0.0/8}"), ElementsAre(*IpPrefix::parse("10.0.0.0/8")));
  EXPECT_THAT(kubeadm_pod_networks("networking: {}"), IsEmpty());
  EXPECT_THAT(kubeadm_pod_networks("networking: {podSubnet: [1]}"), IsEmpty());
  EXPECT_THAT(kubeadm_pod_networks("networking: {podSubnet: ten}"), IsEmpty());
  EXPECT_THAT(kubeadm_pod_networks("{"), IsEmpty());
  EXPECT_THAT(kubeadm_pod_networks(""), IsEmpty());
}

}  // namespace
}  // namespace margay::startup
