#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/translate/names.h"
#include "policy/translate/rule_text.h"
#include "policy/translate/rules.h"
#include "policy/translate/test_labels.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

using model::KubernetesNetworkPolicy;
using model::KubernetesPolicyPeer;
using model::KubernetesPolicyPort;
using model::KubernetesPolicyRule;
using model::LabelOperator;
using model::LabelTerms;
using model::PolicyType;
using test::labels;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kPods = "projectcalico.org/orchestrator == 'k8s'";

IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

KubernetesPolicyPort port(std::uint16_t number) {
  return {.protocol = std::nullopt, .port = model::PortOrName(PortRange(Port(number))), .end_port = std::nullopt};
}

KubernetesPolicyPort range(std::uint16_t first, std::int32_t last) {
  KubernetesPolicyPort out = port(first);
  out.end_port = last;
  return out;
}

KubernetesNetworkPolicy ingress(KubernetesPolicyRule rule) {
  KubernetesNetworkPolicy out;
  out.metadata.name = "web";
  out.metadata.name_space = "shop";
  out.spec.ingress = {std::move(rule)};
  return out;
}

std::vector<std::string> ingress_of(KubernetesPolicyRule rule) {
  return texts_of(from_kubernetes(ingress(std::move(rule))).object.spec.ingress);
}

TEST(NetworkPolicy, HasCalicosNameTierAndOrder) {
  KubernetesNetworkPolicy policy = ingress({});
  policy.metadata.uid = "30316465-6365-4463-ad63-3564622d3638";
  const model::NetworkPolicy out = from_kubernetes(policy).object;
  EXPECT_EQ(out.metadata.name, "knp.default.web");
  EXPECT_EQ(out.metadata.name_space, "shop");
  EXPECT_EQ(out.metadata.uid, "0c8c26a6-c6a6-44c6-adc6-ac2646b46c1c");
  EXPECT_EQ(out.spec.tier, "default");
  EXPECT_EQ(out.spec.order, 1000);
  EXPECT_EQ(out.spec.selector, kPods);
}

TEST(NetworkPolicy, TypesAreDefaultedAsTheServerDoes) {
  struct Case {
    const char* why;
    std::vector<PolicyType> given;
    bool has_egress_rules;
    std::vector<PolicyType> expected;
  };
  const Case cases[] = {
      {"nothing said", {}, false, {PolicyType::kIngress}},
      {"nothing said, egress rules", {}, true, {PolicyType::kIngress, PolicyType::kEgress}},
      {"said: egress only", {PolicyType::kEgress}, true, {PolicyType::kEgress}},
      {"said: egress, no rules", {PolicyType::kEgress}, false, {PolicyType::kEgress}},
      {"said: ingress, although egress rules", {PolicyType::kIngress}, true, {PolicyType::kIngress}},
      {"one order", {PolicyType::kEgress, PolicyType::kIngress}, false, {PolicyType::kIngress, PolicyType::kEgress}},
  };
  for (const Case& c : cases) {
    KubernetesNetworkPolicy policy;
    policy.spec.policy_types = c.given;
    if (c.has_egress_rules) policy.spec.egress = {KubernetesPolicyRule{}};
    EXPECT_EQ(from_kubernetes(policy).object.spec.types, c.expected) << c.why;
  }
}

TEST(NetworkPolicy, PeersBecomeSelectorsAndNets) {
  struct Case {
    const char* why;
    KubernetesPolicyPeer peer;
    std::string expected;
  };
  const Case cases[] = {
      {"pods of the policy's namespace",
       {.pod_selector = labels("app", "a"), .namespace_selector = {}, .ip_block = {}},
       concat("Allow from{sel=", kPods, " && app == 'a'}")},
      {"all pods of the policy's namespace",
       {.pod_selector = LabelTerms{}, .namespace_selector = {}, .ip_block = {}},
       concat("Allow from{sel=", kPods, "}")},
      {"all pods of namespaces: not what has no namespace, and no sets",
       {.pod_selector = {}, .namespace_selector = labels("team", "x"), .ip_block = {}},
       concat("Allow from{sel=", kPods, " ns=team == 'x'}")},
      {"all pods",
       {.pod_selector = {}, .namespace_selector = LabelTerms{}, .ip_block = {}},
       concat("Allow from{sel=", kPods, " ns=all()}")},
      {"both must hold",
       {.pod_selector = labels("app", "a"), .namespace_selector = labels("team", "x"), .ip_block = {}},
       concat("Allow from{sel=", kPods, " && app == 'a' ns=team == 'x'}")},
      {"a range without parts of it",
       {.pod_selector = {},
        .namespace_selector = {},
        .ip_block = model::IpBlock{.cidr = net("10.0.0.0/8"), .except = {net("10.1.0.0/16"), net("10.2.0.0/16")}}},
       "Allow from{nets=10.0.0.0/8 notNets=10.1.0.0/16,10.2.0.0/16}"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ingress_of({.ports = {}, .peers = {c.peer}}), ElementsAre(c.expected)) << c.why;
  }
}

TEST(NetworkPolicy, ARuleWithoutPeersAndPortsAllowsEveryone) {
  EXPECT_THAT(ingress_of({}), ElementsAre("Allow"));
  EXPECT_THAT(texts_of(from_kubernetes(KubernetesNetworkPolicy{}).object.spec.ingress), IsEmpty());
}

TEST(NetworkPolicy, PortsAreJoinedByProtocol) {
  KubernetesPolicyPort udp = port(53);
  udp.protocol = model::kProtocolUdp;
  KubernetesPolicyPort sctp;
  sctp.protocol = model::kProtocolSctp;
  KubernetesPolicyPort named;
  named.port = model::PortOrName("http");
  EXPECT_THAT(ingress_of({.ports = {port(80), udp, named, sctp}, .peers = {}}),
              ElementsAre("Allow SCTP", "Allow TCP to{ports=80,http}", "Allow UDP to{ports=53}"));
  EXPECT_THAT(ingress_of({.ports = {port(81), range(8000, 8100), port(80), named}, .peers = {}}),
              ElementsAre("Allow TCP to{ports=http,80:81,8000:8100}"));
  EXPECT_THAT(ingress_of({.ports = {port(80), KubernetesPolicyPort{}}, .peers = {}}), ElementsAre("Allow TCP"))
      << "a port that is absent is all of them";
  EXPECT_THAT(ingress_of({.ports = {range(7, 7)}, .peers = {}}), ElementsAre("Allow TCP to{ports=7}"));
}

TEST(NetworkPolicy, EgressPutsPeerAndPortsAtTheDestination) {
  KubernetesNetworkPolicy policy;
  policy.spec.egress = {{.ports = {port(443)},
                         .peers = {{.pod_selector = labels("app", "a"), .namespace_selector = {}, .ip_block = {}}}}};
  EXPECT_THAT(texts_of(from_kubernetes(policy).object.spec.egress),
              ElementsAre(concat("Allow TCP to{sel=", kPods, " && app == 'a' ports=443}")));
}

TEST(NetworkPolicy, WhatCannotBeTranslatedIsNamedAndLeftOut) {
  struct Case {
    const char* why;
    KubernetesPolicyRule rule;
    std::string path;
  };
  KubernetesPolicyPort named_range;
  named_range.port = model::PortOrName("http");
  named_range.end_port = 90;
  KubernetesPolicyPort no_start;
  no_start.end_port = 90;
  const KubernetesPolicyPeer good{.pod_selector = LabelTerms{}, .namespace_selector = {}, .ip_block = {}};
  const Case cases[] = {
      {"end before start", {.ports = {port(1), range(90, 80)}, .peers = {}}, "spec.ingress[0].ports[1].endPort"},
      {"end too high", {.ports = {range(90, 70'000)}, .peers = {}}, "spec.ingress[0].ports[0].endPort"},
      {"end of a name", {.ports = {named_range}, .peers = {}}, "spec.ingress[0].ports[0].endPort"},
      {"end alone", {.ports = {no_start}, .peers = {}}, "spec.ingress[0].ports[0].endPort"},
      {"a peer that says nothing", {.ports = {}, .peers = {good, {}}}, "spec.ingress[0].from[1]"},
      {"a block and a selector",
       {.ports = {}, .peers = {{.pod_selector = LabelTerms{}, .namespace_selector = {}, .ip_block = model::IpBlock{}}}},
       "spec.ingress[0].from[0].ipBlock"},
  };
  for (const Case& c : cases) {
    const auto out = from_kubernetes(ingress(c.rule));
    EXPECT_THAT(out.object.spec.ingress, IsEmpty()) << c.why;
    EXPECT_THAT(out.object.spec.types, ElementsAre(PolicyType::kIngress)) << c.why << ": it still isolates";
    ASSERT_EQ(out.errors.size(), 1u) << c.why;
    EXPECT_EQ(out.errors.front().path, c.path) << c.why;
  }
}

TEST(StagedKubernetesPolicy, IsTranslatedAsTheOtherAndStaysStaged) {
  model::StagedKubernetesNetworkPolicy staged;
  staged.metadata.name = "web";
  staged.spec.policy = ingress({}).spec;
  const auto out = from_kubernetes(staged);
  EXPECT_EQ(out.object.spec.policy, from_kubernetes(ingress({})).object.spec);
  EXPECT_EQ(out.object.spec.staged_action, model::StagedAction::kSet);
  EXPECT_EQ(out.object.metadata.name, "knp.default.web");

  staged.spec = {.staged_action = model::StagedAction::kDelete, .policy = {}};
  const model::StagedPolicySpec deletes = from_kubernetes(staged).object.spec;
  EXPECT_EQ(deletes.staged_action, model::StagedAction::kDelete);
  EXPECT_EQ(deletes.policy.tier, "default");
  EXPECT_THAT(deletes.policy.selector, IsEmpty());
}

TEST(Selectors, SayWhatLabelSelectorsSay) {
  const LabelTerms terms{
      .match_labels = StringMap{{"b", "2"}, {"a", "1"}},
      .match_expressions = {{.key = "in", .op = LabelOperator::kIn, .values = {"x", "y"}},
                            {.key = "not", .op = LabelOperator::kNotIn, .values = {"x"}},
                            {.key = "has", .op = LabelOperator::kExists, .values = {}},
                            {.key = "hasnt", .op = LabelOperator::kDoesNotExist, .values = {}}},
  };
  EXPECT_EQ(selector_of(terms),
            "a == '1' && b == '2' && in in { 'x', 'y' } && not not in { 'x' } && has(has) && ! has(hasnt)");
  EXPECT_EQ(selector_of(terms, kNamespaceLabelPrefix),
            "pcns.a == '1' && pcns.b == '2' && pcns.in in { 'x', 'y' } && pcns.not not in { 'x' } && has(pcns.has) && "
            "! has(pcns.hasnt)");
  EXPECT_EQ(selector_of({}), "all()");
  for (const std::string& text : {selector_of(terms), pods_selector(terms)}) {
    EXPECT_TRUE(selector::Selector::parse(text).ok()) << text;
  }
}

TEST(Uid, OfAnotherObjectHasReversedBits) {
  EXPECT_EQ(derived_uid("01-80ff"), "80-01ff");
  EXPECT_EQ(derived_uid(derived_uid("30316465-6365-4463")), "30316465-6365-4463");
  EXPECT_EQ(derived_uid("no uid"), "no uid");
  EXPECT_EQ(derived_uid("123"), "123");
}

}  // namespace
}  // namespace margay::policy
