// PolicyPair: the policy engine with its deltas added up, and the naive
// evaluator, fed with the same objects: whoever asks one can ask the other.
#pragma once

#include <functional>
#include <map>
#include <utility>

#include "policy/calc/engine.h"
#include "policy/verdict/verdict.h"
#include "test/support/naive_policy.h"

namespace margay::test {

class PolicyPair {
 public:
  // monostate: absent.
  void put(const model::ObjectKey& key, const policy::ObjectValue& value);
  // Takes what changed; a delta that cannot be applied is an error.
  Status flush();
  // Is told every delta, before it is applied here.
  void on_delta(std::function<void(const policy::Delta&)> told) { told_ = std::move(told); }

  [[nodiscard]] policy::Verdict verdict(const policy::Packet& packet) const;
  [[nodiscard]] bool naive_allows(const policy::Packet& packet) const;

  [[nodiscard]] const policy::Engine& engine() const { return engine_; }
  [[nodiscard]] const policy::State& state() const { return state_; }
  // Of all endpoints of workloads.
  [[nodiscard]] const std::map<IpAddress, const policy::Endpoint*>& endpoints() const { return endpoints_; }
  // Null when no workload has it.
  [[nodiscard]] const policy::Endpoint* endpoint_at(const IpAddress& address) const;

 private:
  policy::Engine engine_{policy::Engine::Options{}};
  policy::State state_;
  NaivePolicy naive_;
  std::map<IpAddress, const policy::Endpoint*> endpoints_;
  std::function<void(const policy::Delta&)> told_;
};

}  // namespace margay::test
