// RandomPolicy: a small world of namespaces, pods, sets, tiers, profiles,
// services and policies, changed at random: objects come, change, go, come back
// as they were before, and are said again. What it draws from decides
// everything, so that a seed or the bytes of a fuzzer repeat it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "test/support/policy_pair.h"

namespace margay::test {

class RandomPolicy {
 public:
  using Objects = std::map<model::ObjectKey, policy::ObjectValue>;

  explicit RandomPolicy(Random& random) : random_(random) {}

  // One change, put into `pair`; sometimes everything said once more, as after
  // a lost watch.
  void change(PolicyPair& pair);
  // A connection between two ends of this world, or one of its ends and an
  // outsider.
  policy::Packet packet();
  // What is there now.
  [[nodiscard]] const Objects& objects() const { return objects_; }

 private:
  struct Made {
    model::ObjectKey key;
    policy::ObjectValue value;
  };
  bool chance(std::uint64_t of) { return random_.below(of) == 0; }
  std::string pick(const std::vector<std::string>& list) { return list[random_.below(list.size())]; }
  std::string some_namespace() { return pick({"n0", "n1", "n2"}); }
  StringMap some_labels(const std::vector<std::string>& keys);
  std::string some_selector(const std::vector<std::string>& keys, int depth);
  std::vector<IpPrefix> some_nets(IpFamily family);
  std::vector<IpPrefix> nets_of_set();
  model::PortOrName some_port();

  Made make();
  Made make_namespace();
  Made make_account();
  Made make_pod();
  Made make_endpoint();
  Made make_host();
  Made make_profile();
  Made make_tier();
  Made make_set();
  Made make_global_set();
  Made make_slice();
  Made make_node();
  Made make_policy();
  Made make_global_policy();
  Made make_staged_policy();

  model::PolicySpec spec(bool is_global);
  std::vector<model::Rule> rules(bool is_global);
  model::Rule rule(bool is_global, bool is_ingress);
  model::EntityRule entity(IpFamily family);
  void add_ports(model::Rule& rule);

  void put(PolicyPair& pair, const model::ObjectKey& key, const policy::ObjectValue& value);

  Random& random_;
  Objects objects_;
  std::map<model::ObjectKey, std::vector<policy::ObjectValue>> history_;
};

}  // namespace margay::test
