// Policies, tiers and network sets of projectcalico.org/v3, whole truth tables:
// calculated and evaluated.
#include <string>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/policy_scenario.h"

namespace margay::conformance {
namespace {

class CalicoPolicy : public testing::TestWithParam<const char*> {};

TEST_P(CalicoPolicy, EveryCellIsAsExpected) {
  const auto data = load(std::string("calico-policy/") + GetParam() + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  ScenarioResult total;
  std::size_t scenarios = 0;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    const ScenarioResult one = Scenario(Family::kCalico).run(row, kNaiveStride);
    for (const std::string& difference : one.differences) {
      ADD_FAILURE() << difference;
    }
    ++scenarios;
    total.add(one);
  }
  total.print(GetParam(), scenarios);
  EXPECT_GT(total.cells, 1000U);
  EXPECT_LT(total.contested, total.cells / 50);
  EXPECT_EQ(total.contested > 0, GetParam() == std::string("random")) << "the reason below no longer holds";
}

INSTANTIATE_TEST_SUITE_P(Suites, CalicoPolicy, testing::Values("edge", "fv", "random"),
                         [](const auto& suite) { return std::string(suite.param); });

}  // namespace
}  // namespace margay::conformance
