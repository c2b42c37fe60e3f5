#include "agent/main/calculation.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/core/random.h"
#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "policy/desired/state.h"
#include "test/support/fake_kube_client.h"

namespace margay::agent {
namespace {

using model::Kind;
using model::ObjectKey;

class CalculationTest : public testing::Test {
 protected:
  CalculationTest() {
    put(Kind::kNamespace, "", "shop", "{}");
    put(Kind::kPod, "shop", "web", R"(
metadata: {labels: {app: web}}
spec: {nodeName: here, containers: [{name: c}]}
status: {phase: Running, podIP: 10.0.0.9, podIPs: [{ip: 10.0.0.9}]}
)");
    const auto nobody = [](const ObjectKey&, const auto&) {};
    calculation_.watch_all(cluster_, {nobody, nobody, nobody, nobody, nobody, attached_});
  }
  void put(Kind kind, const std::string& name_space, const std::string& name, std::string_view yaml) {
    client_.put(watch::resource_of(kind), {name_space, name}, json::parse_yaml(yaml)->at(0).value);
  }
  void start() {
    cluster_.start();
    loop_.run_until_idle();
  }
  void change(Kind kind, const std::string& name_space, const std::string& name, std::string_view yaml) {
    put(kind, name_space, name, yaml);
    loop_.run_until_idle();
  }
  // Where there is something wrong; "" when nothing is.
  std::string wrong(const ObjectKey& key) {
    const auto problems = calculation_.problems();
    const auto at = problems.find(key);
    return at == problems.end() ? std::string() : at->second.front().path;
  }

  loop::SimLoop loop_;
  SeededRandom random_{7};
  test::FakeKubeClient client_{loop_, random_};
  policy::State state_;
  ClusterFacts facts_{"here"};
  AttachedEndpoints attached_{facts_};
  Calculation calculation_{{.node = "here", .bgp = {.node = "here"}}};
  watch::ClusterWatch cluster_{{loop_, random_, client_}, [this](bool is_in_sync) {
                                 if (!is_in_sync) return;
                                 EXPECT_TRUE(state_.apply(calculation_.take().dataplane.policy).ok());
                               }};
};

TEST_F(CalculationTest, APolicyThatCannotBeReadAnyMoreStaysAndCloses) {
  const ObjectKey policy{Kind::kNetworkPolicy, "shop", "web"};
  const ObjectKey pod{Kind::kPod, "shop", "web"};
  constexpr const char* kGood =
      "spec: {selector: app == 'web', ingress: [{action: Allow, source: {nets: [10.0.0.0/8]}}]}";
  put(policy.kind, policy.name_space, policy.name, kGood);
  start();
  ASSERT_EQ(state_.policies().at(policy)->rules->ingress.size(), 1U);
  // A server that looks at no CIDR takes it.
  change(policy.kind, policy.name_space, policy.name,
         "spec: {selector: app == 'web', ingress: [{action: Allow, source: {nets: [010.0.0.0/8]}}]}");
  ASSERT_TRUE(state_.policies().contains(policy)) << "without it everything would be allowed";
  EXPECT_TRUE(state_.policies().at(policy)->rules->ingress.empty());
  ASSERT_EQ(state_.endpoints().at(pod)->policy.normal.size(), 1U);
  EXPECT_EQ(state_.endpoints().at(pod)->policy.normal[0].ingress.at(0).id, policy);
  EXPECT_EQ(wrong(policy), "spec.ingress[0].source.nets[0]");
  change(policy.kind, policy.name_space, policy.name, kGood);
  EXPECT_EQ(state_.policies().at(policy)->rules->ingress.size(), 1U);
  EXPECT_EQ(wrong(policy), "");
}

TEST_F(CalculationTest, OfSetsTiersAndHostsWhatCanBeReadIsUsed) {
  const ObjectKey set{Kind::kGlobalNetworkSet, "", "bad"}, tier{Kind::kTier, "", "first"},
      host{Kind::kHostEndpoint, "", "eth0"};
  put(set.kind, "", set.name, "{metadata: {labels: {role: bad}}, spec: {nets: [10.1.0.0/16, 010.2.0.0/16]}}");
  put(tier.kind, "", tier.name, "spec: {order: 1, defaultAction: Drop}");
  put(host.kind, "", host.name, "spec: {node: here, interfaceName: eth0, expectedIPs: [192.0.2.1, 192.0.2]}");
  put(Kind::kGlobalNetworkPolicy, "", "first.p",
      "spec: {tier: first, order: 1, ingress: [{action: Deny, source: {selector: role == 'bad'}}]}");
  start();
  ASSERT_EQ(state_.ip_sets().size(), 1U);
  EXPECT_EQ(state_.ip_sets().begin()->second.members().size(), 1U);
  ASSERT_TRUE(state_.endpoints().contains(host));
  EXPECT_EQ(state_.endpoints().at(host)->host->spec.expected_ips.size(), 1U);
  EXPECT_EQ(state_.endpoints().at(host)->policy.normal.at(0).default_action, model::TierDefaultAction::kDeny);
  EXPECT_EQ(wrong(set), "spec.nets[1]");
  EXPECT_EQ(wrong(tier), "spec.defaultAction");
  EXPECT_EQ(wrong(host), "spec.expectedIPs[1]");
  change(tier.kind, "", tier.name, "spec: {order: 1, defaultAction: Pass}");
  EXPECT_EQ(wrong(tier), "");
  client_.erase(watch::resource_of(set.kind), {"", set.name});
  loop_.run_until_idle();
  EXPECT_EQ(wrong(set), "") << "what is gone has no problems";
  EXPECT_TRUE(state_.ip_sets().begin()->second.members().empty());
}

}  // namespace
}  // namespace margay::agent
