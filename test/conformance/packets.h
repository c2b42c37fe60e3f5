// Policy scenarios with real packets: the objects of each step go through an API server to a real margay-node, which
// programs this machine's kernel in a namespace; every cell is a new connection between namespaces.
//
// All pods are on the agent's node; nodes of the scenario, their host-network pods and outsiders are addresses beyond
// it, so that every packet is forwarded by the node under test.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "test/conformance/scenario_world.h"
#include "test/support/one_node.h"
#include "test/support/packet_prober.h"

namespace margay::conformance {

struct PacketResult {
  std::size_t scenarios = 0, steps = 0;
  std::size_t cells = 0;      // asked with packets
  std::size_t allowed = 0;    // of them expected to pass
  std::size_t open = 0;       // nothing to ask: "?", or an end without an address of the family
  std::size_t local = 0;      // from a node to its own pods: always let through, no policy is asked
  std::size_t contested = 0;  // see is_contested
  std::vector<std::string> differences;

  // One line on standard output.
  void print(const std::string& what) const;
};

class PacketScenarios {
 public:
  explicit PacketScenarios(test::OneNode& node) : node_(node), prober_(node.node()) {}
  void run(Family family, const json::Value& scenario, PacketResult& result);
  [[nodiscard]] std::size_t repeated() const { return prober_.repeated(); }

 private:
  struct Cell {
    std::string from, to;
    char expected = '?';
  };
  bool apply(const World& world, const std::string& where, PacketResult& result);
  const test::NetSpace& space_of(const End& end);
  void check(Family family, const World& world, const json::Value& step, const std::string& where,
             PacketResult& result);

  test::OneNode& node_;
  test::PacketProber prober_;
};

// What a scenario exercises: fields of its policies, their actions, protocols and operators, kinds of ends and probes.
std::set<std::string> features_of(const json::Value& scenario);

}  // namespace margay::conformance
