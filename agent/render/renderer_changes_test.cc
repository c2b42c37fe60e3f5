// The renderer as a whole: what a change of the inputs changes, and what cannot be rendered.
#include <gtest/gtest.h>

#include "agent/render/iptables_renderer.h"
#include "test/support/render_fixture.h"

namespace margay::render {
namespace {

using namespace test::fixture;

TEST(RendererChanges, NothingChangesWhenTheSameIsSaidAgain) {
  Node node;
  node.put(two_workloads());
  policy::Delta again = two_workloads();
  node.put(again);
  EXPECT_TRUE(node.last.tables.empty());
  node.set([](auto&) {});
  EXPECT_TRUE(node.last.tables.empty());
  EXPECT_TRUE(node.last.sets.empty());
}

TEST(RendererChanges, ANewEndpointChangesItsOwnChainsAndTheDispatch) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  auto endpoint = workload(1);
  endpoint->policy.normal = {tier({"p"})};
  delta.endpoints[workload_key("w1")] = endpoint;
  node.put(delta);
  policy::Delta one;
  auto third = workload(3);
  third->policy.normal = {tier({"p"})};
  one.endpoints[workload_key("w3")] = third;
  node.put(one);
  EXPECT_EQ(node.changed(),
            (std::set<std::string>{"margay-from-wl", "margay-fw-cali3", "margay-to-wl", "margay-tw-cali3"}));
  one.endpoints[workload_key("w3")] = nullptr;
  node.put(one);
  EXPECT_EQ(node.changed(),
            (std::set<std::string>{"margay-from-wl", "-margay-fw-cali3", "margay-to-wl", "-margay-tw-cali3"}));
}

TEST(RendererChanges, APolicyChangesItsOwnChainsOnly) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  auto endpoint = workload(1);
  endpoint->policy.normal = {tier({"p"})};
  endpoint->policy.normal.front().egress.clear();
  delta.endpoints[workload_key("w1")] = endpoint;
  node.put(delta);
  EXPECT_TRUE(node.walk(from_outside()).passes());
  policy::Delta one;
  one.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kDeny});
  node.put(one);
  EXPECT_EQ(node.changed().size(), 1U) << "nobody uses the chain of the other direction";
  EXPECT_TRUE(node.changed().begin()->starts_with("margay-pi-_"));
  EXPECT_FALSE(node.walk(from_outside()).passes());
}

TEST(RendererChanges, APolicyWithAnotherSelectorLeavesItsGroup) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kPass});
  delta.policies[policy_key("q")] = policy_of("q", {model::RuleAction::kDeny});
  auto endpoint = workload(1);
  endpoint->policy.normal = {tier({"p", "q"})};
  delta.endpoints[workload_key("w1")] = endpoint;
  node.put(delta);
  EXPECT_NE(node.node.text(kFilter4, "margay-tw-cali1").find("margay-gi-_"), std::string::npos);
  EXPECT_TRUE(node.walk(from_outside()).passes());
  policy::Delta one;
  one.policies[policy_key("q")] = policy_of("q", {model::RuleAction::kDeny}, "role == 'a'");
  node.put(one);
  EXPECT_EQ(node.node.text(kFilter4, "margay-tw-cali1").find("margay-gi-_"), std::string::npos);
  EXPECT_EQ(node.node.dump().find("margay-gi-_"), std::string::npos);
}

TEST(RendererChanges, PoliciesAreThereWhileAnEndpointHasThem) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  node.put(delta);
  EXPECT_EQ(node.node.dump().find("margay-pi-_"), std::string::npos);
  EXPECT_NE(node.node.dump().find("chain IPv4 filter margay-pri-open"), std::string::npos);
  policy::Delta gone;
  gone.endpoints[workload_key("w1")] = gone.endpoints[workload_key("w2")] = nullptr;
  node.put(gone);
  EXPECT_EQ(node.node.dump().find("margay-pri-open"), std::string::npos);
}

TEST(RendererChanges, WithoutIpv6ItsTablesGoAndComeBack) {
  Node node;
  node.put(two_workloads());
  const std::string before = node.node.dump();
  node.set([](auto& spec) { spec.host.ipv6_support = false; });
  EXPECT_EQ(node.node.text(kFilter6, "margay-INPUT"), "");
  EXPECT_EQ(node.node.dump().find("hook IPv6"), std::string::npos);
  EXPECT_NE(node.node.dump().find("hook IPv4"), std::string::npos);
  node.set([](auto& spec) { spec.host.ipv6_support = true; });
  EXPECT_EQ(node.node.dump(), before);
}

TEST(RendererChanges, AWorkloadOfOneFamilyHasNothingInTheOther) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  const auto only_v4 = [](auto& spec) {
    std::erase_if(spec.ip_networks, [](const IpPrefix& net) { return net.family() == IpFamily::kV6; });
  };
  for (const int number : {1, 2}) {
    auto endpoint = changed(workload(number), only_v4);
    endpoint->policy.normal = {tier({"p"})};
    delta.endpoints[workload_key(concat("w", number))] = endpoint;
  }
  node.put(delta);
  const test::NodePacket packet6 = packet("cali1", "fe80::1", "cali2", "fd00::2");
  EXPECT_TRUE(node.walk(between_workloads()).passes());
  EXPECT_EQ(node.walk(packet6).where, "filter margay-from-wl: unknown interface");
  for (const auto& [name, chain] : node.last.tables[kFilter6].chains) {
    EXPECT_FALSE(name.starts_with("margay-tw-") || name.starts_with("margay-p")) << name;
  }
  policy::Delta both;
  both.endpoints[workload_key("w1")] = workload(1);
  both.endpoints[workload_key("w2")] = workload(2);
  node.put(both);
  EXPECT_TRUE(node.walk(packet("cali1", "fd00::1", "cali2", "fd00::2")).passes()) << "its dispatch has changed";
  node.put(delta);
  EXPECT_EQ(node.walk(packet6).where, "filter margay-from-wl: unknown interface");
  EXPECT_EQ(node.node.text(kFilter6, "margay-tw-cali1"), "");
}

TEST(RendererChanges, OfTwoWorkloadsOnOneInterfaceTheFirstByNameIsThere) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w0")] = workload(1, {});
  node.put(delta);
  EXPECT_FALSE(node.walk(from_outside()).passes());
  EXPECT_TRUE(node.renderer.problems().contains("WorkloadEndpoint ns/w1"));
  policy::Delta gone;
  gone.endpoints[workload_key("w0")] = nullptr;
  node.put(gone);
  EXPECT_TRUE(node.walk(from_outside()).passes());
  EXPECT_TRUE(node.renderer.problems().empty());
}

TEST(RendererChanges, NamesOfInterfacesThatAreNoneAreReported) {
  Node node;
  policy::Delta delta = two_workloads();
  for (const auto& [name, interface] :
       std::map<std::string, std::string>{{"a", ""}, {"b", "cali 1"}, {"c", "cali+"}, {"d", "eth5"}}) {
    delta.endpoints[workload_key(name)] =
        changed(workload(5), [&interface = interface](auto& spec) { spec.interface_name = interface; });
  }
  node.put(delta);
  for (const char* name : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(node.renderer.problems().contains(concat("WorkloadEndpoint ns/", name))) << name;
  }
}

TEST(RendererChanges, WhatCannotBeRenderedIsReportedAtItsPolicy) {
  Node node;
  policy::Delta delta = two_workloads();
  auto bad = std::make_shared<policy::Policy>(*policy_of("p", {model::RuleAction::kAllow}));
  policy::RuleSet rules = bad->rules;
  rules.ingress.front().icmp = model::IcmpMatch{.type = {}, .code = 1};
  bad->rules = std::move(rules);
  delta.policies[policy_key("p")] = bad;
  auto endpoint = workload(1);
  endpoint->policy.normal = {tier({"p"})};
  delta.endpoints[workload_key("w1")] = endpoint;
  node.put(delta);
  const auto problems = node.renderer.problems().at("GlobalNetworkPolicy p");
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].path, "spec.ingress[0].icmp");
  EXPECT_FALSE(node.walk(from_outside()).passes()) << "it fails closed";
}

}  // namespace
}  // namespace margay::render
