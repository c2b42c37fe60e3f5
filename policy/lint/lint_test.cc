#include "policy/lint/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "policy/question/world_yaml.h"

namespace margay::policy {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "error no-such-port NetworkPolicy/shop/web spec.ingress[0].ports[0].port"
std::vector<std::string> found(const std::string& yaml) {
  const World world = world_of(yaml);
  std::vector<std::string> out;
  for (const Finding& finding : lint(Cluster(world))) {
    EXPECT_FALSE(finding.what.empty());
    EXPECT_FALSE(finding.to_do.empty());
    out.push_back(
        concat(to_string(finding.severity), " ", finding.rule, " ", finding.object.to_string(), " ", finding.field));
  }
  return out;
}

const std::string kWorld =
    concat("---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n",
           "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot, namespace: shop}\n",
           "---\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n",
           "spec: {clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: web}, ",
           "ports: [{port: 80, targetPort: http}]}\n", pod_yaml("shop", "web", "app: web", "10.0.0.1"),
           pod_yaml("shop", "db", "app: db", "10.0.0.2"));

std::string kubernetes(std::string_view spec) {
  return concat(kWorld, "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n",
                "metadata: {name: p, namespace: shop}\nspec: ", spec, "\n");
}

std::string calico(std::string_view spec) {
  return concat(kWorld, "---\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n",
                "metadata: {name: p, namespace: shop}\nspec: ", spec, "\n");
}

TEST(Lint, KubernetesPolicies) {
  struct Case {
    const char* why;
    const char* spec;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"right",
       "{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}], ports: [{port: http}]}]}",
       {}},
      {"an application that is not there",
       "{podSelector: {matchLabels: {app: wbe}}}",
       {"warning selects-nothing NetworkPolicy/shop/p spec.podSelector"}},
      {"a peer that is not there",
       "{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: x}}}]}]}",
       {"warning peer-matches-nothing NetworkPolicy/shop/p spec.ingress[0].from[0]"}},
      {"a namespace that is not there, by its name",
       "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: "
       "shpo}}}]}]}",
       {"error no-such-namespace NetworkPolicy/shop/p spec.ingress[0].from[0]"}},
      {"a namespace by its name",
       "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: "
       "kubernetes.io/metadata.name, operator: In, values: [shop]}]}}]}]}",
       {}},
      {"a port that no pod has",
       "{podSelector: {}, ingress: [{ports: [{port: https}]}]}",
       {"error no-such-port NetworkPolicy/shop/p spec.ingress[0].ports[0].port"}},
      {"a name of another protocol",
       "{podSelector: {}, ingress: [{ports: [{port: http, protocol: UDP}]}]}",
       {"error no-such-port NetworkPolicy/shop/p spec.ingress[0].ports[0].port"}},
      {"the port of a Service",
       "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}",
       {"error service-port NetworkPolicy/shop/p spec.ingress[0].ports[0].port"}},
      {"a port of both: some pods have no Service", "{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", {}},
      {"the port behind a Service", "{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}", {}},
      {"the port of a Service, to go out to",
       "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: web}}}], ports: "
       "[{port: 80}]}, {ports: [{port: 53, protocol: UDP}]}]}",
       {"error service-port NetworkPolicy/shop/p spec.egress[0].ports[0].port"}},
      {"the address of a Service",
       "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.96.0.7/32}}]}]}",
       {"error net-is-service NetworkPolicy/shop/p spec.egress[0].to[0].ipBlock"}},
      {"a range with pods",
       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}",
       {"warning net-holds-pods NetworkPolicy/shop/p spec.ingress[0].from[0].ipBlock"}},
      {"the same without them",
       "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/16]}}]}]}",
       {}},
      {"no DNS",
       "{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}",
       {"warning no-dns NetworkPolicy/shop/p spec.egress"}},
      {"no way out at all",
       "{podSelector: {}, policyTypes: [Egress]}",
       {"remark no-dns NetworkPolicy/shop/p spec.egress"}},
      {"one rule too many",
       "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}, {from: [{podSelector: {}}], ports: [{port: 8080}]}]}",
       {"remark redundant-rule NetworkPolicy/shop/p spec.ingress[1]"}},
      {"the wider rule comes later",
       "{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 8080}]}, {from: [{podSelector: {}}]}]}",
       {"remark redundant-rule NetworkPolicy/shop/p spec.ingress[0]"}},
      {"twice the same",
       "{podSelector: {}, ingress: [{ports: [{port: 8080}]}, {ports: [{port: 8080}]}]}",
       {"remark redundant-rule NetworkPolicy/shop/p spec.ingress[1]"}},
  };
  for (const Case& c : cases) EXPECT_EQ(found(kubernetes(c.spec)), c.expected) << c.why;
}

TEST(Lint, CalicoPolicies) {
  struct Case {
    const char* why;
    const char* spec;
    std::vector<std::string> expected;
  };
  const Case cases[] = {
      {"right",
       "{selector: app == 'web', ingress: [{action: Allow, protocol: TCP, source: {selector: app == 'db'}, "
       "destination: {ports: [8080]}}, {action: Deny}]}",
       {}},
      {"a tier that is not there",
       "{tier: security, selector: all()}",
       {"error no-such-tier NetworkPolicy/shop/p spec.tier"}},
      {"an account that is not there",
       "{selector: all(), ingress: [{action: Allow, source: {serviceAccounts: {names: [robot, robto]}}}]}",
       {"error no-such-service-account NetworkPolicy/shop/p spec.ingress[0].source.serviceAccounts.names[1]"}},
      {"a Service that is not there",
       "{selector: all(), types: [Egress], egress: [{action: Allow, destination: {services: {name: wbe}}}]}",
       {"error no-such-service NetworkPolicy/shop/p spec.egress[0].destination.services.name"}},
      {"a rule behind one for everything",
       "{selector: all(), ingress: [{action: Deny}, {action: Allow, protocol: TCP, "
       "source: {selector: app == 'db'}}]}",
       {"warning unreachable-rule NetworkPolicy/shop/p spec.ingress[1]"}},
      {"Log decides nothing", "{selector: all(), ingress: [{action: Log}, {action: Allow}]}", {}},
      {"a narrower rule first",
       "{selector: all(), ingress: [{action: Allow, source: {nets: [192.0.2.0/24]}}, {action: "
       "Deny, source: {nets: [192.0.0.0/16]}}]}",
       {}},
      {"a wider rule first",
       "{selector: all(), ingress: [{action: Allow, source: {nets: [192.0.0.0/16]}}, {action: "
       "Deny, source: {nets: [192.0.2.0/24]}}]}",
       {"warning unreachable-rule NetworkPolicy/shop/p spec.ingress[1]"}},
      {"a wider rule with more conditions",
       "{selector: all(), ingress: [{action: Allow, ipVersion: 4, source: {nets: "
       "[192.0.0.0/16]}}, {action: Deny, source: {nets: [192.0.2.0/24]}}]}",
       {}},
      {"ports within a range",
       "{selector: all(), ingress: [{action: Allow, protocol: TCP, destination: {ports: "
       "['8000:9000']}}, {action: Deny, protocol: TCP, destination: {ports: [8080]}}]}",
       {"warning unreachable-rule NetworkPolicy/shop/p spec.ingress[1]"}},
      {"ports of another protocol",
       "{selector: all(), ingress: [{action: Allow, protocol: UDP, destination: {ports: "
       "['8000:9000']}}, {action: Deny, protocol: TCP, destination: {ports: [8080]}}]}",
       {}},
  };
  for (const Case& c : cases) {
    std::vector<std::string> findings = found(calico(c.spec));
    std::erase_if(findings, [](const std::string& each) { return each.find(" not-used ") != std::string::npos; });
    EXPECT_EQ(findings, c.expected) << c.why;
  }
}

TEST(Lint, APolicyBehindOneThatDecidesEverything) {
  const auto policy = [](std::string_view name, int order, std::string_view selector, std::string_view rules) {
    return concat("---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ", name,
                  "}\nspec: {order: ", order, ", selector: \"", selector, "\", ingress: ", rules, "}\n");
  };
  const std::string all = policy("first", 1, "has(app)", "[{action: Deny}]");
  const std::string web = policy("second", 2, "app == 'web'", "[{action: Allow, protocol: TCP}]");
  EXPECT_THAT(found(concat(kWorld, all, web)),
              ElementsAre("warning shadowed-policy GlobalNetworkPolicy/second spec.ingress"));
  EXPECT_THAT(found(concat(kWorld, policy("first", 3, "has(app)", "[{action: Deny}]"), web)), IsEmpty());
  EXPECT_THAT(found(concat(kWorld, policy("first", 1, "app == 'db'", "[{action: Deny}]"), web)), IsEmpty());
}

TEST(Lint, DnsIsAskedOfTheClustersDnsPods) {
  const std::string dns =
      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}\n"
      "spec: {nodeName: node-1, containers: [{name: c, ports: [{name: dns, containerPort: 53, protocol: UDP}]}]}\n"
      "status: {podIP: 10.0.9.9}\n";
  const std::string elsewhere = kubernetes(
      "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], ports: [{port: 53, protocol: "
      "UDP}]}]}");
  EXPECT_THAT(found(elsewhere), IsEmpty()) << "it may be there";
  EXPECT_THAT(found(concat(elsewhere, dns)), ElementsAre("warning no-dns NetworkPolicy/shop/p spec.egress"));
  EXPECT_THAT(found(concat(kubernetes("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: "
                                      "{matchLabels: {kubernetes.io/metadata.name: kube-system}}}]}]}"),
                           dns)),
              IsEmpty());
}

TEST(Lint, WhatCannotBeUsedIsAnError) {
  EXPECT_THAT(
      found(concat(kWorld,
                   "---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
                   "metadata: {name: a}\nspec: {priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, "
                   "to: [{domainNames: [example.com]}]}]}\n")),
      Contains("error not-used AdminNetworkPolicy/a spec.egress[0].to[0].domainNames"));
}

}  // namespace
}  // namespace margay::policy
