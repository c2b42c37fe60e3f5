// RandomRules: deltas as a node gets them, made without an engine: a few sets, policies, profiles, workloads and host
// endpoints that change at random, with rules that ask for everything a rule can ask, in one small range of addresses,
// so that packets meet them. The source of randomness decides everything.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "policy/desired/state.h"
#include "policy/verdict/verdict.h"
#include "test/support/iptables_node.h"

namespace margay::test {

class RandomRules {
 public:
  explicit RandomRules(Random& random) : random_(random) {}

  // The first has the sets; each can be applied to what the ones before made.
  policy::Delta next();
  // Everything there is now, for one who begins.
  [[nodiscard]] policy::Delta whole() const;
  [[nodiscard]] const policy::State& state() const { return state_; }

  // Between interfaces of workloads, of the host, and processes of the host.
  NodePacket packet();
  // What should become of it, by the verdict on `state()`.
  [[nodiscard]] bool passes(const NodePacket& packet) const;

 private:
  bool chance(std::uint64_t of) { return random_.below(of) == 0; }
  template <class T>
  T pick(const std::vector<T>& list) {
    return list[random_.below(list.size())];
  }
  IpAddress address(IpFamily family);
  std::vector<IpPrefix> nets();
  std::vector<policy::IpSetId> set_ids(const std::vector<const char*>& ids);
  std::vector<PortRange> ports();
  model::Protocol protocol();
  policy::RuleEnd end();
  policy::Rule rule(std::uint32_t index);
  policy::RuleSet rules();
  std::vector<policy::TierPolicies> tiers(policy::Delta& delta);

  void change_set(policy::Delta& delta, const std::string& id);
  void change_policy(policy::Delta& delta, int number);
  void change_profile(policy::Delta& delta);
  void change_workload(policy::Delta& delta);
  void change_host(policy::Delta& delta);
  void drop_unused(policy::Delta& delta);
  [[nodiscard]] std::set<policy::ObjectKey> used_policies(const policy::Delta& delta) const;

  [[nodiscard]] const policy::Endpoint* workload_on(const std::string& interface) const;
  [[nodiscard]] const policy::Endpoint* host_on(const std::string& interface) const;

  Random& random_;
  policy::State state_;
};

}  // namespace margay::test
