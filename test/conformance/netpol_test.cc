// Kubernetes' policies of all generations, whole truth tables: translated,
// calculated, evaluated.
#include <string>

#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/policy_scenario.h"

namespace margay::conformance {
namespace {

class Netpol : public testing::TestWithParam<const char*> {};

TEST_P(Netpol, EveryCellIsAsExpected) {
  const auto data = load(std::string("netpol/") + GetParam() + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  ScenarioResult total;
  std::size_t scenarios = 0;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    Scenario scenario(Family::kKubernetes);
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
