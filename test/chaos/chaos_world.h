// ChaosWorld: a node with pods of which two always may talk and two never, while everything else changes at random.
//
//   friend-a ─▶ friend-b   a policy of the lowest order allows it        stranger ─▶ secret   another denies it
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "test/support/one_node.h"
#include "test/support/sample_objects.h"
#include "test/support/witness.h"

namespace margay::test {

class ChaosWorld {
 public:
  // Null when this machine cannot; `why` says what is missing.
  static std::unique_ptr<ChaosWorld> start(std::uint64_t seed, std::string* why);

  [[nodiscard]] OneNode& node() { return *node_; }
  [[nodiscard]] Random& dice() { return random_; }

  // One object more, changed or gone.
  void change_object();
  // Of a pod that no witness uses; it is up again afterwards.
  void flap_link();
  // A rule of somebody else, in front of ours or behind, or away again.
  void edit_foreign_rule();
  void drop_watches();
  // Removes something of ours with the stock tools; says what.
  std::string sabotage();
  // Everything of ours goes.
  void wipe();
  // What of ours is in the kernel, in a form that can be compared.
  [[nodiscard]] std::string kernel() const;

  // What is forbidden and passed; what is permitted and was lost, over one connection and by new ones.
  struct Seen {
    std::size_t forbidden_sent = 0, forbidden_passed = 0;
    std::size_t permitted_sent = 0, permitted_lost = 0;
  };
  void start_witnesses();
  Seen seen();
  // Nothing is sent while the kernel is not as it should be by no fault of the agent's.
  void pause_witnesses();
  void resume_witnesses();

 private:
  ChaosWorld(std::unique_ptr<OneNode> node, std::uint64_t seed);
  void put_permanent();
  void put_random_policy();
  void put_random_set();
  void put_random_pod(std::size_t number);
  void remove_one(model::Kind kind);
  SamplePod pod(std::size_t number, const std::string& name, const std::string& role);
  std::string some_selector();
  [[nodiscard]] std::vector<std::string> own_chains(const std::string& table) const;

  std::unique_ptr<OneNode> node_;
  SeededRandom random_;
  ObjectMap wanted_;
  std::vector<std::unique_ptr<Witness>> forbidden_, permitted_;
  bool has_foreign_rule_ = false;
};

}  // namespace margay::test
