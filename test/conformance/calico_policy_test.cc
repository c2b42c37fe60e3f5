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

class CalicoScenario final : public Scenario {
  void read_world(const json::Value& world) override {
    for (const json::Member& one : *get(world, "namespaces").as_object()) {
      add_namespace(one.name, string_map(one.value));
    }
    if (const json::Value* accounts = world.find("serviceAccounts")) {
      for (const json::Value& row : *accounts->as_array()) add_service_account(row);
    }
    add_outsiders(get(world, "externals"), "ext/");
    for (const json::Value& row : *get(world, "endpoints").as_array()) {
      const std::string key(row.string_at({"key"}));
      add_pod(row, std::string(row.string_at({"namespace"})), key.substr(key.rfind('/') + 1), key);
    }
  }
  void read_policies(const json::Value& step) override {
    for (const json::Value& object : *get(step, "resources").as_array()) add_object(object);
  }
  // An address with two holders, an end and a network set around it. What a
  // rule wants, does not want and names as port, Calico looks for in one holder
  // (its tests have one IP set with the whole expression: conformance data,
  // calc-states); some rows look for each in any holder.
  [[nodiscard]] bool is_contested(const policy::Packet& packet) const override {
    for (const auto& [key, value] : objects_) {
      const std::vector<IpPrefix>* nets = nullptr;
      if (const auto* set = std::get_if<policy::Shared<model::NetworkSet>>(&value)) nets = &(*set)->spec.nets;
      if (const auto* set = std::get_if<policy::Shared<model::GlobalNetworkSet>>(&value)) nets = &(*set)->spec.nets;
      if (nets == nullptr) continue;
      for (const IpPrefix& net : *nets) {
        if (net.contains(packet.source) || net.contains(packet.destination)) return true;
      }
    }
    return false;
  }
};

class CalicoPolicy : public testing::TestWithParam<const char*> {};

TEST_P(CalicoPolicy, EveryCellIsAsExpected) {
  const auto data = load(std::string("calico-policy/") + GetParam() + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  ScenarioResult total;
  std::size_t scenarios = 0;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    const ScenarioResult one = CalicoScenario().run(row, kNaiveStride);
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
