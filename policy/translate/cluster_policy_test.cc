#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/translate/rule_text.h"
#include "policy/translate/test_labels.h"
#include "policy/translate/translate.h"

namespace margay::policy {
namespace {

using model::ClusterNetworkPolicy;
using model::ClusterPolicyAction;
using model::ClusterPolicyPeer;
using model::ClusterPolicyPort;
using model::ClusterPolicyProtocol;
using model::ClusterPolicyRule;
using model::ClusterPolicyTransport;
using model::LabelTerms;
using model::PolicyType;
using test::labels;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ClusterPolicyPeer namespaces(LabelTerms terms) {
  ClusterPolicyPeer out;
  out.namespaces = std::move(terms);
  return out;
}

ClusterPolicyPeer pods(LabelTerms in, LabelTerms with) {
  ClusterPolicyPeer out;
  out.pods = model::NamespacedPods{.namespace_selector = std::move(in), .pod_selector = std::move(with)};
  return out;
}

ClusterPolicyPeer nodes(LabelTerms with) {
  ClusterPolicyPeer out;
  out.nodes = std::move(with);
  return out;
}

ClusterPolicyPeer networks_of(const std::vector<std::string>& texts) {
  ClusterPolicyPeer out;
  for (const std::string& text : texts) out.networks.push_back(IpPrefix::parse(text).value());
  return out;
}

ClusterPolicyProtocol tcp(std::optional<ClusterPolicyPort> port) {
  ClusterPolicyProtocol out;
  out.tcp = ClusterPolicyTransport{.destination_port = port};
  return out;
}

ClusterPolicyProtocol tcp_range(std::uint16_t first, std::uint16_t last) {
  return tcp(
      ClusterPolicyPort{.number = {}, .range = model::ClusterPolicyPortRange{.start = Port(first), .end = Port(last)}});
}

ClusterPolicyProtocol named(std::string name) {
  ClusterPolicyProtocol out;
  out.destination_named_port = std::move(name);
  return out;
}

ClusterNetworkPolicy policy(ClusterPolicyRule egress) {
  ClusterNetworkPolicy out;
  out.metadata.name = "p";
  out.spec.priority = 7;
  out.spec.subject.namespaces = LabelTerms{};
  out.spec.egress = {std::move(egress)};
  return out;
}

ClusterPolicyRule rule(ClusterPolicyAction action, std::vector<ClusterPolicyPeer> peers,
                       std::vector<ClusterPolicyProtocol> protocols = {}) {
  return {.name = "", .action = action, .peers = std::move(peers), .protocols = std::move(protocols)};
}

TEST(ClusterPolicy, StandsInTheTierOfItsNameInTheOrderOfItsPriority) {
  ClusterNetworkPolicy given = policy(rule(ClusterPolicyAction::kPass, {namespaces({})}));
  model::GlobalNetworkPolicy out = from_kubernetes(given).object;
  EXPECT_EQ(out.metadata.name, "kcnp.kube-admin.p");
  EXPECT_EQ(out.spec.tier, "kube-admin");
  EXPECT_EQ(out.spec.order, 7);
  EXPECT_THAT(out.spec.types, ElementsAre(PolicyType::kEgress));
  given.spec.tier = model::ClusterPolicyTier::kBaseline;
  out = from_kubernetes(given).object;
  EXPECT_EQ(out.metadata.name, "kcnp.kube-baseline.p");
  EXPECT_EQ(out.spec.tier, "kube-baseline");
}

TEST(ClusterPolicy, SubjectsArePodsOnly) {
  ClusterNetworkPolicy given = policy(rule(ClusterPolicyAction::kDeny, {namespaces({})}));
  given.spec.subject = {.namespaces = labels("team", "a"), .pods = {}};
  model::PolicySpec out = from_kubernetes(given).object.spec;
  EXPECT_EQ(out.selector, "projectcalico.org/orchestrator == 'k8s'");
  EXPECT_EQ(out.namespace_selector, "team == 'a'");
  given.spec.subject = {.namespaces = {},
                        .pods = model::NamespacedPods{.namespace_selector = {}, .pod_selector = labels("app", "x")}};
  out = from_kubernetes(given).object.spec;
  EXPECT_EQ(out.selector, "projectcalico.org/orchestrator == 'k8s' && app == 'x'");
  EXPECT_EQ(out.namespace_selector, "all()");
}

TEST(ClusterPolicy, RulesAreOneForEachProtocolAndPeer) {
  struct Case {
    const char* why;
    ClusterPolicyRule rule;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"namespaces", rule(ClusterPolicyAction::kAccept, {namespaces(labels("a", "b"))}), {"Allow to{ns=a == 'b'}"}},
      {"pods of namespaces",
       rule(ClusterPolicyAction::kPass, {pods(labels("a", "b"), labels("c", "d"))}),
       {"Pass to{sel=projectcalico.org/orchestrator == 'k8s' && c == 'd' ns=a == 'b'}"}},
      {"nodes, which have no namespace",
       rule(ClusterPolicyAction::kDeny, {nodes({}), nodes(labels("role", "edge"))}),
       {"Deny to{sel=projectcalico.org/kind == 'Node'}",
        "Deny to{sel=projectcalico.org/kind == 'Node' && role == 'edge'}"}},
      {"networks of one family",
       rule(ClusterPolicyAction::kDeny, {networks_of({"10.0.0.0/8", "192.0.2.0/24"})}),
       {"Deny to{nets=10.0.0.0/8,192.0.2.0/24}"}},
      {"networks of both families, as no rule may have both",
       rule(ClusterPolicyAction::kPass, {networks_of({"fd00::/8", "10.0.0.0/8", "2001:db8::/32"}), namespaces({})}),
       {"Pass to{nets=10.0.0.0/8}", "Pass to{nets=fd00::/8,2001:db8::/32}", "Pass to{ns=all()}"}},
      {"all of a protocol",
       rule(ClusterPolicyAction::kDeny, {networks_of({"10.0.0.0/8"})}, {tcp({}), tcp_range(1, 2)}),
       {"Deny TCP to{nets=10.0.0.0/8}"}},
      {"a name may be of any protocol, and no rule has ports without one",
       rule(ClusterPolicyAction::kAccept, {namespaces({}), namespaces(labels("a", "b"))},
            {tcp_range(8, 9), named("http")}),
       {"Allow SCTP to{ns=all() ports=http}", "Allow SCTP to{ns=a == 'b' ports=http}",
        "Allow TCP to{ns=all() ports=8:9,http}", "Allow TCP to{ns=a == 'b' ports=8:9,http}",
        "Allow UDP to{ns=all() ports=http}", "Allow UDP to{ns=a == 'b' ports=http}"}},
      {"a name says nothing new where all of the protocol is meant",
       rule(ClusterPolicyAction::kDeny, {namespaces({})}, {named("http"), tcp({})}),
       {"Deny SCTP to{ns=all() ports=http}", "Deny TCP to{ns=all()}", "Deny UDP to{ns=all() ports=http}"}},
  };
  for (const Case& c : cases) {
    const auto out = from_kubernetes(policy(c.rule));
    EXPECT_EQ(texts_of(out.object.spec.egress), c.expected) << c.why;
    EXPECT_THAT(out.errors, IsEmpty()) << c.why;
  }
}

TEST(ClusterPolicy, ARulesNameIsKept) {
  ClusterPolicyRule given = rule(ClusterPolicyAction::kDeny, {namespaces({})});
  given.name = "no way";
  const model::Rule out = from_kubernetes(policy(given)).object.spec.egress.at(0);
  ASSERT_TRUE(out.metadata);
  EXPECT_EQ(out.metadata->annotations.get("name"), "no way");
}

TEST(ClusterPolicy, WhatCannotBeTranslatedFailsClosed) {
  ClusterPolicyPeer names;
  names.domain_names = {"example.com"};
  ClusterPolicyProtocol both = named("http");
  both.tcp = ClusterPolicyTransport{};
  struct Case {
    const char* why;
    std::vector<ClusterPolicyPeer> peers;
    std::vector<ClusterPolicyProtocol> protocols;
    std::string path;
  };
  const Case cases[] = {
      {"names of hosts", {namespaces({}), names}, {}, "spec.egress[0].to[1].domainNames"},
      {"a peer that says nothing", {ClusterPolicyPeer{}}, {}, "spec.egress[0].to[0]"},
      {"no peer", {}, {}, "spec.egress[0].to"},
      {"a range in reverse", {namespaces({})}, {tcp_range(9, 8)}, "spec.egress[0].protocols[0].tcp.destinationPort"},
      {"a protocol that says nothing", {namespaces({})}, {ClusterPolicyProtocol{}}, "spec.egress[0].protocols[0]"},
      {"a protocol that says two things", {namespaces({})}, {both}, "spec.egress[0].protocols[0]"},
  };
  struct Expected {
    ClusterPolicyAction action;
    std::vector<std::string> rules;
  };
  const Expected expected[] = {{ClusterPolicyAction::kAccept, {}},
                               {ClusterPolicyAction::kDeny, {"Deny"}},
                               {ClusterPolicyAction::kPass, {"Deny"}}};
  for (const Case& c : cases) {
    for (const Expected& e : expected) {
      const auto out = from_kubernetes(policy(rule(e.action, c.peers, c.protocols)));
      EXPECT_EQ(texts_of(out.object.spec.egress), e.rules) << c.why;
      ASSERT_EQ(out.errors.size(), 1u) << c.why;
      EXPECT_EQ(out.errors.front().path, c.path) << c.why;
    }
  }
}

TEST(ClusterPolicy, WithoutASubjectIsForNobody) {
  ClusterNetworkPolicy given = policy(rule(ClusterPolicyAction::kDeny, {namespaces({})}));
  given.spec.subject = {};
  const auto out = from_kubernetes(given);
  EXPECT_EQ(out.object.spec.selector, "!all()");
  EXPECT_THAT(out.object.spec.egress, IsEmpty());
  ASSERT_EQ(out.errors.size(), 1u);
  EXPECT_EQ(out.errors.front().path, "spec.subject");
}

TEST(AdminPolicy, IsTranslatedAsItsSuccessor) {
  model::AdminNetworkPolicy given;
  given.metadata.name = "p";
  given.spec.priority = 3;
  given.spec.subject.namespaces = LabelTerms{};
  model::AdminPolicyRule& first = given.spec.ingress.emplace_back();
  first.action = model::AdminPolicyAction::kPass;
  first.peers = {namespaces({})};
  first.ports = {
      {.port_number = model::AdminPolicyPortNumber{.protocol = {}, .port = Port(80)},
       .port_range = {},
       .named_port = {}},
      {.port_number = {},
       .port_range = model::AdminPolicyPortRange{.protocol = model::kProtocolUdp, .start = Port(7), .end = Port(9)},
       .named_port = {}},
      {.port_number = {}, .port_range = {}, .named_port = "web"}};
  const auto out = from_kubernetes(given);
  EXPECT_EQ(out.object.metadata.name, "kanp.adminnetworkpolicy.p");
  EXPECT_EQ(out.object.spec.tier, "kube-admin");
  EXPECT_EQ(out.object.spec.order, 3);
  EXPECT_THAT(texts_of(out.object.spec.ingress),
              ElementsAre("Pass SCTP from{ns=all()} to{ports=web}", "Pass TCP from{ns=all()} to{ports=80,web}",
                          "Pass UDP from{ns=all()} to{ports=7:9,web}"));

  given.spec.ingress[0].ports = {{}};
  EXPECT_EQ(from_kubernetes(given).errors.at(0).path, "spec.ingress[0].ports[0]");
}

TEST(BaselineAdminPolicy, StandsBehindThePoliciesOfNamespaces) {
  model::BaselineAdminNetworkPolicy given;
  given.metadata.name = "default";
  given.spec.subject.namespaces = LabelTerms{};
  given.spec.egress = {
      {.name = "", .action = model::BaselineAdminPolicyAction::kDeny, .peers = {namespaces({})}, .ports = {}}};
  const auto out = from_kubernetes(given);
  EXPECT_EQ(out.object.metadata.name, "kbanp.baselineadminnetworkpolicy.default");
  EXPECT_EQ(out.object.spec.tier, "kube-baseline");
  EXPECT_EQ(out.object.spec.order, 0);
  EXPECT_THAT(texts_of(out.object.spec.egress), ElementsAre("Deny to{ns=all()}"));
}

}  // namespace
}  // namespace margay::policy
