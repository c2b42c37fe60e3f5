// The indexes of policy at the size of a large cluster: 100,000 endpoints with 8 labels in 2,000 namespaces, 1,000
// sets.
//
//   bench_policy_index [runs]
#include <malloc.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "policy/index/set_index.h"
#include "test/bench/measure.h"

namespace margay::bench {
namespace {

using namespace policy;

constexpr std::uint32_t kItems = 100'000;
constexpr std::uint32_t kNamespaces = 2'000;
constexpr std::uint32_t kSets = 1'000;

std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

selector::Selector parsed(std::string_view text) { return selector::Selector::parse(text).value(); }

// Endpoints as pods have them: most labels from a deployment, one of its own.
SetItem item(std::uint32_t i, std::uint32_t version = 0) {
  const std::uint32_t name_space = i % kNamespaces;
  const std::uint32_t app = i / kNamespaces % 10;
  SetItem out;
  out.labels = {{"app", concat("app-", app)},
                {"app.kubernetes.io/name", concat("name-", app)},
                {"app.kubernetes.io/part-of", concat("product-", name_space % 50)},
                {"env", i % 3 == 0 ? "prod" : "test"},
                {"pod-template-hash", concat("hash-", name_space, "-", app, "-", version)},
                {"tier", i % 2 == 0 ? "front" : "back"},
                {"projectcalico.org/namespace", concat("ns-", name_space)},
                {"projectcalico.org/orchestrator", "k8s"}};
  out.parents = {concat("kns.ns-", name_space), concat("ksa.ns-", name_space, ".default")};
  out.nets = {IpPrefix::host(IpAddress::v4(0x0a000000U + i))};
  out.ports = {{"http", model::kProtocolTcp, Port(8080)}, {"metrics", model::kProtocolTcp, Port(9090)}};
  return out;
}

void put_parents(SetIndex& index) {
  for (std::uint32_t n = 0; n < kNamespaces; ++n) {
    index.put_parent(concat("kns.ns-", n), {{"pcns.projectcalico.org/name", concat("ns-", n)},
                                            {"pcns.kubernetes.io/metadata.name", concat("ns-", n)},
                                            {"pcns.team", concat("team-", n % 100)}});
    index.put_parent(concat("ksa.ns-", n, ".default"),
                     {{"pcsa.projectcalico.org/name", "default"}, {"pcsa.role", n % 5 == 0 ? "admin" : "user"}});
  }
}

// What rules pick: pods of a namespace by app, whole namespaces, teams, what is not production.
SetSource source(std::uint32_t s) {
  const std::uint32_t n = s * 2 % kNamespaces;
  switch (s % 10) {
    case 0: return SelectorSource{parsed(concat("pcns.kubernetes.io/metadata.name == 'ns-", n, "'"))};
    case 1: return SelectorSource{parsed(concat("pcns.team == 'team-", n % 100, "' && env != 'test'"))};
    case 2: return SelectorSource{parsed(concat("pcns.team in {'team-", n % 100, "', 'team-1'} && tier == 'front'"))};
    case 3:
      return NamedPortSource{parsed(concat("projectcalico.org/namespace == 'ns-", n, "'")), model::kProtocolTcp,
                             "http"};
    case 4: return SelectorSource{parsed(concat("app.kubernetes.io/part-of == 'product-", n % 50, "' && !has(old)"))};
    default:
      return SelectorSource{
          parsed(concat("projectcalico.org/orchestrator == 'k8s' && projectcalico.org/namespace == 'ns-", n,
                        "' && app == 'app-", s % 7, "'"))};
  }
}

// All that one run builds from, made before the clock starts.
struct Cluster {
  std::vector<SetItem> items;
  std::vector<std::pair<IpSetId, SetSource>> sets;

  Cluster() {
    for (std::uint32_t i = 0; i < kItems; ++i) items.push_back(item(i));
    for (std::uint32_t s = 0; s < kSets; ++s) {
      const SetSource made = source(s);
      sets.emplace_back(id_of(made), made);
    }
  }
};

std::size_t count_members(const std::map<IpSetId, IpSetDelta>& deltas) {
  std::size_t out = 0;
  for (const auto& [id, delta] : deltas) out += delta.added.size();
  return out;
}

std::unique_ptr<SetIndex> build(const Cluster& cluster, bool sets_first, Samples& samples) {
  const auto start = Clock::now();
  auto index = std::make_unique<SetIndex>(SetIndex::Options{});
  const auto add_sets = [&] {
    for (const auto& [id, made] : cluster.sets) index->add_set(id, made);
  };
  if (sets_first) add_sets();
  put_parents(*index);
  for (std::uint32_t i = 0; i < kItems; ++i) index->put_item(ItemId(i), cluster.items[i]);
  if (!sets_first) add_sets();
  const auto deltas = index->take();
  samples.add(seconds_since(start));
  static bool was_said = false;
  if (!std::exchange(was_said, true)) print_figure("members of all sets", double(count_members(deltas)), "");
  return index;
}

// One change, and what follows from it, taken.
template <class Change>
void measure(const std::string& what, SetIndex& index, const Change& change) {
  Samples samples;
  SeededRandom random(1);
  for (int n = 0; n < 20'000; ++n) {
    const auto i = static_cast<std::uint32_t>(random.below(kItems));
    const auto start = Clock::now();
    change(i, n);
    (void)index.take();
    samples.add(seconds_since(start));
  }
  print_samples(what, samples, 1e6, "us");
}

void measure_changes(SetIndex& index) {
  measure("an item gone and back", index, [&](std::uint32_t i, int) {
    index.remove_item(ItemId(i));
    index.put_item(ItemId(i), item(i));
  });
  measure("an item with another address", index, [&](std::uint32_t i, int n) {
    SetItem moved = item(i);
    moved.nets = {IpPrefix::host(IpAddress::v4(0x0b000000U + static_cast<std::uint32_t>(n)))};
    index.put_item(ItemId(i), moved);
  });
  measure("an item with another label", index,
          [&](std::uint32_t i, int n) { index.put_item(ItemId(i), item(i, static_cast<std::uint32_t>(n % 2))); });
  measure("a namespace with another team (50 items)", index, [&](std::uint32_t i, int n) {
    const std::uint32_t name_space = i % kNamespaces;
    index.put_parent(concat("kns.ns-", name_space), {{"pcns.projectcalico.org/name", concat("ns-", name_space)},
                                                     {"pcns.kubernetes.io/metadata.name", concat("ns-", name_space)},
                                                     {"pcns.team", concat("team-", n % 100)}});
  });
  measure("a set of one namespace there and gone", index, [&](std::uint32_t i, int) {
    const SetSource made =
        SelectorSource{parsed(concat("projectcalico.org/namespace == 'ns-", i % kNamespaces, "' && has(q)"))};
    index.add_set(id_of(made), made);
    index.remove_set(id_of(made));
  });
}

// A selector of three terms that all items have to be tried on, over and over.
void measure_evaluation(const Cluster& cluster) {
  LabelIndex index([](SelectorId, ItemId, bool) {});
  for (std::uint32_t n = 0; n < kNamespaces; ++n) index.put_parent(concat("kns.ns-", n), {{"pcns.team", "team-1"}});
  for (std::uint32_t i = 0; i < kItems; ++i) {
    const std::vector<std::string_view> parents(cluster.items[i].parents.begin(), cluster.items[i].parents.end());
    index.put_item(ItemId(i), cluster.items[i].labels, parents);
  }
  Samples samples;
  for (int n = 0; n < 20; ++n) {
    const selector::Selector made =
        parsed(concat("env != 'test' && app != 'app-1' && pcns.team != 'team-1' || old == '", n, "'"));
    const std::uint64_t evaluations = index.evaluations();
    const auto start = Clock::now();
    index.put_selector(SelectorId(0), made);
    samples.add(seconds_since(start) / static_cast<double>(index.evaluations() - evaluations));
    index.remove_selector(SelectorId(0));
  }
  print_samples("one selector tried on one item, all included", samples, 1e9, "ns");
}

}  // namespace
}  // namespace margay::bench

int main(int argc, char** argv) {
  using namespace margay::bench;
  const int runs = argc > 1 ? std::atoi(argv[1]) : 5;
  const Cluster cluster;
  Samples items_first;
  Samples sets_first;
  for (int run = 0; run < runs; ++run) {
    (void)build(cluster, false, items_first);
    (void)build(cluster, true, sets_first);
  }
  print_samples("100,000 items, then 1,000 sets", items_first, 1e3, "ms");
  print_samples("1,000 sets, then 100,000 items", sets_first, 1e3, "ms");
  const std::size_t before = bytes_in_use();
  Samples ignored;
  const auto index = build(cluster, false, ignored);
  print_figure("bytes an item, with sets and matches", double(bytes_in_use() - before) / kItems, "B");
  measure_changes(*index);
  measure_evaluation(cluster);
  return 0;
}
