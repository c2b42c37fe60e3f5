// Metrics: counters, gauges and histograms, with labels, for Prometheus (exposition.h renders them).
//
//   Registry registry;                                                    // one a process, handed in
//   Counter sent = registry.counter({"margay_bgp_updates_sent_total", "UPDATE messages sent."}, {{"peer", name}});
//   sent.increment();
//
// A Counter, Gauge or Histogram is a small value that may be copied, may be used by any thread and may outlive the
// registry; a default one counts nowhere. The same name and labels give the same series. Names that break the rules of
// the formats, and a name used for two kinds of metric, are our own mistake; label values may be anything.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace margay::telemetry {

// In the order of their names, which is how they are printed.
using Labels = std::map<std::string, std::string>;

struct MetricInfo {
  std::string name;  // counters end in _total, metrics with a unit in _<unit> (before _total)
  std::string help;  // one sentence
  std::string unit;  // "seconds", "bytes"; empty: none
};

enum class MetricKind { kCounter, kGauge, kHistogram };

// The numbers of one series, shared by the registry and all handles.
struct CounterCell {
  std::atomic<std::uint64_t> value = 0;
};
struct GaugeCell {
  std::atomic<double> value = 0;
};
struct HistogramCell {
  explicit HistogramCell(std::vector<double> upper_bounds);
  const std::vector<double> bounds;                // rising, finite
  std::vector<std::atomic<std::uint64_t>> counts;  // one more than bounds: the last is above all
  std::atomic<double> sum = 0;
};

class Counter {
 public:
  Counter() = default;
  explicit Counter(std::shared_ptr<CounterCell> cell) : cell_(std::move(cell)) {}
  void increment(std::uint64_t by = 1) {
    if (cell_) cell_->value.fetch_add(by, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t value() const { return cell_ ? cell_->value.load(std::memory_order_relaxed) : 0; }

 private:
  std::shared_ptr<CounterCell> cell_;
};

class Gauge {
 public:
  Gauge() = default;
  explicit Gauge(std::shared_ptr<GaugeCell> cell) : cell_(std::move(cell)) {}
  void set(double value) {
    if (cell_) cell_->value.store(value, std::memory_order_relaxed);
  }
  void add(double by) {
    if (cell_) cell_->value.fetch_add(by, std::memory_order_relaxed);
  }
  [[nodiscard]] double value() const { return cell_ ? cell_->value.load(std::memory_order_relaxed) : 0; }

 private:
  std::shared_ptr<GaugeCell> cell_;
};

class Histogram {
 public:
  Histogram() = default;
  explicit Histogram(std::shared_ptr<HistogramCell> cell) : cell_(std::move(cell)) {}
  // Counted in the first bucket whose upper bound is not below it. Not-a-number is ignored.
  void observe(double value);
  [[nodiscard]] std::uint64_t count() const;

 private:
  std::shared_ptr<HistogramCell> cell_;
};

// `count` bounds: start, start·factor, …
std::vector<double> exponential_bounds(double start, double factor, std::size_t count);

class Registry;

// Keeps a callback gauge or counter alive; after its destructor returns the callback never runs. Must not outlive the
// registry.
class CallbackHandle {
 public:
  CallbackHandle() = default;
  CallbackHandle(CallbackHandle&& other) noexcept;
  CallbackHandle& operator=(CallbackHandle&& other) noexcept;
  ~CallbackHandle();

 private:
  friend class Registry;
  CallbackHandle(Registry& registry, std::string name, Labels labels);

  Registry* registry_ = nullptr;
  std::string name_;
  Labels labels_;
};

class Registry {
 public:
  // One of these is set, by the family's kind.
  struct Series {
    std::shared_ptr<CounterCell> counter;
    std::shared_ptr<GaugeCell> gauge;
    std::shared_ptr<HistogramCell> histogram;
    std::function<double()> callback;
  };
  struct Family {
    MetricInfo info;
    MetricKind kind = MetricKind::kGauge;
    std::map<Labels, Series> series;
  };

  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter counter(const MetricInfo& info, const Labels& labels = {});
  Gauge gauge(const MetricInfo& info, const Labels& labels = {});
  Histogram histogram(const MetricInfo& info, const std::vector<double>& upper_bounds, const Labels& labels = {});
  // A gauge whose value is asked for when the metrics are rendered, by the thread that renders. The callback must not
  // call the registry.
  [[nodiscard]] CallbackHandle callback_gauge(const MetricInfo& info, const Labels& labels,
                                              std::function<double()> callback);
  // The same for a counter that somebody else keeps; it must never go down.
  [[nodiscard]] CallbackHandle callback_counter(const MetricInfo& info, const Labels& labels,
                                                std::function<double()> callback);
  // The series is no longer shown; handles to it stay usable. For what has gone: a peer, an interface.
  void remove(std::string_view name, const Labels& labels);

  // visit(const Family&) for each that has series, in the order of names, while nothing else changes.
  void for_each(const std::function<void(const Family&)>& visit) const;

 private:
  CallbackHandle add_callback(const MetricInfo& info, MetricKind kind, const Labels& labels,
                              std::function<double()> callback);
  Series& series_of(const MetricInfo& info, MetricKind kind, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace margay::telemetry
