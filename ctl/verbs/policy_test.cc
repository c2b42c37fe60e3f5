// What netctl policy answers, and what it makes of wrong questions.
#include <string>

#include "ctl/verbs/console.h"
#include "gtest/gtest.h"
#include "test/support/golden.h"

namespace margay::verbs {
namespace {

constexpr std::string_view kCluster = R"(apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- {apiVersion: v1, kind: Namespace, metadata: {name: office, labels: {team: b}}}
- apiVersion: v1
  kind: Node
  metadata: {name: n1}
  status: {addresses: [{type: InternalIP, address: 192.0.2.10}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: web, namespace: shop, labels: {app: web}}
  spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
  status: {podIP: 10.0.0.1}
- apiVersion: v1
  kind: Pod
  metadata: {name: db, namespace: shop, labels: {app: db}}
  spec: {nodeName: n1, containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}
  status: {podIP: 10.0.0.2}
- apiVersion: v1
  kind: Pod
  metadata: {name: desk, namespace: office, labels: {app: desk}}
  spec: {nodeName: n1, containers: [{name: c}]}
  status: {podIP: 10.0.0.3}
- apiVersion: v1
  kind: Service
  metadata: {name: db, namespace: shop}
  spec: {clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7], selector: {app: db}, ports: [{port: 5000, targetPort: sql}]}
)";

constexpr std::string_view kPolicies = R"(apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: sql}]
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: no-office}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}
  ingress:
  - {name: office, action: Deny, from: [{namespaces: {matchLabels: {team: b}}}]}
)";

constexpr std::string_view kFaulty = R"(apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: faulty, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: wbe}}}]
    ports: [{port: 5000}, {port: sqll}]
  egress:
  - to: [{ipBlock: {cidr: 10.0.0.0/8}}]
    ports: [{port: 443}]
)";

void write_cluster(Console& console) {
  console.write("cluster.yaml", kCluster);
  console.write("policies.yaml", kPolicies);
  console.write("faulty.yaml", kFaulty);
}

TEST(PolicyEval, AnswersOneQuestion) {
  Console console;
  write_cluster(console);
  const std::string files = "-f @cluster.yaml -f @policies.yaml";
  console.run("netctl policy eval " + files + " --from shop/web --to shop/db --port 5432");
  console.run("netctl policy eval " + files + " --from shop/web --to shop/db --port sql -o json");
  console.run("netctl policy eval " + files + " --from shop/web --to shop/db --port 5000");
  console.run("netctl policy eval " + files + " --from office/desk --to shop/web --port 8080");
  console.run("netctl policy eval " + files + " --from web -n shop --to 8.8.8.8 --port 53 --protocol UDP -o json");
  console.run("netctl policy eval " + files + " --from 192.0.2.10 --to shop/db --port 22");
  console.run("netctl policy eval " + files + " --from office/desk --to shop/db --protocol ICMP -o junit");
  console.run("netctl policy eval " + files +
              " --from office/desk --to shop/db --protocol ICMP -o junit --expect deny");
  console.run("netctl policy eval " + files + " --from office/desk --to shop/db --port 5432 --expect allow");
  EXPECT_EQ(console.take_calls(), "") << "asks no server";
  test::expect_golden("ctl/verbs/testdata/policy-eval.txt", console.screen);
}

TEST(PolicyEval, AnswersAMatrix) {
  Console console;
  write_cluster(console);
  const std::string files = "-f @cluster.yaml -f @policies.yaml";
  console.run("netctl policy eval " + files + " --matrix");
  console.run("netctl policy eval " + files + " --matrix --ports TCP/sql,UDP/53 --include-ip 8.8.8.8");
  console.run("netctl policy eval " + files + " --matrix --ports 5432 -o json");
  console.run("netctl policy eval " + files + " --matrix --ports TCP/5432 -o junit");
  test::expect_golden("ctl/verbs/testdata/policy-matrix.txt", console.screen);
}

TEST(PolicyEval, AsksTheClusterWithoutFiles) {
  Console console;
  console.client.put("pods", R"({"metadata": {"name": "a", "namespace": "x", "labels": {"app": "a"}},
      "spec": {"nodeName": "n"}, "status": {"podIP": "10.0.0.1"}})");
  console.client.put("networkpolicies", R"({"metadata": {"name": "p", "namespace": "x"},
      "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})");
  EXPECT_NE(console.run("netctl policy eval --from 192.0.2.1 --to x/a --port 80").find("deny"), std::string::npos);
  EXPECT_NE(console.take_calls().find("list pods"), std::string::npos);
  console.server.problem = {ErrorCode::kInvalid, "no server is configured"};
  EXPECT_NE(console.run("netctl policy eval --from 192.0.2.1 --to x/a --port 80").find("[1]"), std::string::npos);
}

TEST(PolicyEval, WrongQuestions) {
  Console console;
  write_cluster(console);
  console.write("wrong.yaml",
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: b}\n"
                "spec:\n  podSelector: {}\n  ingress:\n  - ports: [{port: 80, endPort: 70}]\n    form: []\n");
  console.write("nothing.yaml", "# nothing yet\n");
  for (const std::string line : {
           "netctl policy",
           "netctl policy evl",
           "netctl policy eval -f @cluster.yaml",
           "netctl policy eval -f @cluster.yaml --from shop/web --port 80",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db --port 80 --protocol HTTP",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db --port 80 --protocol ICMP",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db --port 80-90",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db --port 80 --ports TCP/80",
           "netctl policy eval -f @cluster.yaml --matrix --from shop/web",
           "netctl policy eval -f @cluster.yaml --matrix --ports TCP:80",
           "netctl policy eval -f @cluster.yaml --matrix --include-ip 8.8.8",
           "netctl policy eval -f @cluster.yaml --from shop/wbe --to shop/db --port 80",
           "netctl policy eval -f @cluster.yaml --from web --to shop/db --port 80",
           "netctl policy eval -f @cluster.yaml --from 10.0.0.0/8 --to shop/db --port 80",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db --port https",
           "netctl policy eval -f @cluster.yaml --from shop/web --to shop/db --port 80 -o yaml",
           "netctl policy eval -f @wrong.yaml --from shop/web --to shop/db --port 80",
           "netctl policy eval -f @nothing.yaml --matrix",
           "netctl policy eval -f @missing.yaml --matrix",
       }) {
    console.run(line);
  }
  test::expect_golden("ctl/verbs/testdata/policy-eval-wrong.txt", console.screen);
}

TEST(PolicyLint, SaysWhatAndWhatToDo) {
  Console console;
  write_cluster(console);
  console.run("netctl policy lint -f @cluster.yaml -f @policies.yaml");
  console.run("netctl policy lint -f @cluster.yaml -f @faulty.yaml");
  console.run("netctl policy lint -f @cluster.yaml -f @faulty.yaml -o json");
  console.run("netctl policy lint -f @cluster.yaml -f @faulty.yaml -o junit");
  console.run("netctl policy lint -f @cluster.yaml -f @policies.yaml -o junit");
  console.run("netctl policy lint -f @cluster.yaml shop");
  test::expect_golden("ctl/verbs/testdata/policy-lint.txt", console.screen);
}

}  // namespace
}  // namespace margay::verbs
