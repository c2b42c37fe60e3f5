#include "policy/calc/closed_policy.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "base/core/text.h"
#include "policy/calc/test_world.h"

namespace margay::policy {
namespace {

CompiledPolicy closed_from(std::string_view kind, std::string_view spec) {
  const std::string_view space = kind == "NetworkPolicy" ? ", namespace: web" : "";
  const Input input = test::object(
      concat("apiVersion: projectcalico.org/v3\nkind: ", kind, "\nmetadata: {name: p", space, "}\nspec: ", spec, "\n"));
  return compile_policy(policy_source_of(input.value));
}

// "Deny1* Allow5": action and place; "*": of everything.
std::string rules_text(const std::vector<Rule>& rules) {
  std::string out;
  for (const Rule& rule : rules) {
    Rule all;
    all.action = rule.action;
    all.index = rule.index;
    out += concat(out.empty() ? "" : " ", model::to_string(rule.action), rule.index, rule == all ? "*" : "");
  }
  return out;
}

// Whom it is for, in which directions, where.
std::string head_text(const PolicyHead& head) {
  return concat(head.selector, head.has_ingress ? " in" : "", head.has_egress ? " out" : "",
                head.order == std::numeric_limits<double>::lowest() ? " first" : "");
}

TEST(ClosedPolicy, ARuleThatCannotBeReadAllowsNothingOrDeniesEverything) {
  const CompiledPolicy policy = closed_from("NetworkPolicy", R"(
  selector: app == 'a'
  order: 7
  types: [Ingress]
  ingress:
  - {action: Allow, source: {nets: [10.0.0.0/8, 010.1.0.0/16]}}
  - {action: Deny, source: {nets: [10.0.0.0/8, 010.1.0.0/16]}}
  - {action: Pass, source: {selector: 'a = b'}}
  - {action: Log, source: {selector: 'a = b'}}
  - {action: Allwo, source: {nets: [10.0.0.0/8]}}
  - {action: Allow, source: {nets: [10.0.0.0/8], selector: has(x)}}
  - {action: Deny, protocol: TCP, destination: {ports: [seventy thousand]}}
  - all
  - {action: Deny, destination: {ports: [80]}}
  - {action: Deny, source: {nets: [10.0.0.0/8]}})");
  EXPECT_EQ(rules_text(policy.rules.rules.ingress), "Deny1* Deny2* Deny4* Allow5 Deny6* Deny7* Deny8* Deny9");
  EXPECT_EQ(head_text(policy.head), R"((app == "a" && projectcalico.org/namespace == "web") in)");
  EXPECT_EQ(policy.head.order, 7);
  EXPECT_EQ(policy.rules.sets.size(), 1U) << "only the rule that is left as it is needs one";
  ASSERT_EQ(policy.rules.errors.size(), 9U) << to_string(policy.rules.errors);
  EXPECT_EQ(policy.rules.errors.back().path, "spec");
}

TEST(ClosedPolicy, OfWhatCannotBeReadTheWidestIsMeantAndNothingIsAllowed) {
  constexpr const char* kWeb = R"(projectcalico.org/namespace == "web")";
  constexpr const char* kPods = "has(projectcalico.org/namespace)";
  const struct {
    const char* kind;
    const char* spec;  // without rules
    std::string head;
  } rows[] = {
      {"NetworkPolicy", "selector: app = 'a', types: [Ingress]", concat(kWeb, " in")},
      {"NetworkPolicy", "selector: 5, types: [Egress]", concat(kWeb, " out")},
      {"NetworkPolicy", "selector: has(a), types: [Forward]", concat("(has(a) && ", kWeb, ") in out")},
      {"NetworkPolicy", "selector: has(a), types: all", concat("(has(a) && ", kWeb, ") in out")},
      {"NetworkPolicy", "selector: has(a), types: [Ingress], order: first", concat("(has(a) && ", kWeb, ") in first")},
      {"NetworkPolicy", "selector: has(a), types: [Ingress], tier: [x]", concat("(has(a) && ", kWeb, ") in first")},
      {"NetworkPolicy", "serviceAccountSelector: '(', selector: has(a), types: [Ingress]",
       concat("(has(a) && ", kWeb, ") in")},
      {"GlobalNetworkPolicy", "selector: app = 'a', types: [Ingress]", concat(kPods, " in")},
      {"GlobalNetworkPolicy", "selector: has(a), namespaceSelector: '(', types: [Ingress]",
       concat("(has(a) && ", kPods, ") in")},
      {"GlobalNetworkPolicy", "selector: '(', namespaceSelector: has(b), types: [Ingress]", "has(pcns.b) in"},
      {"GlobalNetworkPolicy", "serviceAccountSelector: '(', types: [Ingress]", concat(kPods, " in")},
  };
  for (const auto& row : rows) {
    const CompiledPolicy policy = closed_from(
        row.kind, concat("{", row.spec,
                         ", ingress: [{action: Allow}, {action: Deny, protocol: TCP}, {action: Pass, protocol: "
                         "UDP}, {action: Log}, {action: Allow, protocol: Q!}], egress: [{action: Allow}]}"));
    EXPECT_EQ(head_text(policy.head), row.head) << row.spec;
    EXPECT_EQ(rules_text(policy.rules.rules.ingress), "Deny1 Deny2 Log3*") << row.spec;
    EXPECT_EQ(rules_text(policy.rules.rules.egress), "") << row.spec;
    EXPECT_EQ(policy.rules.rules.ingress.at(1).protocol, model::kProtocolUdp) << row.spec;
  }
}

TEST(ClosedPolicy, NothingThatCanBeReadDeniesInBothDirections) {
  EXPECT_EQ(head_text(closed_from("NetworkPolicy", "none").head),
            R"(projectcalico.org/namespace == "web" in out first)");
  EXPECT_EQ(head_text(closed_from("GlobalNetworkPolicy", "[a]").head), "has(projectcalico.org/namespace) in out first");
  const CompiledPolicy lists = closed_from("NetworkPolicy", "{selector: has(a), types: [Ingress], ingress: all}");
  EXPECT_TRUE(lists.head.has_ingress && lists.head.has_egress);
  EXPECT_TRUE(lists.rules.rules.ingress.empty());
}

TEST(ClosedPolicy, WhatHasBeenReadTwiceOrDoesNotMatterChangesNothing) {
  for (const char* spec : {"types: [Ingress, Ingress]", "types: [Ingress], performanceHints: [Hurry]"}) {
    const CompiledPolicy policy =
        closed_from("GlobalNetworkPolicy", concat("{", spec, ", ingress: [{action: Allow}]}"));
    EXPECT_EQ(head_text(policy.head), "all() in") << spec;
    EXPECT_EQ(rules_text(policy.rules.rules.ingress), "Allow0*") << spec;
    EXPECT_FALSE(policy.rules.errors.empty()) << spec;
  }
}

TEST(ClosedPolicy, HowAHostsPolicyActsIsReadTheClosedWay) {
  const CompiledPolicy forward = closed_from("GlobalNetworkPolicy", "{preDNAT: true, ingress: [{action: Allow}]}");
  EXPECT_TRUE(forward.head.pre_dnat && forward.head.apply_on_forward);
  EXPECT_EQ(head_text(forward.head), "all() in");
  EXPECT_EQ(rules_text(forward.rules.rules.ingress), "");
  const CompiledPolicy both =
      closed_from("GlobalNetworkPolicy", "{preDNAT: true, doNotTrack: true, applyOnForward: true, types: [Ingress]}");
  EXPECT_TRUE(both.head.do_not_track && !both.head.pre_dnat);
  EXPECT_EQ(head_text(both.head), "all() in out");
}

}  // namespace
}  // namespace margay::policy
