// Policy scenarios: a world of pods, nodes and outsiders; steps, each with the
// complete set of policies; for every pair of ends and every probe whether it
// passes. Run through translation, engine, state and verdict, through the chains
// of iptables rendered from the same deltas, and through the naive evaluator, on
// one engine from the first step to the last.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "test/conformance/scenario_world.h"
#include "test/support/policy_pair.h"
#include "test/support/rendered_policy.h"

namespace margay::conformance {

struct ScenarioResult {
  std::size_t cells = 0;                 // held against the engine
  std::size_t rendered = 0;              // and against the rendered chains
  std::size_t naive = 0;                 // and against the naive evaluator
  std::size_t open = 0;                  // nothing to ask: "?" in the data
  std::size_t local = 0;                 // from a node to its own pods: always let through, no policy is asked
  std::size_t contested = 0;             // see is_contested
  std::vector<std::string> differences;  // at most a few

  void add(const ScenarioResult& other);
  // One line on standard output.
  void print(const std::string& what, std::size_t scenarios) const;
};

// Of cells, every so many are asked of the naive evaluator, which is slow
// without optimisation.
inline constexpr std::size_t kNaiveStride = 7;

class Scenario {
 public:
  explicit Scenario(Family family);

  // `naive_stride`: every n-th cell is asked of the naive evaluator, too.
  ScenarioResult run(const json::Value& scenario, std::size_t naive_stride);

 private:
  [[nodiscard]] bool is_contested_here(const policy::Packet& packet) const {
    return family_ == Family::kCalico && is_contested(world_, packet);
  }
  void apply(const std::string& where, ScenarioResult& result);
  void check_step(const json::Value& step, const std::string& where, ScenarioResult& result);
  void check_pair(const std::string& from, const std::string& to, const std::string& expected, const std::string& where,
                  ScenarioResult& result);
  void check_rendered(const policy::Packet& packet, bool is_allowed, const std::string& where, ScenarioResult& result);

  Family family_;
  World world_;
  test::PolicyPair pair_;
  test::RenderedPolicy rendered_;
  std::vector<std::string> wrong_;  // with the tables
  Objects applied_;
  std::size_t naive_stride_ = 1;
};

}  // namespace margay::conformance
