#include "policy/calc/rule_compiler.h"

#include <gtest/gtest.h>

#include <string>

#include "base/core/text.h"
#include "policy/calc/endpoint_selector.h"
#include "policy/calc/policy_source.h"
#include "policy/calc/test_world.h"

namespace margay::policy {
namespace {

// One ingress rule of a policy of this namespace, "" for a global one.
CompiledRules compiled(const std::string& rule, const std::string& name_space) {
  const std::string head = name_space.empty()
                               ? "kind: GlobalNetworkPolicy\nmetadata: {name: p}\n"
                               : concat("kind: NetworkPolicy\nmetadata: {name: p, namespace: ", name_space, "}\n");
  const Input input =
      test::object(concat("apiVersion: projectcalico.org/v3\n", head, "spec: {ingress: [", rule, "]}\n"));
  const PolicySource source = policy_source_of(input.value);
  return compile_rules(source.spec->ingress, source.spec->egress, name_space);
}

std::string text_of(const SetSource& source) {
  if (const auto* selector = std::get_if<SelectorSource>(&source)) return selector->selector.canonical();
  if (const auto* port = std::get_if<NamedPortSource>(&source)) {
    return concat(port->protocol.to_string(), " ", port->port_name, " of ", port->selector.canonical());
  }
  if (const auto* nodes = std::get_if<NodesSource>(&source)) return concat("nodes ", nodes->selector.canonical());
  const auto& service = std::get<ServiceSource>(source);
  return concat("service ", service.name_space, "/", service.name, service.with_ports ? " with ports" : "");
}

// "sets[…] notSets[…] ports[80] portSets[…] …": what is given, sets by what they contain.
std::string text_of(const RuleEnd& end, const std::map<IpSetId, SetSource>& sources) {
  std::string out;
  const auto add_sets = [&](std::string_view name, const std::vector<IpSetId>& sets) {
    for (const IpSetId& id : sets) out.append(concat(out.empty() ? "" : " ", name, "[", text_of(sources.at(id)), "]"));
  };
  const auto add_ports = [&](std::string_view name, const std::vector<PortRange>& ports) {
    for (const PortRange& port : ports) out.append(concat(out.empty() ? "" : " ", name, "[", port.to_string(), "]"));
  };
  for (const IpPrefix& net : end.nets) out.append(concat(out.empty() ? "" : " ", "net[", net.to_string(), "]"));
  for (const IpPrefix& net : end.not_nets) out.append(concat(out.empty() ? "" : " ", "notNet[", net.to_string(), "]"));
  add_sets("set", end.sets);
  add_sets("notSet", end.not_sets);
  add_ports("port", end.ports);
  add_sets("portSet", end.port_sets);
  add_ports("notPort", end.not_ports);
  add_sets("notPortSet", end.not_port_sets);
  add_sets("serviceSet", end.service_sets);
  return out;
}

struct EndRow {
  const char* source;      // of an ingress rule with protocol TCP
  const char* name_space;  // of the policy
  const char* expected;
};

TEST(RuleCompiler, OneEndOfARule) {
  const EndRow rows[] = {
      {"{}", "web", ""},
      {"{}", "", ""},
      // Which endpoints
      {"{selector: 'a == \"b\"'}", "", "set[a == \"b\"]"},
      {"{selector: 'a == \"b\"'}", "web", "set[(projectcalico.org/namespace == \"web\" && a == \"b\")]"},
      {"{selector: all()}", "web", "set[(projectcalico.org/namespace == \"web\" && all())]"},
      {"{selector: all()}", "", "set[all()]"},
      {"{notSelector: has(a)}", "", "notSet[has(a)]"},
      {"{notSelector: has(a)}", "web", "set[(projectcalico.org/namespace == \"web\" && !has(a))]"},
      {"{selector: has(b), notSelector: has(a)}", "", "set[(has(b) && !has(a))]"},
      {"{selector: has(b), notSelector: '!has(a)'}", "", "set[(has(b) && has(a))]"},
      // Where
      {"{namespaceSelector: 'x == \"y\"'}", "web", "set[pcns.x == \"y\"]"},
      {"{namespaceSelector: 'x == \"y\"', selector: has(a)}", "web", "set[(pcns.x == \"y\" && has(a))]"},
      {"{namespaceSelector: all()}", "web", "set[has(projectcalico.org/namespace)]"},
      {"{namespaceSelector: all()}", "", "set[has(projectcalico.org/namespace)]"},
      {"{namespaceSelector: '!all()'}", "", "set[!has(projectcalico.org/namespace)]"},
      {"{namespaceSelector: global()}", "web", "set[!has(projectcalico.org/namespace)]"},
      {"{namespaceSelector: global(), selector: has(a)}", "web", "set[(!has(projectcalico.org/namespace) && has(a))]"},
      {"{namespaceSelector: 'x != \"y\"', notSelector: has(a)}", "web", "set[(pcns.x != \"y\" && !has(a))]"},
      // Service accounts
      {"{serviceAccounts: {names: [b, a, b]}}", "", "set[projectcalico.org/serviceaccount in {\"a\", \"b\"}]"},
      {"{serviceAccounts: {names: [a]}}", "web",
       "set[(projectcalico.org/namespace == \"web\" && projectcalico.org/serviceaccount in {\"a\"})]"},
      {"{serviceAccounts: {selector: has(r)}}", "", "set[has(pcsa.r)]"},
      {"{serviceAccounts: {names: [a], selector: has(r)}, selector: has(b)}", "",
       "set[((has(pcsa.r) && projectcalico.org/serviceaccount in {\"a\"}) && has(b))]"},
      // Nets say nothing about namespaces.
      {"{nets: [10.0.0.0/8], notNets: [10.1.0.0/16]}", "web", "net[10.0.0.0/8] notNet[10.1.0.0/16]"},
      {"{nets: ['2001:db8::/32'], selector: has(a)}", "", "net[2001:db8::/32] set[has(a)]"},
      // Ports
      {"{ports: [80, '8000:8100']}", "web", "port[80] port[8000:8100]"},
      {"{ports: [http]}", "web", "portSet[TCP http of all()]"},
      {"{ports: [80, http], selector: has(a)}", "", "set[has(a)] port[80] portSet[TCP http of has(a)]"},
      {"{ports: [http, metrics], selector: has(a)}", "", "portSet[TCP http of has(a)] portSet[TCP metrics of has(a)]"},
      {"{notPorts: [http], selector: has(a)}", "", "set[has(a)] notPortSet[TCP http of has(a)]"},
      {"{notPorts: [http, 80]}", "", "notPort[80] notPortSet[TCP http of all()]"},
      // Services, where packets come from: addresses alone.
      {"{services: {name: s}}", "web", "set[service web/s]"},
      {"{services: {name: s, namespace: other}}", "web", "set[service other/s]"},
      {"{services: {name: s, namespace: other}}", "", "set[service other/s]"},
  };
  for (const EndRow& row : rows) {
    const CompiledRules result =
        compiled(concat("{action: Allow, protocol: TCP, source: ", row.source, "}"), row.name_space);
    ASSERT_EQ(result.rules.ingress.size(), 1U) << row.source;
    EXPECT_TRUE(result.errors.empty()) << row.source << ": " << to_string(result.errors);
    EXPECT_EQ(text_of(result.rules.ingress[0].source, result.sets), row.expected) << row.source;
    EXPECT_TRUE(result.rules.ingress[0].destination.empty());
  }
}

// Nodes are no endpoints: a selector that demands one picks nothing else, whatever labels pods carry.
TEST(RuleCompiler, NodesAreSetsOfTheirOwn) {
  const EndRow rows[] = {
      {"{selector: 'projectcalico.org/kind == \"Node\"'}", "", "set[nodes projectcalico.org/kind == \"Node\"]"},
      {"{selector: 'projectcalico.org/kind == \"Node\" && a == \"b\"', ports: [80]}", "",
       "set[nodes (projectcalico.org/kind == \"Node\" && a == \"b\")] port[80]"},
      {"{selector: 'projectcalico.org/kind == \"Node\"', ports: [http]}", "",
       "set[nodes projectcalico.org/kind == \"Node\"] portSet[TCP http of projectcalico.org/kind == \"Node\"]"},
      {"{selector: 'projectcalico.org/kind == \"Node\"'}", "web",
       "set[nodes (projectcalico.org/namespace == \"web\" && projectcalico.org/kind == \"Node\")]"},
      {"{selector: 'projectcalico.org/kind == \"Node\" || a == \"b\"'}", "",
       "set[(projectcalico.org/kind == \"Node\" || a == \"b\")]"},
      {"{selector: 'projectcalico.org/kind == \"Pod\"'}", "", "set[projectcalico.org/kind == \"Pod\"]"},
  };
  for (const EndRow& row : rows) {
    const CompiledRules out =
        compiled(concat("{action: Allow, protocol: TCP, source: ", row.source, "}"), row.name_space);
    ASSERT_EQ(to_string(out.errors), "") << row.source;
    EXPECT_EQ(text_of(out.rules.ingress.at(0).source, out.sets), row.expected) << row.source;
  }
}

TEST(RuleCompiler, ServicesAsDestinationBringTheirPorts) {
  const Input input = test::object(R"(
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: web}
spec: {types: [Egress], egress: [{action: Allow, destination: {services: {name: dns, namespace: kube-system}}}]}
)");
  const CompiledPolicy policy = compile_policy(policy_source_of(input.value));
  ASSERT_EQ(policy.rules.rules.egress.size(), 1U);
  EXPECT_EQ(text_of(policy.rules.rules.egress[0].destination, policy.rules.sets),
            "serviceSet[service kube-system/dns with ports]");
}

TEST(RuleCompiler, NamedPortsTakeTheRulesProtocolElseTcp) {
  const struct {
    const char* protocol;
    const char* expected;
  } rows[] = {{"", "TCP"},
              {"protocol: TCP,", "TCP"},
              {"protocol: UDP,", "UDP"},
              {"protocol: SCTP,", "SCTP"},
              {"protocol: 17,", "UDP"}};
  for (const auto& row : rows) {
    const CompiledRules result = compiled(concat("{action: Allow, ", row.protocol, " destination: {ports: [p]}}"), "");
    EXPECT_TRUE(result.errors.empty()) << row.protocol;
    EXPECT_EQ(text_of(result.rules.ingress.at(0).destination, result.sets),
              concat("portSet[", row.expected, " p of all()]"));
  }
}

TEST(RuleCompiler, WhatCannotBeUsedIsNamedWithItsField) {
  const struct {
    const char* rule;
    const char* path;
  } rows[] = {
      {"{action: Allow, source: {selector: 'a = b'}}", "spec.ingress[0].source.selector"},
      {"{action: Allow, destination: {notSelector: 'has('}}", "spec.ingress[0].destination.notSelector"},
      {"{action: Allow, source: {namespaceSelector: '&&'}}", "spec.ingress[0].source.namespaceSelector"},
      {"{action: Deny, source: {serviceAccounts: {selector: 'x'}}}", "spec.ingress[0].source.serviceAccounts.selector"},
      {"{action: Allow, destination: {ports: [80]}}", "spec.ingress[0].destination.ports"},
      {"{action: Allow, protocol: ICMP, destination: {ports: [http]}}", "spec.ingress[0].destination.ports"},
      {"{action: Allow, source: {notPorts: [80]}}", "spec.ingress[0].source.notPorts"},
      {"{action: Allow, source: {services: {name: s}}}", "spec.ingress[0].source.services.namespace"},
  };
  for (const auto& row : rows) {
    const CompiledRules result = compiled(row.rule, "");
    ASSERT_EQ(result.errors.size(), 1U) << row.rule;
    EXPECT_EQ(result.errors[0].path, row.path);
    EXPECT_FALSE(result.errors[0].message.empty());
  }
}

TEST(RuleCompiler, RulesWithHttpFailClosed) {
  for (const char* action : {"Allow", "Pass", "Log"}) {
    const CompiledRules result = compiled(
        concat("{action: ", action, ", http: {methods: [GET]}, source: {selector: has(a)}}, {action: Deny}"), "");
    ASSERT_EQ(result.rules.ingress.size(), 1U) << action;
    EXPECT_EQ(result.rules.ingress[0].index, 1U) << "places stay those of the object";
    EXPECT_TRUE(result.sets.empty()) << "nobody needs the set of a rule that is left out";
    ASSERT_EQ(result.left_out.size(), 1U);
    EXPECT_EQ(result.left_out[0].path, "spec.ingress[0].http");
  }
  const CompiledRules deny = compiled("{action: Deny, http: {methods: [GET]}, source: {selector: has(a)}}", "");
  ASSERT_EQ(deny.rules.ingress.size(), 1U);
  EXPECT_EQ(text_of(deny.rules.ingress[0].source, deny.sets), "set[has(a)]");
}

TEST(RuleCompiler, TheRestIsAsTheUserWroteIt) {
  const CompiledRules result = compiled(
      "{action: Log, ipVersion: 6, protocol: ICMPv6, notProtocol: UDP, icmp: {type: 1, code: 2}, notICMP: {type: 3}, "
      "metadata: {annotations: {why: so}}}",
      "");
  const Rule& rule = result.rules.ingress.at(0);
  EXPECT_EQ(rule.action, model::RuleAction::kLog);
  EXPECT_EQ(rule.ip_version, IpFamily::kV6);
  EXPECT_EQ(rule.protocol, model::kProtocolIcmpV6);
  EXPECT_EQ(rule.not_protocol, model::kProtocolUdp);
  EXPECT_EQ(rule.icmp, (model::IcmpMatch{.type = 1, .code = 2}));
  EXPECT_EQ(rule.not_icmp, (model::IcmpMatch{.type = 3, .code = {}}));
  EXPECT_EQ(rule.annotations.get("why"), "so");
}

TEST(PolicyHead, WhoAPolicyIsFor) {
  const struct {
    const char* text;  // kind, metadata, spec
    const char* expected;
  } rows[] = {
      {"kind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {}", "all()"},
      {"kind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {selector: has(a)}", "has(a)"},
      {"kind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {selector: has(a), namespaceSelector: 'x == \"y\"'}",
       "(has(a) && pcns.x == \"y\")"},
      {"kind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {namespaceSelector: all()}",
       "has(projectcalico.org/namespace)"},
      {"kind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {serviceAccountSelector: has(r)}", "has(pcsa.r)"},
      {"kind: GlobalNetworkPolicy\nmetadata: {name: p}\nspec: {serviceAccountSelector: all()}",
       "has(projectcalico.org/serviceaccount)"},
      {"kind: NetworkPolicy\nmetadata: {name: p, namespace: web}\nspec: {}", "projectcalico.org/namespace == \"web\""},
      {"kind: NetworkPolicy\nmetadata: {name: p, namespace: web}\nspec: {selector: has(a)}",
       "(has(a) && projectcalico.org/namespace == \"web\")"},
      {"kind: StagedNetworkPolicy\nmetadata: {name: p, namespace: web}\nspec: {selector: has(a), "
       "serviceAccountSelector: has(r)}",
       "((has(a) && projectcalico.org/namespace == \"web\") && has(pcsa.r))"},
  };
  for (const auto& row : rows) {
    const Input input = test::object(concat("apiVersion: projectcalico.org/v3\n", row.text));
    const CompiledPolicy policy = compile_policy(policy_source_of(input.value));
    EXPECT_EQ(policy.head.selector, row.expected) << row.text;
    EXPECT_TRUE(policy.rules.errors.empty()) << to_string(policy.rules.errors);
    EXPECT_TRUE(selector::Selector::parse(policy.head.selector, kJoinedLimits).ok());
  }
}

TEST(PolicyHead, TypesThatAreNotGivenFollowTheRules) {
  const model::Rule rule;
  const struct {
    std::vector<model::PolicyType> types;
    bool has_ingress;
    bool has_egress;
    bool pre_dnat;
    const char* expected;
  } rows[] = {
      {{}, false, false, false, "i"},
      {{}, true, false, false, "i"},
      {{}, false, true, false, "e"},
      {{}, true, true, false, "ie"},
      {{model::PolicyType::kEgress}, true, false, false, "e"},
      {{model::PolicyType::kIngress, model::PolicyType::kEgress}, false, false, false, "ie"},
      {{}, true, true, true, "i"},
  };
  for (const auto& row : rows) {
    model::PolicySpec spec;
    spec.types = row.types;
    if (row.has_ingress) spec.ingress = {rule};
    if (row.has_egress) spec.egress = {rule};
    spec.pre_dnat = row.pre_dnat;
    const PolicyDirections directions = directions_of(spec);
    EXPECT_EQ(concat(directions.ingress ? "i" : "", directions.egress ? "e" : ""), row.expected);
  }
}

TEST(PolicySource, OnlyStagedPoliciesThatSetSomethingAreCalculated) {
  for (const char* action : {"Set", "Delete", "Learn", "Ignore"}) {
    const Input input = test::object(
        concat("apiVersion: projectcalico.org/v3\nkind: StagedGlobalNetworkPolicy\nmetadata: {name: p}\nspec: "
               "{stagedAction: ",
               action, "}"));
    const PolicySource source = policy_source_of(input.value);
    EXPECT_EQ(source.spec != nullptr, std::string_view(action) == "Set") << action;
    if (source.spec != nullptr) {
      EXPECT_TRUE(source.is_staged);
    }
  }
}

}  // namespace
}  // namespace margay::policy
