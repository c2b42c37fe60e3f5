// For the tests of this folder: objects written as users write them, and an engine whose every delta is checked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/calc/cluster_half.h"
#include "policy/calc/engine.h"
#include "policy/calc/node_half.h"
#include "policy/desired/state.h"

namespace margay::policy::test {

inline constexpr std::string_view kOurNode = "here";

// YAML documents; those of kinds that the calculation does not know, or that do not decode, end the test.
std::vector<Input> objects(std::string_view yaml);
// Only one.
Input object(std::string_view yaml);
Input absent(const ObjectKey& key);
// "NetworkPolicy//name" with its namespace between the slashes.
ObjectKey key(std::string_view text);

// Everything in a state, one line a thing, sorted: equal states give equal text.
std::string text_of(const State& state);

// Both halves with only JSON between them, each message written and read back.
class SplitEngine {
 public:
  explicit SplitEngine(Engine::Options options);
  void apply(const Input& input);
  void mark_in_sync() { cluster_.mark_in_sync(); }
  Delta flush();

 private:
  Engine::Options options_;
  ClusterHalf cluster_;
  SubscriberId subscriber_;
  NodeHalf node_;
};

// An engine and what its deltas add up to. A delta that does not fit what is there is a failure of the test.
template <class E>
class Checked {
 public:
  explicit Checked(Engine::Options options = {.node = std::string(kOurNode)}) : engine_(std::move(options)) {}

  void apply(const std::vector<Input>& inputs) {
    for (const Input& input : inputs) engine_.apply(input);
  }
  // "" when all went well.
  std::string flush() {
    const Status status = state_.apply(engine_.flush());
    return status.ok() ? std::string() : status.error().message;
  }

  [[nodiscard]] E& engine() { return engine_; }
  [[nodiscard]] const State& state() const { return state_; }

 private:
  E engine_;
  State state_;
};

// "default: GlobalNetworkPolicy//a, …; next: …", apart by "|" where a staged policy is marked with "~".
std::string text_of(const std::vector<TierPolicies>& tiers);

}  // namespace margay::policy::test
