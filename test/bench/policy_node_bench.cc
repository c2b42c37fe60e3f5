// What the calculation costs a node with many sets, and a cluster half with many nodes; and a selector alone.
//
//   bench_policy_node [subscribers]
//
// 20,000 pods on 40 nodes in 500 namespaces. Our node's 500 pods are selected by 500 policies that name 600 sets.
#include <malloc.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "policy/calc/cluster_half.h"
#include "policy/calc/engine.h"
#include "policy/calc/node_half.h"
#include "policy/calc/normalise.h"
#include "policy/index/compiled_selector.h"
#include "policy/index/label_store.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using namespace policy;

constexpr std::uint32_t kPods = 20'000;
constexpr std::uint32_t kNodes = 40;
constexpr std::uint32_t kNamespaces = 500;
constexpr std::uint32_t kPolicies = 500;
constexpr std::uint32_t kApps = 20;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double megabytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

std::uint32_t node_of(std::uint32_t pod) { return pod / kNamespaces % kNodes; }
std::string node_name(std::uint32_t node) { return concat("node-", node); }

Shared<model::WorkloadEndpoint> workload(std::uint32_t i, std::uint32_t version) {
  auto out = std::make_shared<model::WorkloadEndpoint>();
  out->metadata.name = concat("pod-", i);
  out->metadata.name_space = concat("ns-", i % kNamespaces);
  out->metadata.labels = {{"app", concat("app-", (i + version) % kApps)},
                          {"env", i % 3 == 0 ? "prod" : "test"},
                          {"tier", i % 2 == 0 ? "front" : "back"},
                          {"pod-template-hash", concat("hash-", i % 100)}};
  out->spec.orchestrator = "k8s";
  out->spec.node = node_name(node_of(i));
  out->spec.ip_networks = {IpPrefix::host(IpAddress::v4(0x0a000000U + i))};
  out->spec.profiles = {concat("kns.", out->metadata.name_space)};
  return out;
}

Input input_of(Shared<model::WorkloadEndpoint> endpoint) {
  model::ObjectKey key{.kind = model::Kind::kWorkloadEndpoint,
                       .name_space = endpoint->metadata.name_space,
                       .name = endpoint->metadata.name};
  return {.key = std::move(key), .value = std::move(endpoint)};
}

// Global policies for all pods: each lets in one app of a few namespaces, and every fifth another one out as well.
Input policy(std::uint32_t p, std::uint32_t version) {
  auto out = std::make_shared<model::GlobalNetworkPolicy>();
  out->metadata.name = concat("policy-", p);
  out->spec.order = p;
  out->spec.selector = concat("app in {'app-", p % kApps, "', 'app-", (p + 7) % kApps, "'}");
  model::Rule in;
  in.action = model::RuleAction::kAllow;
  in.protocol = model::kProtocolTcp;
  in.source.selector = concat("app == 'app-", (p + version) % kApps, "' && projectcalico.org/namespace in {'ns-", p,
                              "', 'ns-", (p * 3 + 1) % kNamespaces, "'}");
  out->spec.ingress = {in};
  if (p % 5 == 0) {
    model::Rule to;
    to.action = model::RuleAction::kAllow;
    to.destination.selector =
        concat("tier == 'back' && app != 'app-", p % kApps, "' && projectcalico.org/namespace == 'ns-", p, "'");
    out->spec.egress = {to};
  }
  return {.key = {.kind = model::Kind::kGlobalNetworkPolicy, .name_space = "", .name = out->metadata.name},
          .value = Shared<model::GlobalNetworkPolicy>(std::move(out))};
}

std::vector<Input> cluster() {
  std::vector<Input> objects;
  for (std::uint32_t n = 0; n < kNamespaces; ++n) {
    auto name_space = std::make_shared<model::Namespace>();
    name_space->metadata.name = concat("ns-", n);
    objects.push_back({.key = {.kind = model::Kind::kNamespace, .name_space = "", .name = concat("ns-", n)},
                       .value = Shared<model::Namespace>(std::move(name_space))});
  }
  for (std::uint32_t p = 0; p < kPolicies; ++p) objects.push_back(policy(p, 0));
  for (std::uint32_t i = 0; i < kPods; ++i) objects.push_back(input_of(workload(i, 0)));
  return objects;
}

template <class Change>
void measure(const std::string& what, int count, Engine& engine, const Change& change) {
  Samples samples;
  for (int n = 0; n < count; ++n) {
    const Input input = change(n);
    const auto start = Clock::now();
    engine.apply(input);
    (void)engine.flush();
    samples.add(seconds_since(start));
  }
  print_samples(what, samples, 1e6, "us");
}

void measure_node(const std::vector<Input>& objects) {
  Samples first;
  std::unique_ptr<Engine> engine;
  Delta delta;
  for (int run = 0; run < 5; ++run) {
    const double start = cpu_seconds();
    engine = std::make_unique<Engine>(Engine::Options{.node = node_name(3), .suppress_nested = true});
    for (const Input& input : objects) engine->apply(input);
    engine->mark_in_sync();
    delta = engine->flush();
    first.add(cpu_seconds() - start);
  }
  print_figure("endpoints of the node", static_cast<double>(delta.endpoints.size()), "");
  print_figure("policies that select them", static_cast<double>(delta.policies.size()), "");
  print_figure("their IP sets", static_cast<double>(delta.ip_sets.size()), "");
  print_samples("first calculation (CPU)", first, 1e3, "ms");
  SeededRandom random(1);
  measure("a pod with another app", 10'000, *engine, [&](int n) {
    return input_of(workload(static_cast<std::uint32_t>(random.below(kPods)), static_cast<std::uint32_t>(n)));
  });
  measure("a policy changed", 2'000, *engine, [&](int n) {
    return policy(static_cast<std::uint32_t>(random.below(kPolicies)), static_cast<std::uint32_t>(n));
  });
}

// A node half fed by the cluster half, as over a wire.
struct Subscriber {
  SubscriberId id;
  NodeHalf half;

  void sync(ClusterHalf& cluster) {
    for (;;) {
      half.apply(cluster.take(id));
      const NodeDemand demand = half.take_demand();
      if (demand.empty()) break;
      cluster.demand(id, demand);
    }
    (void)half.take();
  }
};

void measure_subscribers(const std::vector<Input>& objects, std::uint32_t count) {
  ClusterHalf half({});
  for (const Input& input : objects) half.apply(input);
  half.mark_in_sync();
  const double before = megabytes_in_use();
  std::vector<std::unique_ptr<Subscriber>> subscribers;
  const double start = cpu_seconds();
  for (std::uint32_t n = 0; n < count; ++n) {
    auto& one = *subscribers.emplace_back(std::make_unique<Subscriber>());
    one.id = half.subscribe();
    for (const Input& input : objects) {
      const Shared<model::WorkloadEndpoint> endpoint = workload_of(input);
      if (endpoint != nullptr && endpoint->spec.node == node_name(n % kNodes))
        one.half.put_workload(input.key, endpoint);
    }
    one.sync(half);
  }
  const double joined = cpu_seconds() - start;
  print_figure(concat(count, " nodes join, each (CPU)"), joined * 1e3 / count, "ms");
  print_figure("  memory, each, both ends", (megabytes_in_use() - before) / count, "MB");
  SeededRandom random(3);
  Samples samples;
  for (int n = 0; n < 500; ++n) {
    const Input change =
        input_of(workload(static_cast<std::uint32_t>(random.below(kPods)), static_cast<std::uint32_t>(n)));
    const auto began = Clock::now();
    half.apply(change);
    for (auto& one : subscribers) one->half.apply(half.take(one->id));
    samples.add(seconds_since(began));
    for (auto& one : subscribers) one->sync(half);
  }
  print_samples(concat("a pod with another app, told to ", count), samples, 1e6, "us");
}

// Labels of one item as the index keeps them: numbers, in order of the keys.
using Labels = std::vector<std::pair<KeyId, LabelId>>;

void measure_selectors() {
  LabelStore store;
  std::vector<StringMap> maps;
  std::vector<Labels> items;
  for (std::uint32_t i = 0; i < 1'000; ++i) {
    StringMap labels = workload(i, 0)->metadata.labels;
    labels.set("projectcalico.org/namespace", concat("ns-", i % kNamespaces));
    labels.set("projectcalico.org/orchestrator", "k8s");
    Labels numbers;
    for (const auto& [key, value] : labels) {
      const LabelId label = store.acquire(key, value);
      numbers.emplace_back(store.label(label).key, label);
    }
    maps.push_back(std::move(labels));
    items.push_back(std::move(numbers));
  }
  for (const char* text :
       {"app == 'app-3'", "app == 'app-3' && env != 'test'",
        "projectcalico.org/orchestrator == 'k8s' && projectcalico.org/namespace == 'ns-7' && app == 'app-7'",
        "app in {'app-1', 'app-2', 'app-3', 'app-4'} && (tier == 'back' || !has(old))"}) {
    const selector::Selector parsed = selector::Selector::parse(text).value();
    const CompiledSelector compiled(parsed, store);
    Samples indexed, plain;
    std::size_t matches = 0;
    for (int run = 0; run < 50; ++run) {
      const auto start = Clock::now();
      for (const Labels& labels : items) {
        matches += static_cast<std::size_t>(compiled.matches(store, [&labels](KeyId key) -> std::optional<LabelId> {
          for (const auto& [each, label] : labels) {
            if (each == key) return label;
          }
          return std::nullopt;
        }));
      }
      indexed.add(seconds_since(start) / static_cast<double>(items.size()));
      const auto again = Clock::now();
      for (const StringMap& labels : maps) matches += static_cast<std::size_t>(parsed.matches(labels));
      plain.add(seconds_since(again) / static_cast<double>(maps.size()));
    }
    if (matches == 0) std::printf("nothing matches %s\n", text);
    print_samples(concat("compiled: ", std::string_view(text).substr(0, 32)), indexed, 1e9, "ns");
    print_samples("  over a map of texts", plain, 1e9, "ns");
  }
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  using namespace margay::bench;
  const auto objects = cluster();
  measure_node(objects);
  for (const std::uint32_t count : {1U, 10U, argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 50U}) {
    measure_subscribers(objects, count);
  }
  measure_selectors();
  return 0;
}
