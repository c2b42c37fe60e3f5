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
#include "test/support/policy_pair.h"
#include "test/support/rendered_policy.h"

namespace margay::conformance {

using Objects = std::map<model::ObjectKey, policy::ObjectValue>;

// Who can talk.
struct End {
  std::vector<IpAddress> addresses;
  std::string node;      // where it is, or "" for outsiders
  bool is_node = false;  // the node itself, or a pod on its network
};

struct Probe {
  policy::Packet packet;  // without addresses
  IpFamily family = IpFamily::kV4;
};

struct ScenarioResult {
  std::size_t cells = 0;                 // held against the engine
  std::size_t rendered = 0;              // and against the rendered chains
  std::size_t naive = 0;                 // and against the naive evaluator
  std::size_t open = 0;                  // nothing to ask: "?" in the data
  std::size_t local = 0;                 // from a node to its own pods: always let through, no policy is asked
  std::size_t contested = 0;             // see Scenario::is_contested
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
  Scenario();
  virtual ~Scenario() = default;

  // `naive_stride`: every n-th cell is asked of the naive evaluator, too.
  ScenarioResult run(const json::Value& scenario, std::size_t naive_stride);

 protected:
  // The objects and ends of the world as it is in this step.
  virtual void read_world(const json::Value& world) = 0;
  // Adds the policies of a step to `objects_`.
  virtual void read_policies(const json::Value& step) = 0;

  // Where a row may differ, for a reason, as long as engine and naive evaluator
  // agree.
  [[nodiscard]] virtual bool is_contested(const policy::Packet& packet) const {
    (void)packet;
    return false;
  }

  void add_namespace(const std::string& name, StringMap labels);
  void add_service_account(const json::Value& row);
  void add_pod(const json::Value& row, const std::string& name_space, const std::string& name, const std::string& key);
  void add_outsiders(const json::Value& rows, const std::string& prefix);
  void add_node(const json::Value& row);
  void add_object(const json::Value& object);
  [[nodiscard]] bool has_end(const std::string& key) const { return ends_.contains(key); }

  Objects objects_;
  std::map<std::string, End> ends_;

 private:
  void apply(const std::string& where, ScenarioResult& result);
  void check_step(const json::Value& step, const std::string& where, ScenarioResult& result);
  void check_pair(const std::string& from, const std::string& to, const std::string& expected, const std::string& where,
                  ScenarioResult& result);
  void check_rendered(const policy::Packet& packet, bool is_allowed, const std::string& where, ScenarioResult& result);

  test::PolicyPair pair_;
  test::RenderedPolicy rendered_;
  std::vector<std::string> wrong_;  // with the tables
  Objects applied_;
  std::vector<Probe> probes_;
  std::size_t naive_stride_ = 1;
};

StringMap string_map(const json::Value& object);

}  // namespace margay::conformance
