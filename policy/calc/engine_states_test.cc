// Named states of a small cluster, written from the specification, and every way from one to another: what comes out
// depends on the state, never on the path.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "policy/calc/test_world.h"

namespace margay::policy {
namespace {

struct NamedState {
  const char* name;
  const char* yaml;
  // Our endpoints with their normal tiers and profiles, then the members of each set, sorted.
  std::vector<std::string> expected;
};

constexpr const char* kWeb = R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {node: here, interfaceName: cali1, ipNetworks: [10.0.0.1/32], profiles: [kns.shop],
  ports: [{name: http, protocol: TCP, port: 8080}]}
---
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {node: elsewhere, interfaceName: cali2, ipNetworks: [10.0.0.2/32, '2001:db8::2/128'], profiles: [kns.shop],
  ports: [{name: http, protocol: TCP, port: 80}, {name: http, protocol: UDP, port: 81}]}
---
)";
constexpr const char* kShop = R"(
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: red}}
---
)";

const std::vector<NamedState>& states() {
  static const std::string kBoth = std::string(kWeb) + kShop;
  static const std::vector<std::string> kYaml = {
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'web', ingress: [{action: Allow, source: {selector: all()}}]}
)",
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'web', egress: [{action: Allow, protocol: TCP, destination: {ports: [http]}}]}
)",
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'web', egress: [{action: Allow, protocol: UDP, destination: {ports: [http]}}]}
)",
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: by-team}
spec: {namespaceSelector: team == 'red', order: 1, ingress: [{action: Deny, source: {namespaceSelector: team == 'red'}}]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: last}
spec: {ingress: [{action: Allow}]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: first}
spec: {order: 1, tier: early, ingress: [{action: Pass}]}
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: {name: early}
spec: {order: 10, defaultAction: Pass}
)",
      std::string(kWeb) + R"(
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: by-team}
spec: {namespaceSelector: team == 'red', ingress: [{action: Deny, source: {namespaceSelector: team == 'red'}}]}
)",
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: nets}
spec: {selector: app == 'web', ingress: [{action: Allow, source: {selector: role == 'outside'}}]}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata: {name: wide, labels: {role: outside}}
spec: {nets: [192.0.2.0/24, 198.51.100.7/32]}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: narrow, namespace: shop, labels: {role: outside}}
spec: {nets: [192.0.2.128/25, 203.0.113.0/24]}
)",
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: nets}
spec: {selector: app == 'web', ingress: [{action: Allow, source: {selector: role == 'outside'}}]}
---
apiVersion: projectcalico.org/v3
kind: NetworkSet
metadata: {name: narrow, namespace: shop, labels: {role: outside}}
spec: {nets: [192.0.2.128/25, 203.0.113.0/24]}
)",
      kBoth + R"(
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: p}
spec: {selector: app == 'web', types: [Ingress, Egress], order: 5}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: a}
spec: {selector: app == 'web', types: [Egress], order: 5}
---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'web', order: 5}
---
apiVersion: projectcalico.org/v3
kind: StagedNetworkPolicy
metadata: {name: p, namespace: shop}
spec: {selector: app == 'web', order: 5, stagedAction: Set}
)",
      R"(
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {node: elsewhere, interfaceName: cali1, ipNetworks: [10.0.0.1/32], profiles: [kns.shop]}
---
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {node: here, interfaceName: cali2, ipNetworks: [10.0.0.2/32], profiles: []}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: p}
spec: {selector: app == 'db', ingress: [{action: Allow, source: {notSelector: app == 'db'}}]}
)",
  };
  static const std::vector<NamedState> kStates = {
      {"nothing", "", {}},
      {"endpoints only", kBoth.c_str(), {"web: [] kns.shop"}},
      {"ingress from the namespace",
       kYaml[0].c_str(),
       {"web: [default Deny: in NetworkPolicy/shop/p; out ] kns.shop", "10.0.0.1/32 10.0.0.2/32 2001:db8::2/128"}},
      {"egress to a named TCP port",
       kYaml[1].c_str(),
       {"web: [default Deny: in ; out NetworkPolicy/shop/p] kns.shop",
        "10.0.0.1,tcp:8080 10.0.0.2,tcp:80 2001:db8::2,tcp:80"}},
      {"egress to a named UDP port",
       kYaml[2].c_str(),
       {"web: [default Deny: in ; out NetworkPolicy/shop/p] kns.shop", "10.0.0.2,udp:81 2001:db8::2,udp:81"}},
      {"tiers and inherited labels",
       kYaml[3].c_str(),
       {"web: [early Pass: in GlobalNetworkPolicy//first; out  | default Deny: in GlobalNetworkPolicy//by-team, "
        "GlobalNetworkPolicy//last; out ] kns.shop",
        "10.0.0.1/32 10.0.0.2/32 2001:db8::2/128"}},
      {"inherited labels without the namespace", kYaml[4].c_str(), {"web: [] kns.shop (missing)"}},
      {"network sets that overlap",
       kYaml[5].c_str(),
       {"web: [default Deny: in GlobalNetworkPolicy//nets; out ] kns.shop",
        "192.0.2.0/24 198.51.100.7/32 203.0.113.0/24"}},
      {"only the narrow network set",
       kYaml[6].c_str(),
       {"web: [default Deny: in GlobalNetworkPolicy//nets; out ] kns.shop", "192.0.2.128/25 203.0.113.0/24"}},
      {"equal orders",
       kYaml[7].c_str(),
       {"web: [default Deny: in GlobalNetworkPolicy//p, NetworkPolicy/shop/p, ~StagedNetworkPolicy/shop/p; out "
        "GlobalNetworkPolicy//a, GlobalNetworkPolicy//p] kns.shop"}},
      {"the other endpoint is ours",
       kYaml[8].c_str(),
       {"db: [default Deny: in GlobalNetworkPolicy//p; out ] ", "10.0.0.2/32"}},
  };
  return kStates;
}

std::vector<std::string> summary(const State& state) {
  std::vector<std::string> out;
  for (const auto& [key, endpoint] : state.endpoints()) {
    std::string profiles;
    for (const std::string& name : endpoint->policy.profiles) {
      profiles.append(name).append(state.profiles().at(name)->is_missing ? " (missing)" : "");
    }
    out.push_back(concat(key.name, ": [", test::text_of(endpoint->policy.normal), "] ", profiles));
  }
  std::vector<std::string> sets;
  for (const auto& [id, set] : state.ip_sets()) {
    std::vector<std::string> members;
    for (const IpSetMember& member : set.members()) members.push_back(member.to_string());
    sets.push_back(join(members, " "));
  }
  std::sort(sets.begin(), sets.end());
  out.insert(out.end(), sets.begin(), sets.end());
  return out;
}

using Objects = std::map<ObjectKey, Input>;

Objects objects_of(const NamedState& state) {
  Objects out;
  if (*state.yaml == '\0') return out;
  for (Input& input : test::objects(state.yaml)) out.insert_or_assign(input.key, std::move(input));
  return out;
}

// Gives the differences in any order, some of them twice, with what stays given again now and then.
void move(test::Checked<Engine>& world, const Objects& from, const Objects& to, Random& random) {
  std::vector<Input> changes;
  for (const auto& [key, input] : from) {
    if (!to.contains(key)) changes.push_back(test::absent(key));
  }
  for (const auto& [key, input] : to) changes.push_back(input);
  for (std::size_t i = changes.size(); i > 1; --i) std::swap(changes[i - 1], changes[random.below(i)]);
  for (const Input& change : changes) {
    world.apply({change});
    if (random.below(3) == 0) world.apply({change});
    if (random.below(4) == 0) {
      EXPECT_EQ(world.flush(), "");
    }
  }
  EXPECT_EQ(world.flush(), "");
}

TEST(EngineStates, EveryWayFromOneToAnotherEndsTheSame) {
  SeededRandom random(1);
  for (const NamedState& from : states()) {
    for (const NamedState& to : states()) {
      const Objects first = objects_of(from);
      const Objects second = objects_of(to);
      test::Checked<Engine> world;
      move(world, {}, first, random);
      ASSERT_EQ(summary(world.state()), from.expected) << from.name;
      move(world, first, second, random);
      ASSERT_EQ(summary(world.state()), to.expected) << from.name << " -> " << to.name;
      move(world, second, {}, random);
      ASSERT_EQ(test::text_of(world.state()), test::text_of(State())) << to.name << " -> nothing";
    }
  }
}

}  // namespace
}  // namespace margay::policy
