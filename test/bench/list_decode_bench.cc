// Decoding a LIST of 100,000 pods: how fast, and how much memory beyond the answer's own bytes. Stage by stage:
// splitting alone, with parsing, with decoding, and as the watch cache does it, which keeps every pod.
//
// MARGAY_BENCH_PODS sets the number of pods.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "datastore/codec/codec.h"
#include "datastore/kube/list_splitter.h"
#include "datastore/model/pod.h"
#include "datastore/watch/kind_watch.h"
#include "test/bench/pod_list.h"

namespace margay::bench {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;  // as they come from a socket
constexpr double kMegabyte = 1e6;

std::size_t pod_count() {
  const char* text = std::getenv("MARGAY_BENCH_PODS");
  return text == nullptr ? 100'000 : parse_number<std::size_t>(text).value_or(100'000);
}

const std::string& answer() {
  static const std::string text = pod_list(pod_count());
  return text;
}

// A field of /proc/self/status in bytes, such as "VmHWM:".
double memory(std::string_view field) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  double bytes = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    const std::string_view text(line);
    if (text.starts_with(field)) bytes = std::strtod(line + field.size(), nullptr) * 1024;
  }
  std::fclose(file);
  return bytes;
}

// The peak of resident memory above what was resident when this was made.
class PeakMemory {
 public:
  PeakMemory() {
    answer();
    // 5: the peak starts over (proc(5)).
    if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
      std::fputs("5", file);
      std::fclose(file);
    }
    before_ = memory("VmRSS:");
  }
  [[nodiscard]] double megabytes() const { return (memory("VmHWM:") - before_) / kMegabyte; }

 private:
  double before_ = 0;
};

template <class OnItem>
void split(OnItem on_item) {
  kube::ListSplitter splitter;
  std::string_view rest = answer();
  while (!rest.empty()) {
    splitter.feed(rest.substr(0, kPieceBytes));
    rest.remove_prefix(std::min(rest.size(), kPieceBytes));
    while (splitter.next() == kube::ListSplitter::Step::kItem) on_item(splitter.item());
  }
  if (!splitter.finish().ok()) std::abort();
}

void report(benchmark::State& state, const PeakMemory& peak, std::size_t pods) {
  if (pods != pod_count() * static_cast<std::size_t>(state.iterations())) state.SkipWithError("pods were lost");
  const auto bytes = static_cast<double>(answer().size()) * static_cast<double>(state.iterations());
  state.counters["MB/s"] = benchmark::Counter(bytes / kMegabyte, benchmark::Counter::kIsRate);
  state.counters["peak_MB"] = peak.megabytes();
  state.counters["answer_MB"] = static_cast<double>(answer().size()) / kMegabyte;
}

void split_only(benchmark::State& state) {
  const PeakMemory peak;
  std::size_t pods = 0;
  for (auto _ : state) {
    split([&](std::string_view) { ++pods; });
  }
  report(state, peak, pods);
}
BENCHMARK(split_only)->Unit(benchmark::kMillisecond);

void split_and_parse(benchmark::State& state) {
  const PeakMemory peak;
  std::size_t pods = 0;
  for (auto _ : state) {
    watch::ObjectReader reader;
    split([&](std::string_view item) { pods += reader.read(item).ok() ? std::size_t{1} : 0; });
  }
  report(state, peak, pods);
}
BENCHMARK(split_and_parse)->Unit(benchmark::kMillisecond);

void split_parse_and_decode(benchmark::State& state) {
  const PeakMemory peak;
  std::size_t pods = 0;
  for (auto _ : state) {
    watch::ObjectReader reader;
    model::Pod pod;
    split([&](std::string_view item) {
      const auto head = reader.read(item);
      pods += head.ok() && codec::decode(head->object, pod).empty() ? std::size_t{1} : 0;
    });
  }
  report(state, peak, pods);
}
BENCHMARK(split_parse_and_decode)->Unit(benchmark::kMillisecond);

// Answers one list with the bytes of answer(), and never anything else.
class OneList final : public kube::Client {
 public:
  struct Nothing final : kube::Operation {};
  kube::ListEvents events;

  kube::OperationPtr list(const kube::ResourceType&, std::string_view, const kube::ListOptions&,
                          kube::ListEvents list_events) override {
    events = std::move(list_events);
    return std::make_unique<Nothing>();
  }
  void answer_list() {
    split([this](std::string_view item) { events.on_item(item); });
    events.on_done(kube::ListMeta{.resource_version = "987654321"});
  }

  using Name = kube::ObjectName;
  using Type = kube::ResourceType;
  kube::OperationPtr get(const Type&, const Name&, kube::ObjectDone) override { return nullptr; }
  kube::OperationPtr watch(const Type&, std::string_view, const kube::WatchOptions&, kube::WatchEvents) override {
    return std::make_unique<Nothing>();
  }
  kube::OperationPtr create(const Type&, std::string_view, const json::Value&, const kube::WriteOptions&,
                            kube::ObjectDone) override {
    return nullptr;
  }
  kube::OperationPtr update(const Type&, const Name&, const json::Value&, const kube::WriteOptions&,
                            kube::ObjectDone) override {
    return nullptr;
  }
  kube::OperationPtr update_status(const Type&, const Name&, const json::Value&, const kube::WriteOptions&,
                                   kube::ObjectDone) override {
    return nullptr;
  }
  kube::OperationPtr patch(const Type&, const Name&, std::string_view, kube::PatchType, std::string,
                           const kube::WriteOptions&, kube::ObjectDone) override {
    return nullptr;
  }
  kube::OperationPtr remove(const Type&, const Name&, const kube::DeleteOptions&, kube::ObjectDone) override {
    return nullptr;
  }
  kube::OperationPtr get_path(std::string_view, Callback<void(kube::ApiResult<std::string>)>) override {
    return nullptr;
  }
};

// Reflector, decoding and cache. The end of the cache is not counted: it lives as long as the program.
void list_into_cache(benchmark::State& state) {
  const PeakMemory peak;
  std::size_t pods = 0;
  for (auto _ : state) {
    loop::SimLoop loop;
    SeededRandom random(1);
    OneList client;
    const watch::WatchEnvironment environment{loop, random, client};
    auto kind_watch = std::make_unique<watch::KindWatch<model::Pod>>(
        environment, watch::WatchSource{.type = {"", "v1", "pods", "Pod", true}},
        watch::Decoder<model::Pod>{.decode = codec::SharingDecoder<model::Pod>()});
    watch::KindWatch<model::Pod>& kind = *kind_watch;
    kind.start();
    client.answer_list();
    pods += kind.cache().size();
    state.PauseTiming();
    kind_watch.reset();
    state.ResumeTiming();
  }
  report(state, peak, pods);
}
BENCHMARK(list_into_cache)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace margay::bench

BENCHMARK_MAIN();
