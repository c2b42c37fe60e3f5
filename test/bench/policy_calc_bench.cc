// The calculation of policy at the size of a large cluster: 100,000 pods on 1,000 nodes in 2,000 namespaces, 10,000
// policies; 100 pods are ours, selected by policies of every kind that is here. First calculation and updates in CPU
// time, single changes in real time.
//
//   bench_policy_calc [runs]
#include <malloc.h>
#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/core/text_pool.h"
#include "policy/calc/cluster_half.h"
#include "policy/calc/engine.h"
#include "policy/calc/node_half.h"
#include "policy/calc/normalise.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using namespace policy;

constexpr std::uint32_t kPods = 100'000;
constexpr std::uint32_t kNodes = 1'000;
constexpr std::uint32_t kNamespaces = 2'000;
constexpr std::uint32_t kPolicies = 10'000;
constexpr std::uint32_t kApps = 10;
// Its namespaces have the policies with everything: network_policy().
constexpr std::uint32_t kOurNode = 20;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double megabytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

std::string namespace_of(std::uint32_t pod) { return concat("ns-", pod % kNamespaces); }

// As a watch decodes them: texts that many have in common are shared. Another version has another app: it leaves sets
// and enters others.
Input pod(std::uint32_t i, std::uint32_t version, TextPool& pool) {
  const std::uint32_t app = (i / kNamespaces + version) % kApps;
  auto out = std::make_shared<model::Pod>();
  out->metadata.name = concat("replica-7d9f8b6c5-", i);
  out->metadata.name_space = pool.share(namespace_of(i));
  out->metadata.resource_version = concat(version);
  out->metadata.labels = pool.share(StringMap{{"app", concat("app-", app)},
                                              {"app.kubernetes.io/name", concat("name-", app)},
                                              {"app.kubernetes.io/part-of", concat("product-", i % 50)},
                                              {"env", i % 3 == 0 ? "prod" : "test"},
                                              {"pod-template-hash", concat("hash-", app, "-", version)},
                                              {"tier", i % 2 == 0 ? "front" : "back"}});
  out->spec.node_name = pool.share(concat("node-", i % kNodes));
  out->spec.service_account_name = pool.share("default");
  out->spec.containers.emplace_back();
  out->spec.containers.back().ports.push_back({.name = pool.share("http"),
                                               .protocol = model::kProtocolTcp,
                                               .container_port = Port(8080),
                                               .host_port = {},
                                               .host_ip = {}});
  out->status.phase = model::PodPhase::kRunning;
  out->status.pod_ip = IpAddress::v4(0x0a000000U + i);
  return {.key = {.kind = model::Kind::kPod, .name_space = namespace_of(i), .name = out->metadata.name},
          .value = Shared<model::Pod>(std::move(out))};
}

Input name_space(std::uint32_t n) {
  auto out = std::make_shared<model::Namespace>();
  out->metadata.name = concat("ns-", n);
  out->metadata.labels = {{"kubernetes.io/metadata.name", out->metadata.name}, {"team", concat("team-", n % 100)}};
  return {.key = {.kind = model::Kind::kNamespace, .name_space = "", .name = out->metadata.name},
          .value = Shared<model::Namespace>(std::move(out))};
}

model::Rule allow_http() {
  model::Rule out;
  out.action = model::RuleAction::kAllow;
  out.protocol = model::kProtocolTcp;
  out.destination.ports = {model::PortOrName(std::string("http"))};
  return out;
}

model::Rule allow_from(const std::string& selector, const std::string& namespaces) {
  model::Rule out = allow_http();
  out.source.selector = selector;
  out.source.namespace_selector = namespaces;
  return out;
}

model::Rule allow_to(const std::string& selector, const std::string& namespaces) {
  model::Rule out = allow_http();
  out.destination.selector = selector;
  out.destination.namespace_selector = namespaces;
  return out;
}

model::Rule allow_to_net() {
  model::Rule out;
  out.action = model::RuleAction::kAllow;
  out.destination.nets = {IpPrefix::parse("10.96.0.0/12").value()};
  return out;
}

// Five a namespace: one app may be reached by another, half of them by a team's namespaces; some may reach a sixth of
// all pods, and some of these a network.
Input network_policy(std::uint32_t p, std::uint32_t version) {
  const std::uint32_t n = p % kNamespaces;
  auto out = std::make_shared<model::NetworkPolicy>();
  out->metadata.name = concat("policy-", p / kNamespaces);
  out->metadata.name_space = concat("ns-", n);
  out->spec.order = 1000;
  out->spec.selector = concat("app == 'app-", (p / kNamespaces) * 2 % kApps, "'");
  out->spec.ingress.push_back(allow_from(concat("app == 'app-", (p + version) % kApps, "'"), ""));
  if (p % 2 == 0) out->spec.ingress.push_back(allow_from("", concat("team == 'team-", (p + version) % 100, "'")));
  if (p % 5 == 0) out->spec.egress.push_back(allow_to("env == 'prod' && tier == 'back'", "all()"));
  if (p % 20 == 0) out->spec.egress.push_back(allow_to_net());
  return {
      .key = {.kind = model::Kind::kNetworkPolicy, .name_space = out->metadata.name_space, .name = out->metadata.name},
      .value = Shared<model::NetworkPolicy>(std::move(out))};
}

struct Cluster {
  TextPool pool;
  std::vector<Input> objects;

  Cluster() {
    for (std::uint32_t n = 0; n < kNamespaces; ++n) objects.push_back(name_space(n));
    for (std::uint32_t p = 0; p < kPolicies; ++p) objects.push_back(network_policy(p, 0));
    for (std::uint32_t i = 0; i < kPods; ++i) objects.push_back(pod(i, 0, pool));
  }
};

std::string our_node() { return concat("node-", kOurNode); }

std::unique_ptr<Engine> first_calculation(const Cluster& cluster, Samples& samples) {
  const double start = cpu_seconds();
  auto engine = std::make_unique<Engine>(Engine::Options{.node = our_node(), .suppress_nested = true});
  for (const Input& input : cluster.objects) engine->apply(input);
  engine->mark_in_sync();
  const Delta delta = engine->flush();
  samples.add(cpu_seconds() - start);
  if (delta.endpoints.size() != kPods / kNodes) std::printf("not all endpoints are there\n");
  return engine;
}

// Each half's own, with the objects themselves not counted.
void measure_memory(const Cluster& cluster) {
  const double before = megabytes_in_use();
  auto half = std::make_unique<ClusterHalf>(ClusterHalf::Options{});
  auto node = std::make_unique<NodeHalf>();
  const SubscriberId subscriber = half->subscribe();
  for (const Input& input : cluster.objects) half->apply(input);
  const double with_cluster = megabytes_in_use();
  for (const Input& input : cluster.objects) {
    const Shared<model::WorkloadEndpoint> workload = workload_of(input);
    if (workload != nullptr && workload->spec.node == our_node()) node->put_workload(input.key, workload);
  }
  for (;;) {
    node->apply(half->take(subscriber));
    const NodeDemand demand = node->take_demand();
    if (demand.empty()) break;
    half->demand(subscriber, demand);
  }
  {
    std::size_t members = 0;
    const Delta delta = node->take();
    for (const auto& [id, set] : delta.ip_sets) members += set.added.size();
    print_figure("IP sets of our pods' policies", static_cast<double>(delta.ip_sets.size()), "");
    print_figure("  their members", static_cast<double>(members), "");
    print_figure("policies of our pods", static_cast<double>(delta.policies.size()), "");
  }
  const double with_both = megabytes_in_use();
  node = nullptr;
  const double without_node = megabytes_in_use();
  print_figure("memory of the cluster half", without_node - before, "MB");
  print_figure("  before anything was demanded", with_cluster - before, "MB");
  print_figure("memory of the node half", with_both - without_node, "MB");
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

void measure_changes(Cluster& cluster, Engine& engine) {
  SeededRandom random(1);
  measure("a pod added", 20'000, engine,
          [&](int n) { return pod(kPods + static_cast<std::uint32_t>(n), 0, cluster.pool); });
  measure("a pod with another app", 20'000, engine, [&](int n) {
    return pod(static_cast<std::uint32_t>(random.below(kPods)), 1 + static_cast<std::uint32_t>(n % 2), cluster.pool);
  });
  measure("a local pod with another app", 2'000, engine, [&](int n) {
    return pod(kOurNode + kNodes * static_cast<std::uint32_t>(random.below(kPods / kNodes)),
               1 + static_cast<std::uint32_t>(n % 2), cluster.pool);
  });
  measure("a policy changed", 5'000, engine, [&](int n) {
    return network_policy(static_cast<std::uint32_t>(random.below(kPolicies)), 1 + static_cast<std::uint32_t>(n % 3));
  });
  measure("a local policy changed", 1'000, engine, [&](int n) {
    return network_policy(kOurNode + kNodes * static_cast<std::uint32_t>(random.below(kPolicies / kNodes)),
                          1 + static_cast<std::uint32_t>(n % 3));
  });
}

// 10,000 updates in batches of 100, as a second of a busy cluster brings them.
void measure_updates(Cluster& cluster, Engine& engine) {
  SeededRandom random(2);
  Samples samples;
  for (int run = 0; run < 5; ++run) {
    std::vector<Input> updates;
    for (int n = 0; n < 10'000; ++n) {
      updates.push_back(
          pod(static_cast<std::uint32_t>(random.below(kPods)), 3 + static_cast<std::uint32_t>(run), cluster.pool));
    }
    const double start = cpu_seconds();
    for (std::size_t n = 0; n < updates.size(); ++n) {
      engine.apply(updates[n]);
      if (n % 100 == 99) (void)engine.flush();
    }
    samples.add(cpu_seconds() - start);
  }
  print_samples("10,000 endpoint updates (CPU)", samples, 1e3, "ms");
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  using namespace margay::bench;
  const int runs = argc > 1 ? std::atoi(argv[1]) : 5;
  Cluster cluster;
  measure_memory(cluster);
  Samples first;
  std::unique_ptr<margay::policy::Engine> engine;
  for (int run = 0; run < runs; ++run) {
    engine = nullptr;
    engine = first_calculation(cluster, first);
  }
  print_samples("first calculation (CPU)", first, 1e3, "ms");
  measure_changes(cluster, *engine);
  measure_updates(cluster, *engine);
  return 0;
}
