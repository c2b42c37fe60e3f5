// Kubernetes' policies of all generations, whole truth tables: translated,
// calculated, evaluated.
#include <cstdio>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/policy_scenario.h"

namespace margay::conformance {
namespace {

class KubernetesScenario final : public Scenario {
  void read_world(const json::Value& world) override {
    for (const json::Member& one : *get(world, "namespaces").as_object()) {
      add_namespace(one.name, string_map(get(one.value, "labels")));
    }
    add_outsiders(get(world, "nodes"), "node/");
    add_outsiders(get(world, "externals"), "ext/");
    for (const json::Value& pod : *get(world, "pods").as_array()) {
      const std::string name_space(pod.string_at({"namespace"}));
      const std::string name(pod.string_at({"name"}));
      add_pod(pod, name_space, name, name_space + "/" + name);
    }
  }
  void read_policies(const json::Value& step) override {
    for (const json::Value& object : *get(step, "policies").as_array()) add_object(object);
  }
};

// Scenarios that differ, and why.
const std::map<std::string, std::string>& known_differences() {
  static const std::map<std::string, std::string> kKnown = {
      {"npguard/anp_and_banp_using_networks_with_ipv6_test",
       "a rule with networks of both families: the rules for "
       "projectcalico.org/v3 refuse it after translation"},
      {"npguard/anp_banp_test_multiple_warnings", "a network with bits after its length, and a nodes peer"},
      {"npguard/anp_test_named_ports_multiple_peers", "a named port without protocol is translated for TCP only"},
      {"tiers/anp-named-port", "a named port without protocol is translated for TCP only"},
      {"tiers/anp-named-port-egress", "a named port without protocol is translated for TCP only"},
      {"tiers/anp-nodes-all", "nodes peers are not supported: they fail closed"},
      {"tiers/anp-nodes-egress", "nodes peers are not supported: they fail closed"},
      {"random/05-cnp", "nodes peers are not supported: they fail closed"},
      {"random/10-anp", "nodes peers are not supported: they fail closed"},
      {"random/20-cnp", "nodes peers are not supported: they fail closed"},
      {"random/25-anp", "nodes peers are not supported: they fail closed"},
  };
  return kKnown;
}

class Netpol : public testing::TestWithParam<const char*> {};

TEST_P(Netpol, EveryCellIsAsExpected) {
  const auto data = load(std::string("netpol/") + GetParam() + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  ScenarioResult total;
  std::size_t scenarios = 0;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    const ScenarioResult one = KubernetesScenario().run(row, kNaiveStride);
    ++scenarios;
    total.add(one);
    const auto known = known_differences().find(std::string(row.string_at({"id"})));
    if (known == known_differences().end()) {
      for (const std::string& difference : one.differences) ADD_FAILURE() << difference;
    } else {
      EXPECT_FALSE(one.differences.empty()) << known->first << " is as expected now";
      std::printf("%s: not held to its rows: %s\n", known->first.c_str(), known->second.c_str());
    }
  }
  total.print(GetParam(), scenarios);
  EXPECT_GT(total.cells, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Suites, Netpol,
                         testing::Values("cyclonus", "e2e", "e2elegacy", "extra", "npguard", "random", "recipes",
                                         "tiers"),
                         [](const auto& suite) { return std::string(suite.param); });

}  // namespace
}  // namespace margay::conformance
