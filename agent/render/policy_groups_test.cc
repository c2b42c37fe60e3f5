#include "agent/render/policy_groups.h"

#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::render {
namespace {

model::ObjectKey grouped_key(std::string name) { return {model::Kind::kNetworkPolicy, "ns", std::move(name)}; }

PolicyBook book(const std::vector<std::pair<std::string, std::string>>& selectors) {
  PolicyBook out;
  for (const auto& [name, selector] : selectors) {
    policy::Policy policy;
    policy.id = grouped_key(name);
    policy.selector = selector;
    out.policies[grouped_key(name)] = std::make_shared<const policy::Policy>(policy);
  }
  return out;
}

// "a", "(b c)"
std::string units_text(const std::vector<ChainSource>& units) {
  std::vector<std::string> out;
  for (const ChainSource& unit : units) {
    if (const auto* one = std::get_if<PolicySource>(&unit.what)) out.push_back(one->policy.name);
    if (const auto* group = std::get_if<GroupSource>(&unit.what)) {
      std::vector<std::string> names;
      for (const model::ObjectKey& policy : group->policies) names.push_back(policy.name);
      out.push_back(concat('(', join(names, " "), ')'));
    }
  }
  return join(out, " ");
}

TEST(PolicyGroups, NeighboursWithOneSelectorAreOneChain) {
  const PolicyBook all = book({{"a", "x"}, {"b", "x"}, {"c", "y"}, {"d", "x"}, {"e", "x"}});
  const std::vector<policy::PolicyRef> refs = {
      {grouped_key("a")}, {grouped_key("b")}, {grouped_key("c")}, {grouped_key("d")}, {grouped_key("e")}};
  EXPECT_EQ(units_text(policy_units(refs, Direction::kIngress, all)), "(a b) c (d e)");
}

TEST(PolicyGroups, StagedPoliciesAreNotThere) {
  const PolicyBook all = book({{"a", "x"}, {"s", "y"}, {"b", "x"}});
  const std::vector<policy::PolicyRef> refs = {{grouped_key("a")}, {grouped_key("s"), true}, {grouped_key("b")}};
  EXPECT_EQ(units_text(policy_units(refs, Direction::kEgress, all)), "(a b)");
  EXPECT_EQ(units_text(policy_units({{grouped_key("s"), true}}, Direction::kEgress, all)), "");
}

TEST(PolicyGroups, APolicyThatIsMissingStandsAlone) {
  const PolicyBook all = book({{"a", "x"}, {"b", "x"}});
  EXPECT_EQ(units_text(policy_units({{grouped_key("a")}, {grouped_key("gone")}, {grouped_key("b")}},
                                    Direction::kIngress, all)),
            "a gone b");
}

TEST(PolicyGroups, DecidedPacketsLeaveAfterEveryFifthPolicy) {
  FieldErrors problems;
  const Settings settings = settings_of({}, KernelFeatures{}, problems);
  GroupSource group;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g"}) group.policies.push_back(grouped_key(name));
  const auto rules = group_rules(group, Direction::kIngress, settings);
  ASSERT_EQ(rules.size(), 8U);
  const std::string first = policy_chain(Direction::kIngress, grouped_key("a"));
  EXPECT_EQ(rules[0].spec, concat("-j ", first)) << "a packet comes here undecided";
  EXPECT_EQ(rules[0].comment, "NetworkPolicy ns/a");
  EXPECT_TRUE(rules[1].spec.starts_with("-m mark --mark 0x0/0x30000 -j margay-pi-_"));
  EXPECT_EQ(rules[5].spec, "-m mark ! --mark 0x0/0x30000 -j RETURN");
  EXPECT_TRUE(rules[6].spec.starts_with("-j margay-pi-_"));
}

}  // namespace
}  // namespace margay::render
