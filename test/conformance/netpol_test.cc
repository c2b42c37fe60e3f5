// Kubernetes' policies of all generations, whole truth tables: translated,
// calculated, evaluated.
#include <string>

#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/policy_scenario.h"

namespace margay::conformance {
namespace {

class KubernetesScenario final : public Scenario {
 private:
  void read_world(const json::Value& world) override {
    for (const json::Member& one : *get(world, "namespaces").as_object()) {
      add_namespace(one.name, string_map(get(one.value, "labels")));
    }
    add_outsiders(get(world, "nodes"), "node/");
    if (const json::Array* nodes = get(world, "nodes").as_array()) {
      for (const json::Value& node : *nodes) add_node(node);
    }
    add_outsiders(get(world, "externals"), "ext/");
    for (const json::Value& pod : *get(world, "pods").as_array()) {
      const std::string name_space(pod.string_at({"namespace"}));
      const std::string name(pod.string_at({"name"}));
      add_pod(pod, name_space, name, name_space + "/" + name);
    }
  }

  void read_policies(const json::Value& step) override {
    for (const json::Value& object : *get(step, "policies").as_array()) {
      add_object(object);
    }
  }
};

class Netpol : public testing::TestWithParam<const char*> {};

TEST_P(Netpol, EveryCellIsAsExpected) {
  const auto data = load(std::string("netpol/") + GetParam() + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  ScenarioResult total;
  std::size_t scenarios = 0;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    KubernetesScenario scenario;
    const ScenarioResult one = scenario.run(row, kNaiveStride);
    ++scenarios;
    total.add(one);
    for (const std::string& difference : one.differences) ADD_FAILURE() << difference;
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
