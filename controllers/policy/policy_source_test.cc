#include "controllers/policy/policy_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/json/yaml.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/kubernetes_policy.h"
#include "policy/translate/translate.h"

namespace margay::controllers {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

template <class T>
PolicySource<T> read_yaml(std::string_view yaml) {
  const json::Value value = json::parse_yaml(yaml)->at(0).value;
  json::Document document;
  const auto view = document.parse(json::dump(value));
  PolicySource<T> out;
  EXPECT_THAT(read_source<T>(view.value(), out), IsEmpty()) << "nothing is refused";
  return out;
}

template <class T>
auto translated(const PolicySource<T>& source) {
  return policy::from_kubernetes(source.object).object.spec;
}

using Kubernetes = model::KubernetesNetworkPolicy;
using Admin = model::AdminNetworkPolicy;
using Cluster = model::ClusterNetworkPolicy;

TEST(PolicySource, WhatCanBeReadIsAsItIs) {
  const auto source = read_yaml<Kubernetes>(R"(
metadata: {namespace: shop, name: web}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
)");
  EXPECT_THAT(source.errors, IsEmpty());
  EXPECT_THAT(translated(source).ingress, SizeIs(1));
}

TEST(PolicySource, ARuleThatCannotBeReadAllowsNothingAndTheOthersStay) {
  const auto source = read_yaml<Kubernetes>(R"(
metadata: {namespace: shop, name: web}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress:
  - from: [{ipBlock: {cidr: 10.1.0.0/16}}, {ipBlock: {cidr: 010.2.0.0/16}}]
  - ports: [{protocol: TCP, port: 80}]
  - ports: [{protocol: TCP, port: seventy-thousand-and-one}]
)");
  ASSERT_THAT(source.errors, SizeIs(2));
  EXPECT_EQ(source.errors[0].path, "spec.ingress[0].from[1].ipBlock.cidr");
  EXPECT_EQ(source.errors[1].path, "spec.ingress[2].ports[0].port");
  const auto spec = translated(source);
  EXPECT_THAT(spec.selector, HasSubstr("app == 'web'"));
  EXPECT_THAT(spec.types, ElementsAre(model::PolicyType::kIngress));
  ASSERT_THAT(spec.ingress, SizeIs(1));
  EXPECT_THAT(spec.ingress[0].destination.ports, SizeIs(1));
}

TEST(PolicySource, WhoIsMeantIsEverybodyWhenItCannotBeRead) {
  const auto source = read_yaml<Kubernetes>(R"(
metadata: {namespace: shop, name: web}
spec: {podSelector: {matchExpressions: [{key: app, operator: Above, values: [a]}]}}
)");
  EXPECT_THAT(source.errors, SizeIs(1));
  EXPECT_EQ(source.object.spec.pod_selector, model::LabelTerms{});
  EXPECT_THAT(translated(source).types, ElementsAre(model::PolicyType::kIngress));
}

TEST(PolicySource, BothDirectionsAreMeantWhenItCannotBeReadWhich) {
  for (const char* spec : {"{podSelector: {}, policyTypes: [Forward]}", "{podSelector: {}, egress: all}", "none"}) {
    const auto source = read_yaml<Kubernetes>(concat("{metadata: {namespace: shop, name: web}, spec: ", spec, "}"));
    EXPECT_THAT(source.errors, SizeIs(1)) << spec;
    EXPECT_THAT(translated(source).types, ElementsAre(model::PolicyType::kIngress, model::PolicyType::kEgress)) << spec;
    EXPECT_THAT(translated(source).egress, IsEmpty()) << spec;
  }
}

TEST(PolicySource, RulesOfAnAdminThatCannotBeReadDenyOrAllowNothing) {
  const auto source = read_yaml<Admin>(R"(
metadata: {name: a}
spec:
  priority: 5
  subject: {namespaces: {}}
  ingress:
  - {action: Allow, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 70000}}]}
  - {action: Deny, from: [{namespaces: {}}], ports: [{portNumber: {protocol: TCP, port: 70000}}]}
  - {action: Log, from: [{namespaces: {}}]}
  - {action: Allow, from: [{namespaces: {}}]}
)");
  EXPECT_THAT(source.errors, SizeIs(3));
  const auto spec = translated(source);
  ASSERT_THAT(spec.ingress, SizeIs(3));
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(spec.ingress[i].action, model::RuleAction::kDeny);
    EXPECT_EQ(spec.ingress[i].source, model::EntityRule{}) << "of everything";
    EXPECT_EQ(spec.ingress[i].destination, model::EntityRule{}) << "to everything";
  }
  EXPECT_EQ(spec.ingress[2].action, model::RuleAction::kAllow);
}

TEST(PolicySource, APolicyOfAnAdminForNobodyKnowsWhomDoesNothing) {
  for (const char* broken : {"subject: {namespaces: {matchExpressions: [{key: a, operator: Above}]}}, priority: 1",
                             "subject: {namespaces: {}}, priority: first"}) {
    const auto source = read_yaml<Cluster>(concat("{metadata: {name: c}, spec: {tier: Admin, ", broken,
                                                  ", ingress: [{action: Accept, from: [{namespaces: {}}]}]}}"));
    EXPECT_THAT(source.errors, SizeIs(1)) << broken;
    EXPECT_EQ(translated(source).selector, "!all()") << broken;
  }
}

TEST(PolicySource, WhatOthersWroteIntoItsStatusDoesNotMatter) {
  const auto source = read_yaml<Admin>(R"(
metadata: {name: a}
spec: {priority: 5, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
status: {conditions: [{type: Ready, status: Perhaps}]}
)");
  EXPECT_THAT(source.errors, IsEmpty());
  EXPECT_THAT(translated(source).ingress, SizeIs(1));
}

TEST(PolicySource, AnErrorIsToldOnce) {
  const FieldErrors read = {{FieldError::Kind::kInvalid, "spec.ingress[0].from[1].ipBlock.cidr", "bad"}};
  const FieldErrors translated = {{FieldError::Kind::kRequired, "spec.ingress[0].from[0]", "says nothing"},
                                  {FieldError::Kind::kInvalid, "spec.ingress[10].ports[0].endPort", "too small"}};
  const FieldErrors all = errors_of(read, translated);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0], read[0]);
  EXPECT_EQ(all[1], translated[1]);
}

}  // namespace
}  // namespace margay::controllers
