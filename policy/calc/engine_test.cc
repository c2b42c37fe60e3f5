#include "policy/calc/engine.h"

#include <gtest/gtest.h>

#include <string>

#include "base/core/text.h"
#include "policy/calc/test_world.h"

namespace margay::policy {
namespace {

using test::key;
using test::object;
using test::objects;

constexpr const char* kTwoEndpoints = R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: a, namespace: web, labels: {app: a}}
spec: {node: here, orchestrator: k8s, interfaceName: cali1, ipNetworks: [10.0.0.1/32], profiles: [kns.web],
  ports: [{name: http, protocol: TCP, port: 8080}]}
---
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: b, namespace: web, labels: {app: b}}
spec: {node: elsewhere, orchestrator: k8s, interfaceName: cali2, ipNetworks: [10.0.0.2/32], profiles: [kns.web]}
---
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: x}}
)";

class EngineTest : public testing::Test {
 protected:
  // Applies and flushes.
  void step(const std::string& yaml) {
    world_.apply(objects(yaml));
    flush();
  }
  void remove(std::string_view name) {
    world_.apply({test::absent(key(name))});
    flush();
  }
  void flush() { EXPECT_EQ(world_.flush(), ""); }

  const State& state() { return world_.state(); }
  const Endpoint& endpoint(std::string_view name) { return *state().endpoints().at(key(name)); }
  std::string normal(std::string_view name) { return test::text_of(endpoint(name).policy.normal); }
  std::string members(std::string_view id) {
    std::string out;
    for (const IpSetMember& member : state().ip_sets().at(IpSetId(id)).members()) {
      out.append(out.empty() ? "" : " ").append(member.to_string());
    }
    return out;
  }
  const FieldErrors& problems(std::string_view name) {
    static const FieldErrors kNone;
    const auto at = world_.engine().problems().find(key(name));
    return at == world_.engine().problems().end() ? kNone : at->second;
  }

  test::Checked<Engine> world_;
};

std::string policy(const std::string& name, const std::string& spec) {
  return concat("\n---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ", name,
                "}\nspec: ", spec, "\n");
}
std::string tier(const std::string& name, const std::string& spec) {
  return concat("\n---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ", name, "}\nspec: ", spec,
                "\n");
}

constexpr const char* kOurs = "WorkloadEndpoint/web/a";

TEST_F(EngineTest, OnlyWhatOurEndpointsNeedComesOut) {
  step(concat(kTwoEndpoints,
              policy("for-a",
                     "{selector: app == 'a', ingress: [{action: Allow, source: {selector: app == "
                     "'b'}}]}"),
              policy("for-b", "{selector: app == 'b', ingress: [{action: Allow, source: {selector: app == 'a'}}]}")));
  EXPECT_EQ(state().endpoints().size(), 1U);
  EXPECT_EQ(normal(kOurs), "default Deny: in GlobalNetworkPolicy//for-a; out ");
  EXPECT_EQ(state().policies().size(), 1U);
  EXPECT_EQ(state().profiles().size(), 1U);
  ASSERT_EQ(state().ip_sets().size(), 1U);
  EXPECT_EQ(state().ip_sets().begin()->second.members().at(0).to_string(), "10.0.0.2/32");
}

TEST_F(EngineTest, PodsAndNamespacesBecomeEndpointsAndProfiles) {
  step(R"(
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: web, labels: {app: a}}
spec: {nodeName: here, serviceAccountName: bot, containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}
status: {phase: Running, podIP: 10.0.0.9, podIPs: [{ip: 10.0.0.9}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: web, labels: {team: x}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot, namespace: web, labels: {role: r}}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: p}
spec: {selector: "projectcalico.org/orchestrator == 'k8s'", namespaceSelector: team == 'x', serviceAccountSelector: role == 'r'}
)");
  EXPECT_EQ(normal("Pod/web/p"), "default Deny: in GlobalNetworkPolicy//p; out ");
  EXPECT_FALSE(state().profiles().at("kns.web")->is_missing);
  remove("Namespace//web");
  EXPECT_TRUE(state().profiles().at("kns.web")->is_missing);
  EXPECT_EQ(normal("Pod/web/p"), "");
  remove("Pod/web/p");
  EXPECT_TRUE(state().endpoints().empty());
  EXPECT_TRUE(state().profiles().empty());
}

TEST_F(EngineTest, AProfileThatIsMissingIsGivenAsOneThatDenies) {
  step(R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: a, namespace: web}
spec: {node: here, interfaceName: cali1, profiles: [gone, projectcalico-default-allow]}
)");
  const Profile& gone = *state().profiles().at("gone");
  EXPECT_TRUE(gone.is_missing);
  EXPECT_TRUE(gone.rules.ingress.empty() && gone.rules.egress.empty());
  EXPECT_FALSE(state().profiles().at("projectcalico-default-allow")->is_missing) << "exists without an object";
  EXPECT_EQ(state().profiles().at("projectcalico-default-allow")->rules.ingress.size(), 1U);
}

TEST_F(EngineTest, TheTiersOfKubernetesExistWithoutObjects) {
  step(concat(kTwoEndpoints, policy("base", "{tier: kube-baseline, order: 1}"), policy("mid", "{order: 1}"),
              policy("admin", "{tier: kube-admin, order: 1}")));
  EXPECT_EQ(normal(kOurs),
            "kube-admin Pass: in GlobalNetworkPolicy//admin; out  | default Deny: in GlobalNetworkPolicy//mid; out  | "
            "kube-baseline Pass: in GlobalNetworkPolicy//base; out ");
  EXPECT_TRUE(world_.engine().problems().empty());
}

TEST_F(EngineTest, ATierThatIsMissingComesLastDeniesAndIsNamed) {
  step(concat(kTwoEndpoints, policy("lost", "{tier: nowhere, order: 1}"), tier("late", "{}"),
              policy("known", "{tier: late, order: 1}")));
  EXPECT_EQ(normal(kOurs),
            "late Deny: in GlobalNetworkPolicy//known; out  | nowhere Deny: in "
            "GlobalNetworkPolicy//lost; out ");
  ASSERT_EQ(problems("GlobalNetworkPolicy//lost").size(), 1U);
  EXPECT_EQ(problems("GlobalNetworkPolicy//lost")[0].path, "spec.tier");
  step(tier("nowhere", "{order: 1, defaultAction: Pass}"));
  EXPECT_EQ(normal(kOurs),
            "nowhere Pass: in GlobalNetworkPolicy//lost; out  | late Deny: in "
            "GlobalNetworkPolicy//known; out ");
  EXPECT_TRUE(world_.engine().problems().empty());
  remove("Tier//nowhere");
  EXPECT_EQ(problems("GlobalNetworkPolicy//lost").size(), 1U);
}

TEST_F(EngineTest, TypesPutAPolicyIntoOneDirectionOrBoth) {
  step(concat(kTwoEndpoints, policy("in", "{order: 1}"), policy("out", "{order: 2, types: [Egress]}"),
              policy("both", "{order: 3, types: [Ingress, Egress]}")));
  EXPECT_EQ(normal(kOurs),
            "default Deny: in GlobalNetworkPolicy//in, GlobalNetworkPolicy//both; out "
            "GlobalNetworkPolicy//out, GlobalNetworkPolicy//both");
}

TEST_F(EngineTest, HostEndpointsHaveFourKindsOfPolicyAndWorkloadsOne) {
  step(concat(kTwoEndpoints, R"(
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: h}
spec: {node: here, interfaceName: eth0, expectedIPs: [192.0.2.1]}
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: other}
spec: {node: elsewhere, interfaceName: eth0, expectedIPs: [192.0.2.2]}
)",
              policy("n", "{order: 1}"), policy("f", "{order: 2, applyOnForward: true}"),
              policy("u", "{order: 3, applyOnForward: true, doNotTrack: true, types: [Ingress, Egress]}"),
              policy("d", "{order: 4, applyOnForward: true, preDNAT: true}")));
  const EndpointPolicy& host = endpoint("HostEndpoint//h").policy;
  EXPECT_EQ(test::text_of(host.normal), "default Deny: in GlobalNetworkPolicy//n, GlobalNetworkPolicy//f; out ");
  EXPECT_EQ(test::text_of(host.forward), "default Deny: in GlobalNetworkPolicy//f; out ");
  EXPECT_EQ(test::text_of(host.untracked), "default Deny: in GlobalNetworkPolicy//u; out GlobalNetworkPolicy//u");
  EXPECT_EQ(test::text_of(host.pre_dnat), "default Deny: in GlobalNetworkPolicy//d; out ");
  const EndpointPolicy& workload = endpoint(kOurs).policy;
  EXPECT_EQ(test::text_of(workload.normal), "default Deny: in GlobalNetworkPolicy//n, GlobalNetworkPolicy//f; out ");
  EXPECT_TRUE(workload.forward.empty() && workload.untracked.empty() && workload.pre_dnat.empty());
  EXPECT_FALSE(state().endpoints().contains(key("HostEndpoint//other")));
}

TEST_F(EngineTest, StagedPoliciesAreMarkedInTheirPlace) {
  step(concat(kTwoEndpoints, policy("a", "{order: 1}"), policy("c", "{order: 3}"), R"(
---
apiVersion: projectcalico.org/v3
kind: StagedGlobalNetworkPolicy
metadata: {name: b}
spec: {order: 2, stagedAction: Set, ingress: [{action: Deny}]}
---
apiVersion: projectcalico.org/v3
kind: StagedGlobalNetworkPolicy
metadata: {name: gone}
spec: {stagedAction: Delete}
)"));
  EXPECT_EQ(normal(kOurs),
            "default Deny: in GlobalNetworkPolicy//a, ~StagedGlobalNetworkPolicy//b, "
            "GlobalNetworkPolicy//c; out ");
  EXPECT_TRUE(state().policies().at(key("StagedGlobalNetworkPolicy//b"))->is_staged);
  EXPECT_FALSE(state().policies().contains(key("StagedGlobalNetworkPolicy//gone")));
}

TEST_F(EngineTest, APolicyForEveryNodeIsHereWithoutAnEndpoint) {
  step(policy("everywhere", "{selector: has(nothing), performanceHints: [AssumeNeededOnEveryNode]}"));
  EXPECT_TRUE(state().policies().contains(key("GlobalNetworkPolicy//everywhere")));
  step(policy("everywhere", "{selector: has(nothing)}"));
  EXPECT_TRUE(state().policies().empty());
}

TEST_F(EngineTest, APolicyThatCannotBeReadIsClosedUntilItIsPutRight) {
  const std::string good =
      policy("p", "{selector: app == 'a', ingress: [{action: Allow, source: {selector: x == 'y'}}]}");
  const auto rules = [this] { return state().policies().at(key("GlobalNetworkPolicy//p"))->rules->ingress.size(); };
  step(concat(kTwoEndpoints, good));
  ASSERT_EQ(rules(), 1U);
  step(policy("p", "{selector: app = 'a', ingress: [{action: Allow, source: {selector: x == 'y'}}]}"));
  EXPECT_EQ(normal(kOurs), "default Deny: in GlobalNetworkPolicy//p; out ");
  EXPECT_EQ(rules(), 0U);
  EXPECT_TRUE(state().ip_sets().empty());
  ASSERT_EQ(problems("GlobalNetworkPolicy//p").size(), 2U);
  EXPECT_EQ(problems("GlobalNetworkPolicy//p")[0].path, "spec.selector");
  step(policy("p", "{selector: app == 'a', ingress: [{action: Allow, source: {selector: '('}}]}"));
  EXPECT_EQ(normal(kOurs), "default Deny: in GlobalNetworkPolicy//p; out ");
  EXPECT_EQ(rules(), 0U);
  EXPECT_EQ(problems("GlobalNetworkPolicy//p").at(0).path, "spec.ingress[0].source.selector");
  step(good);
  EXPECT_EQ(rules(), 1U);
  EXPECT_TRUE(world_.engine().problems().empty());
  step(policy("p", "{selector: '('}"));
  remove("GlobalNetworkPolicy//p");
  EXPECT_TRUE(world_.engine().problems().empty()) << "an object that is gone has no problems";
}

TEST_F(EngineTest, AProfileThatCannotBeUsedDenies) {
  const std::string good = R"(
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: p}
spec: {ingress: [{action: Allow}], labelsToApply: {x: y}}
)";
  step(concat(R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: a, namespace: web}
spec: {node: here, interfaceName: cali1, profiles: [p]}
---)",
              good));
  EXPECT_FALSE(state().profiles().at("p")->is_missing);
  step(R"(
apiVersion: projectcalico.org/v3
kind: Profile
metadata: {name: p}
spec: {ingress: [{action: Allow, source: {selector: '('}}]}
)");
  EXPECT_TRUE(state().profiles().at("p")->is_missing);
  EXPECT_EQ(problems("Profile//p").at(0).path, "spec.ingress[0].source.selector");
  step(good);
  EXPECT_FALSE(state().profiles().at("p")->is_missing);
  EXPECT_TRUE(world_.engine().problems().empty());
}

TEST_F(EngineTest, AnEndpointFollowsItsNode) {
  step(kTwoEndpoints);
  EXPECT_FALSE(state().endpoints().contains(key("WorkloadEndpoint/web/b")));
  step(R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: b, namespace: web}
spec: {node: here, interfaceName: cali2, ipNetworks: [10.0.0.2/32], profiles: [kns.web]}
---
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: a, namespace: web}
spec: {node: elsewhere, interfaceName: cali1, ipNetworks: [10.0.0.1/32], profiles: [kns.web]}
)");
  EXPECT_TRUE(state().endpoints().contains(key("WorkloadEndpoint/web/b")));
  EXPECT_FALSE(state().endpoints().contains(key(kOurs)));
}

TEST(Engine, WithoutANodeEveryEndpointIsOurs) {
  test::Checked<Engine> world(Engine::Options{.node = std::nullopt});
  world.apply(objects(kTwoEndpoints));
  EXPECT_EQ(world.flush(), "");
  EXPECT_EQ(world.state().endpoints().size(), 2U);
}

TEST(Engine, SaysWhenAllThatWasThereAtTheStartIsIn) {
  Engine engine({.node = std::string(test::kOurNode)});
  EXPECT_FALSE(engine.flush().is_in_sync);
  for (const Input& input : objects(kTwoEndpoints)) engine.apply(input);
  EXPECT_FALSE(engine.flush().is_in_sync);
  engine.mark_in_sync();
  EXPECT_TRUE(engine.flush().is_in_sync);
  EXPECT_TRUE(engine.flush().is_in_sync);
}

TEST(Engine, AnUpdateThatChangesNothingGivesAnEmptyDelta) {
  Engine engine({.node = std::string(test::kOurNode)});
  const std::string all =
      concat(kTwoEndpoints, policy("p",
                                   "{ingress: [{action: Allow, protocol: TCP, source: {selector: all()}, "
                                   "destination: {ports: [http]}}]}"));
  for (const Input& input : objects(all)) engine.apply(input);
  EXPECT_FALSE(engine.flush().empty());
  for (const Input& input : objects(all)) engine.apply(input);
  EXPECT_TRUE(engine.flush().empty());
  engine.apply(test::absent(key("GlobalNetworkPolicy//never-was")));
  engine.apply(test::absent(key("Pod/web/never-was")));
  engine.apply(test::absent(key("Namespace//never-was")));
  EXPECT_TRUE(engine.flush().empty());
}

// Removing what an endpoint has while it waits for something new must not take away what it still names.
TEST(NodeHalf, AnEndpointStaysAsItIsUntilAllThatItNamesIsHere) {
  NodeHalf node;
  const ObjectKey endpoint = key(kOurs);
  node.put_workload(endpoint, std::get<Shared<model::WorkloadEndpoint>>(object(R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: a, namespace: web}
spec: {node: here, interfaceName: cali1, profiles: [p]}
)")
                                                                            .value));
  NodeDemand demand = node.take_demand();
  EXPECT_EQ(demand.profiles_added, (std::set<std::string>{"p"}));
  EXPECT_TRUE(node.take().empty()) << "the profile is not here";

  const PolicyHead head{.tier = "default", .order = {}, .selector = "all()", .has_ingress = true};
  const ObjectKey first = key("GlobalNetworkPolicy//first");
  ClusterUpdate update;
  update.profiles["p"] = std::make_shared<const ProfileBody>();
  update.heads[first] = head;
  update.is_in_sync = true;
  node.apply(update);
  demand = node.take_demand();
  EXPECT_EQ(demand.policies_added, (std::set<ObjectKey>{first}));
  Delta delta = node.take();
  EXPECT_TRUE(delta.endpoints.empty()) << "the policy is not here";
  EXPECT_FALSE(delta.is_in_sync);

  update = {};
  update.policies[first] = std::make_shared<const RuleSet>();
  node.apply(update);
  delta = node.take();
  ASSERT_TRUE(delta.endpoints.contains(endpoint));
  EXPECT_TRUE(delta.policies.contains(first));
  EXPECT_TRUE(delta.is_in_sync);

  // Another takes its place; its rules are late.
  const ObjectKey second = key("GlobalNetworkPolicy//second");
  update = {};
  update.heads[first] = std::nullopt;
  update.heads[second] = head;
  node.apply(update);
  demand = node.take_demand();
  EXPECT_EQ(demand.policies_added, (std::set<ObjectKey>{second}));
  EXPECT_TRUE(demand.policies_removed.empty()) << "the endpoint outside still names it";
  EXPECT_TRUE(node.take().empty());

  update = {};
  update.policies[second] = std::make_shared<const RuleSet>();
  node.apply(update);
  demand = node.take_demand();
  EXPECT_EQ(demand.policies_removed, (std::set<ObjectKey>{first}));
  delta = node.take();
  EXPECT_EQ(delta.policies.at(first), nullptr);
  EXPECT_EQ(test::text_of(delta.endpoints.at(endpoint)->policy.normal),
            "default Deny: in GlobalNetworkPolicy//second; out ");
}

TEST(ClusterHalf, KeepsWhatIsDemandedUntilItIsGivenUp) {
  ClusterHalf cluster({});
  for (const Input& input : objects(policy("p", "{ingress: [{action: Allow, source: {selector: has(a)}}]}"))) {
    cluster.apply(input);
  }
  const ObjectKey name = key("GlobalNetworkPolicy//p");
  const SubscriberId one = cluster.subscribe();
  const SubscriberId two = cluster.subscribe();
  EXPECT_TRUE(cluster.take(one).heads.at(name).has_value());
  EXPECT_TRUE(cluster.take(one).empty()) << "said once";
  cluster.demand(one, {.policies_added = {name}, .policies_removed = {}, .profiles_added = {}, .profiles_removed = {}});
  ClusterUpdate update = cluster.take(one);
  EXPECT_NE(update.policies.at(name), nullptr);
  ASSERT_EQ(update.ip_sets.size(), 1U);
  EXPECT_EQ(update.ip_sets.begin()->second.what, IpSetDelta::What::kCreate);
  update = cluster.take(two);
  EXPECT_TRUE(update.policies.empty() && update.ip_sets.empty()) << "the other asked for nothing";
  EXPECT_EQ(update.heads.size(), 1U);

  cluster.apply(test::absent(name));
  update = cluster.take(one);
  EXPECT_FALSE(update.heads.at(name).has_value());
  EXPECT_TRUE(update.ip_sets.empty()) << "the rules are still in use there";
  cluster.demand(one, {.policies_added = {}, .policies_removed = {name}, .profiles_added = {}, .profiles_removed = {}});
  update = cluster.take(one);
  ASSERT_EQ(update.ip_sets.size(), 1U);
  EXPECT_EQ(update.ip_sets.begin()->second.what, IpSetDelta::What::kRemove);
  cluster.unsubscribe(two);
  cluster.unsubscribe(one);
}

TEST(ClusterHalf, ALaterSubscriberGetsSetsWhole) {
  ClusterHalf cluster({});
  for (const Input& input :
       objects(concat(kTwoEndpoints, policy("p", "{ingress: [{action: Allow, source: {selector: has(app)}}]}")))) {
    cluster.apply(input);
  }
  const NodeDemand demand{.policies_added = {key("GlobalNetworkPolicy//p")},
                          .policies_removed = {},
                          .profiles_added = {},
                          .profiles_removed = {}};
  const SubscriberId one = cluster.subscribe();
  cluster.demand(one, demand);
  const ClusterUpdate first = cluster.take(one);
  const SubscriberId two = cluster.subscribe();
  cluster.demand(two, demand);
  const ClusterUpdate second = cluster.take(two);
  ASSERT_EQ(second.ip_sets.size(), 1U);
  EXPECT_EQ(second.ip_sets, first.ip_sets);
  EXPECT_EQ(second.ip_sets.begin()->second.added.size(), 2U);
}

TEST(Exchange, WhatIsNoMessageIsRefused) {
  for (const char* text :
       {"null", "[]", "{\"heads\": []}", "{\"heads\": {\"Nothing//a\": null}}",
        "{\"heads\": {\"GlobalNetworkPolicy/a\": null}}", "{\"tiers\": {\"a\": {\"order\": \"1\"}}}",
        "{\"tiers\": {\"a\": {\"defaultAction\": \"Allow\"}}}", "{\"ipSets\": {\"s:a\": {\"what\": \"Made\"}}}",
        "{\"ipSets\": {\"s:a\": {\"added\": [\"10.0.0.1\"]}}}",
        "{\"ipSets\": {\"s:a\": {\"added\": [\"10.0.0.1/32 6\"]}}}",
        "{\"ipSets\": {\"s:a\": {\"added\": [\"10.0.0.1/32 256 1\"]}}}",
        "{\"policies\": {\"GlobalNetworkPolicy//a\": {\"ingress\": [{\"protocol\": 256}]}}}",
        "{\"policies\": {\"GlobalNetworkPolicy//a\": {\"ingress\": [{\"ipVersion\": 5}]}}}",
        "{\"policies\": {\"GlobalNetworkPolicy//a\": {\"ingress\": [{\"source\": {\"ports\": [\"9:1\"]}}]}}}",
        "{\"policies\": {\"GlobalNetworkPolicy//a\": {\"ingress\": [{\"action\": \"Alow\"}]}}}",
        "{\"profiles\": {\"a\": {\"labels\": {\"a\": 1}}}}", "{\"isInSync\": 1}"}) {
    EXPECT_FALSE(cluster_update_from_json(json::parse(text).value()).ok()) << text;
  }
  for (const char* text :
       {"7", "{\"policiesAdded\": {}}", "{\"policiesAdded\": [\"a\"]}", "{\"profilesRemoved\": [1]}"}) {
    EXPECT_FALSE(demand_from_json(json::parse(text).value()).ok()) << text;
  }
  EXPECT_TRUE(cluster_update_from_json(json::parse("{}").value()).ok());
  EXPECT_TRUE(demand_from_json(json::parse("{}").value()).ok());
}

}  // namespace
}  // namespace margay::policy
