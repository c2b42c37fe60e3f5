// Random objects in random batches: what the incremental calculation holds equals what a fresh one makes of the same
// objects, with both halves in one place and with JSON between them.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "policy/calc/test_world.h"

namespace margay::policy {
namespace {

using test::key;

// Objects of all kinds over a small vocabulary, so that they meet often.
class RandomObjects {
 public:
  explicit RandomObjects(std::uint64_t seed) : random_(seed) {}

  std::string yaml(const ObjectKey& key) {
    std::string head = concat("apiVersion: ", model::info(key.kind).api_version, "\nkind: ", model::info(key.kind).name,
                              "\nmetadata: {name: ", key.name);
    if (!key.name_space.empty()) head.append(concat(", namespace: ", key.name_space));
    head.append(concat(", labels: {", labels(), "}}\n"));
    return head.append(body(key.kind));
  }

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

 private:
  std::string pick(std::initializer_list<const char*> words) { return words.begin()[below(words.size())]; }

  std::string labels() {
    std::string out;
    for (const char* label : {"a", "b", "c"}) {
      if (below(2) == 0) out.append(concat(out.empty() ? "" : ", ", label, ": ", pick({"x", "y"})));
    }
    return out;
  }

  std::string selector(int depth = 2) {
    switch (below(depth > 0 ? 11 : 8)) {
      case 0: return "all()";
      case 1: return concat("has(", pick({"a", "b", "pcns.a", "pcsa.b"}), ")");
      case 2: return concat("!has(", pick({"a", "b", "c"}), ")");
      case 3:
      case 4: return concat(pick({"a", "b", "c"}), " == ''", pick({"x", "y"}), "''");
      case 5: return concat(pick({"a", "b"}), " != ''", pick({"x", "y"}), "''");
      case 6: return concat(pick({"a", "b"}), " in {''x'', ''z''}");
      case 7: return concat("projectcalico.org/namespace == ''", pick({"n1", "n2"}), "''");
      case 8: return concat("!(", selector(depth - 1), ")");
      case 9: return concat("(", selector(depth - 1), " && ", selector(depth - 1), ")");
      default: return concat("(", selector(depth - 1), " || ", selector(depth - 1), ")");
    }
  }

  // What is wrong now and then.
  std::string any_selector() { return below(40) == 0 ? std::string("a = ''x''") : selector(); }

  std::string net() { return pick({"10.0.0.0/8", "10.0.0.0/30", "10.0.0.1/32", "10.0.0.2/32", "192.0.2.0/24"}); }

  std::string entity() {
    std::string out;
    const auto add = [&out](const std::string& field) { out.append(concat(out.empty() ? "" : ", ", field)); };
    if (below(2) == 0) add(concat("selector: '", any_selector(), "'"));
    if (below(5) == 0) add(concat("notSelector: '", selector(), "'"));
    if (below(4) == 0) add(concat("namespaceSelector: '", below(4) == 0 ? "global()" : selector(), "'"));
    if (below(6) == 0) add(concat("serviceAccounts: {names: [", pick({"s1", "s2"}), "]}"));
    if (below(4) == 0) add(concat("nets: [", net(), "]"));
    if (below(4) == 0) add(concat("ports: [", pick({"80", "http", "dns", "'8000:9000'"}), "]"));
    if (below(8) == 0) add(concat("notPorts: [", pick({"80", "http"}), "]"));
    return concat("{", out, "}");
  }

  std::string rule(bool is_egress) {
    std::string destination = entity();
    if (is_egress && below(6) == 0) {
      destination = concat("{services: {name: ", pick({"v1", "v2"}), ", namespace: ", pick({"n1", "n2"}), "}}");
    }
    return concat("{action: ", pick({"Allow", "Deny", "Pass", "Log"}), ", protocol: ", pick({"TCP", "UDP"}),
                  ", source: ", entity(), ", destination: ", destination, "}");
  }

  std::string rules() {
    std::string out;
    for (const char* direction : {"ingress", "egress"}) {
      out.append(concat(", ", direction, ": ["));
      for (std::uint64_t i = 0, count = below(3); i < count; ++i) {
        out.append(concat(i == 0 ? "" : ", ", rule(std::string_view(direction) == "egress")));
      }
      out.append("]");
    }
    return out;
  }

  std::string policy(bool is_global, bool is_staged) {
    std::string out =
        concat("spec: {tier: ", pick({"default", "default", "t1", "t2"}), ", selector: '", any_selector(), "'");
    if (below(3) != 0) out.append(concat(", order: ", below(3)));
    if (below(4) == 0) out.append(concat(", types: [", pick({"Ingress", "Egress", "Ingress, Egress"}), "]"));
    if (below(6) == 0) out.append(concat(", serviceAccountSelector: '", selector(), "'"));
    if (below(10) == 0) out.append(", performanceHints: [AssumeNeededOnEveryNode]");
    if (is_global && below(4) == 0) out.append(concat(", namespaceSelector: '", selector(), "'"));
    if (is_global && below(4) == 0)
      out.append(concat(", applyOnForward: true, ", pick({"doNotTrack: true", "doNotTrack: false"})));
    if (is_staged) out.append(concat(", stagedAction: ", pick({"Set", "Set", "Ignore"})));
    return out.append(rules()).append("}\n");
  }

  std::string profiles() { return pick({"", "kns.n1", "kns.n2", "p1, kns.n1", "p2", "p1, p2, gone"}); }

  std::string workload() {
    return concat("spec: {node: ", pick({"here", "elsewhere"}), ", orchestrator: k8s, interfaceName: cali", below(3),
                  ", ipNetworks: [10.0.0.", below(4), "/32, '2001:db8::", below(3), "/128'], profiles: [", profiles(),
                  "], serviceAccountName: ", pick({"s1", "s2"}), ", ports: [{name: ", pick({"http", "dns"}),
                  ", protocol: ", pick({"TCP", "UDP"}), ", port: ", 80 + below(2), "}]}\n");
  }

  std::string pod() {
    return concat("spec: {nodeName: ", pick({"here", "elsewhere"}), ", serviceAccountName: ", pick({"s1", "s2"}),
                  ", hostNetwork: ", below(6) == 0 ? "true" : "false",
                  ", containers: [{name: c, ports: [{name: http, containerPort: ", 80 + below(2),
                  "}]}]}\nstatus: {phase: ", pick({"Running", "Running", "Succeeded"}), ", podIP: 10.0.1.", below(4),
                  "}\n");
  }

  std::string body(model::Kind kind) {
    using model::Kind;
    if (kind == Kind::kTier) {
      return concat("spec: {order: ", below(3), ", defaultAction: ", pick({"Deny", "Pass"}), "}\n");
    }
    if (kind == Kind::kNetworkPolicy) return policy(false, false);
    if (kind == Kind::kGlobalNetworkPolicy) return policy(true, false);
    if (kind == Kind::kStagedNetworkPolicy) return policy(false, true);
    if (kind == Kind::kStagedGlobalNetworkPolicy) return policy(true, true);
    if (kind == Kind::kWorkloadEndpoint) return workload();
    if (kind == Kind::kPod) return pod();
    if (kind == Kind::kProfile) return concat("spec: {labelsToApply: {", labels(), "}", rules(), "}\n");
    if (kind == Kind::kNetworkSet || kind == Kind::kGlobalNetworkSet) {
      return concat("spec: {nets: [", net(), ", ", net(), "]}\n");
    }
    if (kind == Kind::kHostEndpoint) {
      return concat("spec: {node: ", pick({"here", "elsewhere"}), ", interfaceName: eth", below(2),
                    ", expectedIPs: [10.0.0.", below(4), "], profiles: [", profiles(), "]}\n");
    }
    return {};
  }

  SeededRandom random_;
};

std::vector<ObjectKey> all_keys() {
  std::vector<ObjectKey> out;
  for (const char* text : {"Tier//t1",
                           "Tier//t2",
                           "Tier//default",
                           "NetworkPolicy/n1/p1",
                           "NetworkPolicy/n1/p2",
                           "NetworkPolicy/n2/p1",
                           "GlobalNetworkPolicy//p1",
                           "GlobalNetworkPolicy//p2",
                           "GlobalNetworkPolicy//p3",
                           "GlobalNetworkPolicy//p4",
                           "StagedNetworkPolicy/n1/p1",
                           "StagedGlobalNetworkPolicy//p1",
                           "WorkloadEndpoint/n1/w1",
                           "WorkloadEndpoint/n1/w2",
                           "WorkloadEndpoint/n2/w3",
                           "Pod/n1/a",
                           "Pod/n2/b",
                           "Namespace//n1",
                           "Namespace//n2",
                           "ServiceAccount/n1/s1",
                           "ServiceAccount/n2/s2",
                           "Profile//p1",
                           "Profile//p2",
                           "Profile//kns.n1",
                           "NetworkSet/n1/s",
                           "NetworkSet/n2/s",
                           "GlobalNetworkSet//s",
                           "HostEndpoint//h1",
                           "HostEndpoint//h2"}) {
    out.push_back(key(text));
  }
  return out;
}

Input slice(std::uint64_t variant) {
  return test::object(
      concat("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: e, namespace: n1, "
             "labels: {kubernetes.io/service-name: v1}}\naddressType: IPv4\nendpoints: [{addresses: "
             "[10.0.0.",
             variant, "]}]\nports: [{name: '', protocol: TCP, port: ", 80 + variant, "}]\n"));
}

class Walk {
 public:
  Walk(std::uint64_t seed, bool suppress_nested)
      : random_(seed),
        options_{.node = std::string(test::kOurNode), .suppress_nested = suppress_nested},
        whole_(options_),
        split_(options_) {}

  void run(int batches) {
    for (int batch = 0; batch < batches && !testing::Test::HasFailure(); ++batch) {
      for (std::uint64_t i = 0, count = 1 + random_.below(6); i < count; ++i) change(next());
      if (batch % 10 == 9) resync();
      check(batch);
    }
  }

 private:
  Input next() {
    if (random_.below(20) == 0) return slice(random_.below(3));
    const ObjectKey& picked = keys_[random_.below(keys_.size())];
    if (random_.below(4) == 0) return test::absent(picked);
    return test::object(random_.yaml(picked));
  }

  void change(const Input& input) {
    older_[input.key] = now_.contains(input.key) ? now_.at(input.key) : test::absent(input.key);
    now_[input.key] = input;
    give(input);
    if (random_.below(5) == 0) give(input);
  }
  void give(const Input& input) {
    whole_.apply({input});
    split_.apply({input});
  }

  // Values go back to older ones, all at once, and some come again as they are.
  void resync() {
    for (const auto& [key, input] : older_) {
      if (random_.below(3) == 0) {
        now_[key] = input;
        give(input);
      } else if (random_.below(2) == 0) {
        give(now_.at(key));
      }
    }
  }

  void check(int batch) {
    EXPECT_EQ(whole_.flush(), "") << "batch " << batch;
    EXPECT_EQ(split_.flush(), "") << "batch " << batch;
    test::Checked<Engine> fresh(options_);
    for (const auto& [key, input] : now_) fresh.apply({input});
    EXPECT_EQ(fresh.flush(), "");
    const std::string expected = test::text_of(fresh.state());
    EXPECT_EQ(test::text_of(whole_.state()), expected) << "batch " << batch;
    EXPECT_EQ(test::text_of(split_.state()), expected) << "batch " << batch << ", with JSON between";
    EXPECT_EQ(whole_.engine().problems(), fresh.engine().problems()) << "batch " << batch;
  }

  RandomObjects random_;
  Engine::Options options_;
  test::Checked<Engine> whole_;
  test::Checked<test::SplitEngine> split_;
  std::vector<ObjectKey> keys_ = all_keys();
  std::map<ObjectKey, Input> now_;
  std::map<ObjectKey, Input> older_;
};

TEST(EngineProperty, TheIncrementalStateIsThatOfAFreshEngine) {
  for (std::uint64_t seed = 1; seed <= 12 && !HasFailure(); ++seed) {
    SCOPED_TRACE(concat("seed ", seed));
    Walk(seed, seed % 2 == 0).run(80);
  }
}

}  // namespace
}  // namespace margay::policy
