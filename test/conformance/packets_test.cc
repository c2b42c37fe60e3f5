// Every cell of the policy scenarios as a packet through a real margay-node and this machine's kernel. Needs root.
//
// Without MARGAY_CONFORMANCE_WHOLE=1 a share runs: of each file the few scenarios that together exercise the most
// (features_of).
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/packets.h"

namespace margay::conformance {
namespace {

// One agent for all: it goes from world to world, as one does in a cluster.
struct Bed {
  std::unique_ptr<test::OneNode> node;
  std::unique_ptr<PacketScenarios> scenarios;
  std::string why;
};

Bed& bed() {
  static Bed made = [] {
    Bed out;
    out.node = test::OneNode::start({}, &out.why);
    if (out.node == nullptr) return out;
    out.node->start_agent();
    out.scenarios = std::make_unique<PacketScenarios>(*out.node);
    return out;
  }();
  return made;
}

class ConformancePackets : public testing::TestWithParam<const char*> {
 protected:
  static void TearDownTestSuite() { bed() = {}; }
  void TearDown() override {
    if (HasFailure() && bed().node != nullptr) std::fprintf(stderr, "%s\n", bed().node->logs().c_str());
  }
};

bool is_whole() {
  const char* given = std::getenv("MARGAY_CONFORMANCE_WHOLE");
  return given != nullptr && std::string(given) == "1";
}

constexpr std::size_t kShareMax = 6;

// One after the other the one that brings most of what none before it has.
std::vector<json::Value> share_of(const json::Array& scenarios) {
  std::vector<std::set<std::string>> features;
  for (const json::Value& scenario : scenarios) features.push_back(features_of(scenario));
  std::vector<json::Value> out;
  std::set<std::string> seen;
  while (out.size() < kShareMax) {
    std::size_t best = 0, most = 0;
    for (std::size_t i = 0; i < features.size(); ++i) {
      const auto is_new = [&seen](const std::string& feature) { return !seen.contains(feature); };
      const auto brings = static_cast<std::size_t>(std::count_if(features[i].begin(), features[i].end(), is_new));
      if (brings > most) best = i, most = brings;
    }
    if (most == 0) break;
    seen.insert(features[best].begin(), features[best].end());
    out.push_back(scenarios[best]);
  }
  return out;
}

TEST_P(ConformancePackets, EveryCellIsAsExpected) {
  const std::string file = GetParam();
  const auto data = load(file + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  if (bed().node == nullptr) GTEST_SKIP() << bed().why;
  const Family family = file.starts_with("netpol/") ? Family::kKubernetes : Family::kCalico;
  PacketResult result;
  const json::Value all = get(*data, "scenarios");
  const json::Array& rows = *all.as_array();
  for (const json::Value& row : is_whole() ? rows : share_of(rows)) bed().scenarios->run(family, row, result);
  result.print(file);
  for (const std::string& difference : result.differences) ADD_FAILURE() << difference;
  EXPECT_GT(result.allowed, 0U);
  EXPECT_GT(result.cells, result.allowed);
}

INSTANTIATE_TEST_SUITE_P(Files, ConformancePackets,
                         testing::Values("netpol/cyclonus", "netpol/e2e", "netpol/e2elegacy", "netpol/extra",
                                         "netpol/npguard", "netpol/random", "netpol/recipes", "netpol/tiers",
                                         "calico-policy/edge", "calico-policy/fv", "calico-policy/random"),
                         [](const auto& suite) {
                           std::string name = suite.param;
                           for (char& letter : name) letter = letter == '/' || letter == '-' ? '_' : letter;
                           return name;
                         });

}  // namespace
}  // namespace margay::conformance
