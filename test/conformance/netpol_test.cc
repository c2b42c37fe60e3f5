// Kubernetes' policies of all generations, whole truth tables: translated,
// calculated, evaluated.
#include <cstdio>
#include <string>
#include <utility>

#include "base/json/view.h"
#include "datastore/codec/codec.h"
#include "datastore/selector/selector.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"
#include "test/conformance/conformance_data.h"
#include "test/conformance/policy_scenario.h"

namespace margay::conformance {
namespace {

// A network that nothing is in.
constexpr std::string_view kNowhere = "192.0.2.255/32";

// Nodes peers are not translated, as translation sees one object and not the Node objects: such a rule fails closed
// (unit tests hold that). Here they are replaced by the addresses of these nodes, so that everything else is held.
class KubernetesScenario final : public Scenario {
 public:
  [[nodiscard]] std::size_t replaced() const { return replaced_; }

 private:
  void read_world(const json::Value& world) override {
    for (const json::Member& one : *get(world, "namespaces").as_object()) {
      add_namespace(one.name, string_map(get(one.value, "labels")));
    }
    nodes_ = get(world, "nodes");
    add_outsiders(nodes_, "node/");
    add_outsiders(get(world, "externals"), "ext/");
    for (const json::Value& pod : *get(world, "pods").as_array()) {
      const std::string name_space(pod.string_at({"namespace"}));
      const std::string name(pod.string_at({"name"}));
      add_pod(pod, name_space, name, name_space + "/" + name);
    }
  }

  void read_policies(const json::Value& step) override {
    for (json::Value object : *get(step, "policies").as_array()) {
      replace_nodes(object);
      add_object(object);
    }
  }

  void replace_nodes(json::Value& policy) {
    json::Value* egress = policy.find({"spec", "egress"});
    if (egress == nullptr || egress->as_array() == nullptr) return;
    for (json::Value& rule : *egress->as_array()) {
      json::Value* to = rule.find("to");
      if (to == nullptr || to->as_array() == nullptr) continue;
      for (json::Value& peer : *to->as_array()) {
        if (const json::Value* nodes = peer.find("nodes")) peer = networks_of(*nodes);
      }
    }
  }

  json::Value networks_of(const json::Value& label_selector) {
    ++replaced_;
    json::Value holder;
    holder["spec"]["podSelector"] = label_selector;
    json::Document parser;
    model::KubernetesNetworkPolicy read;
    EXPECT_EQ(to_string(codec::decode(*parser.parse(json::dump(holder)), read)), "");
    const auto selector = selector::Selector::parse(policy::selector_of(read.spec.pod_selector)).value();
    json::Array networks;
    if (const json::Array* nodes = nodes_.as_array()) {
      for (const json::Value& node : *nodes) {
        if (!selector.matches(string_map(get(node, "labels")))) continue;
        for (const json::Value& address : *get(node, "ips").as_array()) {
          networks.emplace_back(IpPrefix::host(IpAddress::parse(*address.as_string()).value()).to_string());
        }
      }
    }
    if (networks.empty()) networks.emplace_back(kNowhere);
    json::Value out;
    out["networks"] = std::move(networks);
    return out;
  }

  json::Value nodes_;
  std::size_t replaced_ = 0;
};

class Netpol : public testing::TestWithParam<const char*> {};

TEST_P(Netpol, EveryCellIsAsExpected) {
  const auto data = load(std::string("netpol/") + GetParam() + ".json");
  if (!data) GTEST_SKIP() << "no conformance data: set MARGAY_CONFORMANCE_DIR";
  ScenarioResult total;
  std::size_t scenarios = 0;
  std::size_t nodes_peers = 0;
  for (const json::Value& row : *get(*data, "scenarios").as_array()) {
    KubernetesScenario scenario;
    const ScenarioResult one = scenario.run(row, kNaiveStride);
    ++scenarios;
    nodes_peers += scenario.replaced();
    total.add(one);
    for (const std::string& difference : one.differences) ADD_FAILURE() << difference;
  }
  total.print(GetParam(), scenarios);
  if (nodes_peers > 0) std::printf("%s: %zu nodes peers replaced by addresses\n", GetParam(), nodes_peers);
  EXPECT_GT(total.cells, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Suites, Netpol,
                         testing::Values("cyclonus", "e2e", "e2elegacy", "extra", "npguard", "random", "recipes",
                                         "tiers"),
                         [](const auto& suite) { return std::string(suite.param); });

}  // namespace
}  // namespace margay::conformance
