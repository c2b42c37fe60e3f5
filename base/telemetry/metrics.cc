#include "base/telemetry/metrics.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/core/check.h"
#include "base/core/text.h"

namespace margay::telemetry {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Both formats allow colons in metric names, but keep them for recording rules.
bool is_name(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

bool name_fits(const MetricInfo& info, MetricKind kind) {
  std::string_view name = info.name;
  constexpr std::string_view kTotal = "_total";
  if (!is_name(name)) return false;
  if (name.ends_with(kTotal) != (kind == MetricKind::kCounter)) return false;
  if (kind == MetricKind::kCounter) name.remove_suffix(kTotal.size());
  return info.unit.empty() || name.ends_with(concat('_', info.unit));
}

bool labels_fit(const Labels& labels, MetricKind kind) {
  return std::all_of(labels.begin(), labels.end(), [kind](const auto& label) {
    const bool is_reserved = label.first.starts_with("__") || (kind == MetricKind::kHistogram && label.first == "le");
    return is_name(label.first) && !is_reserved;
  });
}

bool bounds_fit(const std::vector<double>& bounds) {
  return !bounds.empty() &&
         std::all_of(bounds.begin(), bounds.end(), [](double bound) { return std::isfinite(bound); }) &&
         std::adjacent_find(bounds.begin(), bounds.end(), std::greater_equal<>()) == bounds.end();
}

}  // namespace

HistogramCell::HistogramCell(std::vector<double> upper_bounds)
    : bounds(std::move(upper_bounds)), counts(bounds.size() + 1) {}

void Histogram::observe(double value) {
  if (!cell_ || std::isnan(value)) return;
  const auto bucket = std::lower_bound(cell_->bounds.begin(), cell_->bounds.end(), value);
  const auto index = static_cast<std::size_t>(bucket - cell_->bounds.begin());
  cell_->counts[index].fetch_add(1, std::memory_order_relaxed);
  cell_->sum.fetch_add(value, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t total = 0;
  if (!cell_) return total;
  for (const auto& count : cell_->counts) total += count.load(std::memory_order_relaxed);
  return total;
}

std::vector<double> exponential_bounds(double start, double factor, std::size_t count) {
  MARGAY_CHECK(start > 0 && factor > 1);
  std::vector<double> bounds;
  for (double bound = start; bounds.size() < count; bound *= factor) bounds.push_back(bound);
  return bounds;
}

CallbackHandle::CallbackHandle(Registry& registry, std::string name, Labels labels)
    : registry_(&registry), name_(std::move(name)), labels_(std::move(labels)) {}

CallbackHandle::CallbackHandle(CallbackHandle&& other) noexcept
    : registry_(std::exchange(other.registry_, nullptr)),
      name_(std::move(other.name_)),
      labels_(std::move(other.labels_)) {}

CallbackHandle& CallbackHandle::operator=(CallbackHandle&& other) noexcept {
  std::swap(registry_, other.registry_);
  std::swap(name_, other.name_);
  std::swap(labels_, other.labels_);
  return *this;
}

CallbackHandle::~CallbackHandle() {
  if (registry_ != nullptr) registry_->remove(name_, labels_);
}

Registry::Series& Registry::series_of(const MetricInfo& info, MetricKind kind, const Labels& labels) {
  MARGAY_CHECK(name_fits(info, kind));
  MARGAY_CHECK(labels_fit(labels, kind));
  const auto [at, is_new] = families_.try_emplace(info.name);
  Family& family = at->second;
  if (is_new) {
    family.info = info;
    family.kind = kind;
  }
  MARGAY_CHECK(family.kind == kind);
  return family.series[labels];
}

Counter Registry::counter(const MetricInfo& info, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = series_of(info, MetricKind::kCounter, labels);
  MARGAY_CHECK(!series.callback);
  if (!series.counter) series.counter = std::make_shared<CounterCell>();
  return Counter(series.counter);
}

Gauge Registry::gauge(const MetricInfo& info, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& series = series_of(info, MetricKind::kGauge, labels);
  MARGAY_CHECK(!series.callback);
  if (!series.gauge) series.gauge = std::make_shared<GaugeCell>();
  return Gauge(series.gauge);
}

Histogram Registry::histogram(const MetricInfo& info, const std::vector<double>& upper_bounds, const Labels& labels) {
  MARGAY_CHECK(bounds_fit(upper_bounds));
  const std::lock_guard lock(mutex_);
  Series& series = series_of(info, MetricKind::kHistogram, labels);
  if (!series.histogram) series.histogram = std::make_shared<HistogramCell>(upper_bounds);
  MARGAY_CHECK(series.histogram->bounds == upper_bounds);
  return Histogram(series.histogram);
}

CallbackHandle Registry::callback_gauge(const MetricInfo& info, const Labels& labels,
                                        std::function<double()> callback) {
  return add_callback(info, MetricKind::kGauge, labels, std::move(callback));
}

CallbackHandle Registry::callback_counter(const MetricInfo& info, const Labels& labels,
                                          std::function<double()> callback) {
  return add_callback(info, MetricKind::kCounter, labels, std::move(callback));
}

CallbackHandle Registry::add_callback(const MetricInfo& info, MetricKind kind, const Labels& labels,
                                      std::function<double()> callback) {
  const std::lock_guard lock(mutex_);
  Series& series = series_of(info, kind, labels);
  MARGAY_CHECK(!series.counter && !series.gauge && !series.callback);
  series.callback = std::move(callback);
  return CallbackHandle(*this, info.name, labels);
}

void Registry::remove(std::string_view name, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  const auto family = families_.find(name);
  if (family != families_.end()) family->second.series.erase(labels);
}

void Registry::for_each(const std::function<void(const Family&)>& visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    if (!family.series.empty()) visit(family);
  }
}

}  // namespace margay::telemetry
