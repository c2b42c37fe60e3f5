#include "policy/question/question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/core/text.h"
#include "policy/question/world_yaml.h"

namespace margay::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kPods =
    concat(pod_yaml("shop", "web", "app: web", "10.0.0.1"), pod_yaml("shop", "db", "app: db", "10.0.0.2"),
           pod_yaml("office", "desk", "app: desk", "10.0.0.3"));

constexpr std::string_view kDatabasePolicy = R"(---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: http}]
)";

class Asked : public testing::Test {
 protected:
  // "allow", "deny", or the error.
  std::string answer(const World& world, std::string_view from, std::string_view to, std::string_view target) {
    const Cluster cluster(world);
    const auto source = find_end(cluster, from, "default");
    if (!source.ok()) return source.error().message;
    const auto destination = find_end(cluster, to, "default");
    if (!destination.ok()) return destination.error().message;
    const auto what = Target::parse(target);
    if (!what.ok()) return what.error().message;
    const auto answered = ask(cluster, *source, *destination, *what);
    if (!answered.ok()) return answered.error().message;
    last_ = *answered;
    return answered->verdict.answer == Answer::kAllow ? "allow" : "deny";
  }

  Answered last_;
};

TEST_F(Asked, WithoutPolicyEverythingPasses) {
  const World world = world_of(kPods);
  EXPECT_EQ(answer(world, "shop/web", "shop/db", "TCP/80"), "allow");
  EXPECT_EQ(answer(world, "shop/web", "192.0.2.1", "UDP/53"), "allow");
  EXPECT_EQ(answer(world, "192.0.2.1", "shop/web", "ICMP"), "allow");
}

TEST_F(Asked, APolicyDecidesForItsPods) {
  const World world = world_of(concat(kPods, kDatabasePolicy));
  struct Case {
    std::string_view from;
    std::string_view to;
    std::string_view target;
    std::string expected;
  };
  const Case cases[] = {
      {"shop/web", "shop/db", "TCP/8080", "allow"},   {"shop/web", "shop/db", "http", "allow"},
      {"shop/web", "shop/db", "TCP/80", "deny"},      {"shop/web", "shop/db", "UDP/8080", "deny"},
      {"office/desk", "shop/db", "TCP/8080", "deny"}, {"192.0.2.1", "shop/db", "TCP/8080", "deny"},
      {"shop/db", "shop/web", "TCP/8080", "allow"},   {"10.0.0.1", "10.0.0.2", "TCP/8080", "allow"},
      {"shop/web", "shop/db", "ICMP", "deny"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(answer(world, c.from, c.to, c.target), c.expected) << c.from << " " << c.to << " " << c.target;
  }
}

TEST_F(Asked, TheAnswerNamesThePolicyAndItsSource) {
  const World world = world_of(concat(kPods, kDatabasePolicy));
  EXPECT_EQ(answer(world, "shop/web", "shop/db", "http"), "allow");
  ASSERT_TRUE(last_.verdict.decided_by);
  ASSERT_TRUE(last_.verdict.decided_by->policy);
  EXPECT_EQ(last_.verdict.decided_by->policy->name, "knp.default.db");
  EXPECT_EQ(last_.verdict.decided_by->direction, Direction::kIngress);
  const Cluster cluster(world);
  EXPECT_EQ(cluster.source_of(*last_.verdict.decided_by->policy).kind, model::Kind::kKubernetesNetworkPolicy);
}

TEST_F(Asked, ThePodsOwnNodeIsLetIn) {
  const std::string nodes = R"(---
apiVersion: v1
kind: Node
metadata: {name: node-1}
status: {addresses: [{type: InternalIP, address: 192.0.2.10}]}
---
apiVersion: v1
kind: Node
metadata: {name: node-2}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: kube-system}
spec: {nodeName: node-1, hostNetwork: true}
status: {podIP: 192.0.2.10}
)";
  const World world = world_of(concat(kPods, kDatabasePolicy, nodes));
  EXPECT_EQ(answer(world, "192.0.2.10", "shop/db", "TCP/80"), "allow");
  EXPECT_THAT(last_.note, HasSubstr("node-1"));
  EXPECT_EQ(answer(world, "kube-system/agent", "shop/db", "TCP/80"), "allow");
  EXPECT_EQ(answer(world, "192.0.2.11", "shop/db", "TCP/80"), "deny") << "another node";
}

TEST_F(Asked, NodesMayBePeersOfClusterPolicies) {
  const std::string nodes = R"(---
apiVersion: v1
kind: Node
metadata: {name: node-1, labels: {role: edge}}
status: {addresses: [{type: Hostname, address: node-1}, {type: InternalIP, address: 192.0.2.10}, {type: ExternalIP, address: 198.51.100.10}]}
---
apiVersion: v1
kind: Node
metadata: {name: node-2}
status: {addresses: [{type: InternalIP, address: 192.0.2.11}]}
---
apiVersion: v1
kind: Pod
metadata: {name: liar, namespace: shop, labels: {projectcalico.org/kind: Node, role: edge}}
spec: {nodeName: node-1}
status: {podIP: 10.0.0.77}
)";
  const auto policy = [](std::string_view kind, std::string_view action, std::string_view selector) {
    return concat("---\napiVersion: policy.networking.k8s.io/v1alpha1\nkind: ", kind,
                  "\nmetadata: {name: default}\nspec:\n", kind == "AdminNetworkPolicy" ? "  priority: 1\n" : "",
                  "  subject: {namespaces: {}}\n  egress:\n  - {action: ", action, ", to: [{nodes: ", selector,
                  "}]}\n");
  };
  const World some =
      world_of(concat(kPods, nodes, policy("AdminNetworkPolicy", "Deny", "{matchLabels: {role: edge}}")));
  EXPECT_EQ(answer(some, "shop/web", "192.0.2.10", "TCP/10250"), "deny");
  EXPECT_EQ(answer(some, "shop/web", "192.0.2.11", "TCP/10250"), "allow");
  EXPECT_EQ(answer(some, "shop/web", "198.51.100.10", "TCP/10250"), "allow") << "only InternalIPs";
  EXPECT_EQ(answer(some, "shop/web", "shop/liar", "TCP/80"), "allow") << "no label makes a pod a node";
  const World all = world_of(concat(kPods, nodes, policy("BaselineAdminNetworkPolicy", "Deny", "{}")));
  EXPECT_EQ(answer(all, "shop/web", "192.0.2.11", "TCP/10250"), "deny");
  EXPECT_EQ(answer(all, "shop/web", "203.0.113.1", "TCP/443"), "allow");
}

TEST_F(Asked, ServicesOfRulesAreTheirSlices) {
  const std::string objects = R"(---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.2]}]
ports: [{port: 8080, protocol: TCP}]
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: to-db, namespace: shop}
spec:
  selector: app == 'web'
  types: [Egress]
  egress: [{action: Allow, destination: {services: {name: db, namespace: shop}}}]
)";
  const World world = world_of(concat(kPods, objects));
  EXPECT_EQ(answer(world, "shop/web", "10.0.0.2", "TCP/8080"), "allow");
  EXPECT_EQ(answer(world, "shop/web", "10.0.0.2", "TCP/80"), "deny");
  EXPECT_EQ(answer(world, "shop/web", "203.0.113.1", "TCP/8080"), "deny");
}

TEST_F(Asked, EndsThatAreNoneAreAnsweredWithWhatThereIs) {
  const World world = world_of(concat(kPods, R"(---
apiVersion: v1
kind: Pod
metadata: {name: pending, namespace: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: over, namespace: shop}
spec: {nodeName: node-1}
status: {phase: Succeeded, podIP: 10.0.0.9}
)"));
  EXPECT_THAT(answer(world, "shop/wbe", "shop/db", "80"), HasSubstr("no pod shop/wbe; there is shop/db"));
  EXPECT_THAT(answer(world, "web", "shop/db", "80"), HasSubstr("no pod default/web; there is shop/web"));
  EXPECT_THAT(answer(world, "nowhere/x", "shop/db", "80"), HasSubstr("there are no pods in namespace nowhere"));
  EXPECT_THAT(answer(world, "10.0.0.0/24", "shop/db", "80"), HasSubstr("is a network"));
  EXPECT_THAT(answer(world, "a/b/c", "shop/db", "80"), HasSubstr("neither NAMESPACE/POD nor an address"));
  EXPECT_THAT(answer(world, "/b", "shop/db", "80"), HasSubstr("neither NAMESPACE/POD nor an address"));
  EXPECT_THAT(answer(world, "shop/pending", "shop/db", "80"), HasSubstr("status.podIP is missing"));
  EXPECT_THAT(answer(world, "shop/over", "shop/db", "80"), HasSubstr("has finished"));
  EXPECT_THAT(answer(world, "shop/web", "shop/db", "https"), HasSubstr("it has TCP/http"));
  EXPECT_THAT(answer(world, "shop/web", "192.0.2.1", "http"), HasSubstr("it has no named ports"));
}

TEST_F(Asked, EndsWithoutACommonFamilyCannotTalk) {
  const World world = world_of(kPods);
  EXPECT_EQ(answer(world, "2001:db8::1", "shop/db", "80"), "deny");
  EXPECT_THAT(last_.note, HasSubstr("IPv6"));
}

TEST(Target, IsReadInManyForms) {
  struct Case {
    std::string_view text;
    std::string expected;  // or a part of the error
  };
  const Case cases[] = {
      {"TCP/80", "TCP/80"},
      {"udp/dns", "UDP/dns"},
      {"80", "TCP/80"},
      {"6", "TCP/6"},
      {"http", "TCP/http"},
      {"ICMP", "ICMP"},
      {"sctp/7", "SCTP/7"},
      {"TCP", "needs a port"},
      {"ICMP/8", "has no ports"},
      {"TCP/", "needs a port"},
      {"FOO/80", "is not one of TCP, UDP, SCTP, ICMP"},
      {"TCP/80:90", "is a range"},
      {"TCP/70000", "70000"},
      {"TCP/0", "0"},
  };
  for (const Case& c : cases) {
    const auto target = Target::parse(c.text);
    if (target.ok()) {
      EXPECT_EQ(target->to_string(), c.expected);
    } else {
      EXPECT_THAT(target.error().message, HasSubstr(c.expected)) << c.text;
    }
  }
}

TEST(Matrix, AsksEveryPairOnce) {
  const World world = world_of(concat(kPods, kDatabasePolicy));
  const Cluster cluster(world);
  const auto matrix = ask_matrix(cluster, {}, {*IpAddress::parse("192.0.2.1")});
  ASSERT_TRUE(matrix.ok());
  std::map<std::string, std::string> answers;
  for (const Answered& each : matrix->answers) {
    answers[concat(each.from, " ", each.to, " ", each.target.to_string())] =
        each.verdict.answer == Answer::kAllow ? "." : "X";
  }
  EXPECT_EQ(matrix->answers.size(), 12u) << "four ends to three others each, one port";
  EXPECT_EQ(answers.at("192.0.2.1 shop/db TCP/8080"), "X");
  EXPECT_EQ(answers.at("shop/web shop/db TCP/8080"), ".");
  EXPECT_EQ(answers.at("office/desk shop/db TCP/8080"), "X");
  EXPECT_EQ(answers.at("shop/db 192.0.2.1 TCP/8080"), ".");
}

TEST(World, KeepsWhatSaysSomethingAboutPolicy) {
  const World world = world_of(
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"
      "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: a}\n"
      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\nstatus: {podIP: 10.0.0.1}\n");
  EXPECT_EQ(world.find<model::Namespace>("", "a")->metadata.labels.get("kubernetes.io/metadata.name"), "a");
  EXPECT_FALSE(world.find<model::Pod>("a", "p")->spec.node_name.empty()) << "else it would have no endpoint";
  World empty;
  json::Value wrong;
  wrong["metadata"]["name"] = 7;
  EXPECT_FALSE(empty.add(model::Kind::kNamespace, wrong).empty());
  EXPECT_THAT(empty.all<model::Namespace>(), IsEmpty());
}

TEST(Cluster, TellsWhatCouldNotBeUsed) {
  const World world = world_of(concat(kPods, R"(---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: names}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress: [{action: Accept, to: [{domainNames: [example.com]}]}]
)"));
  const Cluster cluster(world);
  ASSERT_EQ(cluster.notes().size(), 1u);
  EXPECT_EQ(cluster.notes()[0].object.kind, model::Kind::kClusterNetworkPolicy);
  EXPECT_EQ(cluster.notes()[0].error.path, "spec.egress[0].to[0].domainNames");
}

}  // namespace
}  // namespace margay::policy
