// Every cell of the policy scenarios as a packet through a real margay-node and this machine's kernel. Needs root.
//
// Without MARGAY_CONFORMANCE_WHOLE=1 a share runs: of each file the scenarios that exercise something (features_of)
// that none before them in the file does.
#include <cstdlib>
#include <memory>
#include <set>
#include <string>

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

bool brings_new(const json::Value& scenario, std::set<std::string>& seen) {
  const std::size_t before = seen.size();
  seen.merge(features_of(scenario));
  return seen.size() > before;
}

TEST_P(ConformancePackets, EveryCellIsAsExpected) {
  const std::string file = GetParam();
  const auto data = load(file + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  if (bed().node == nullptr) GTEST_SKIP() << bed().why;
  const Family family = file.starts_with("netpol/") ? Family::kKubernetes : Family::kCalico;
  PacketResult result;
  std::set<std::string> seen;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    if (is_whole() || brings_new(row, seen)) bed().scenarios->run(family, row, result);
  }
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
