#include "base/telemetry/exposition.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "base/core/text.h"
#include "base/telemetry/escape.h"

namespace margay::telemetry {
namespace {

constexpr std::string_view kTotal = "_total";
// Every integer up to here is a double.
constexpr double kExactMax = 9007199254740992.0;

std::string sample_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::trunc(value) && std::abs(value) < kExactMax) return concat(static_cast<std::int64_t>(value));
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

std::string_view kind_text(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter: return "counter";
    case MetricKind::kGauge: return "gauge";
    case MetricKind::kHistogram: return "histogram";
  }
  return "unknown";
}

enum class Quotes { kEscaped, kAsTheyAre };

std::string escaped(std::string_view text, Quotes quotes) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    if (c == '\n') {
      out.append("\\n");
      continue;
    }
    if (c == '\\' || (c == '"' && quotes == Quotes::kEscaped)) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

class Page {
 public:
  explicit Page(Exposition format) : is_open_(format == Exposition::kOpenMetrics) {}

  void add(const Registry::Family& family) {
    const std::string& name = family.info.name;
    add_head(family);
    for (const auto& [labels, series] : family.series) {
      if (series.histogram) {
        add_histogram(name, labels, *series.histogram);
      } else if (series.counter) {
        add_sample({name, ""}, labels, concat(series.counter->value.load(std::memory_order_relaxed)));
      } else if (series.callback) {
        add_sample({name, ""}, labels, sample_text(series.callback()));
      } else {
        add_sample({name, ""}, labels, sample_text(series.gauge->value.load(std::memory_order_relaxed)));
      }
    }
  }

  std::string take() {
    if (is_open_) out_.append("# EOF\n");
    return std::move(out_);
  }

 private:
  struct SampleName {
    std::string_view family;
    std::string_view suffix;
  };

  void add_head(const Registry::Family& family) {
    std::string_view name = family.info.name;
    // OpenMetrics: the family is called without _total, its sample with it.
    if (is_open_ && family.kind == MetricKind::kCounter) name.remove_suffix(kTotal.size());
    const Quotes quotes = is_open_ ? Quotes::kEscaped : Quotes::kAsTheyAre;
    out_.append(concat("# HELP ", name, ' ', escaped(family.info.help, quotes), '\n'));
    out_.append(concat("# TYPE ", name, ' ', kind_text(family.kind), '\n'));
    if (is_open_ && !family.info.unit.empty()) out_.append(concat("# UNIT ", name, ' ', family.info.unit, '\n'));
  }

  void add_sample(SampleName name, const Labels& labels, std::string_view value, std::string_view upper_bound = {}) {
    out_.append(name.family).append(name.suffix);
    char separator = '{';
    for (const auto& [label, text] : labels) {
      out_.append(concat(separator, label, "=\"", escaped(text, Quotes::kEscaped), '"'));
      separator = ',';
    }
    if (!upper_bound.empty()) {
      out_.append(concat(separator, "le=\"", upper_bound, '"'));
      separator = ',';
    }
    if (separator == ',') out_.push_back('}');
    out_.append(concat(' ', value, '\n'));
  }

  // The count is the sum of the buckets read here, so that both agree while others observe.
  void add_histogram(const std::string& name, const Labels& labels, const HistogramCell& cell) {
    const double sum = cell.sum.load(std::memory_order_relaxed);
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < cell.counts.size(); ++i) {
      total += cell.counts[i].load(std::memory_order_relaxed);
      add_sample({name, "_bucket"}, labels, concat(total),
                 i < cell.bounds.size() ? bound_text(cell.bounds[i]) : "+Inf");
    }
    add_sample({name, "_sum"}, labels, sample_text(sum));
    add_sample({name, "_count"}, labels, concat(total));
  }

  // OpenMetrics wants the canonical form of a float: 1.0, not 1.
  [[nodiscard]] std::string bound_text(double bound) const {
    std::string text = sample_text(bound);
    if (is_open_ && text.find_first_of(".e") == std::string::npos) text.append(".0");
    return text;
  }

  bool is_open_;
  std::string out_;
};

bool has_quality(const std::vector<std::string_view>& parameters) {
  for (const std::string_view parameter : parameters) {
    const auto pair = split_once(parameter, '=');
    if (!pair || !equals_ignoring_case(trim(pair->first), "q")) continue;
    return pair->second.find_first_of("123456789") != std::string_view::npos;
  }
  return true;
}

}  // namespace

std::string_view content_type(Exposition format) {
  return format == Exposition::kOpenMetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                            : "text/plain; version=0.0.4; charset=utf-8";
}

Exposition choose_exposition(std::string_view accept_header) {
  for (const std::string_view range : split(accept_header, ',')) {
    const std::vector<std::string_view> parts = split(range, ';');
    if (equals_ignoring_case(trim(parts[0]), "application/openmetrics-text") && has_quality(parts)) {
      return Exposition::kOpenMetrics;
    }
  }
  return Exposition::kPrometheusText;
}

std::string render(const Registry& registry, Exposition format) {
  Page page(format);
  registry.for_each([&page](const Registry::Family& family) { page.add(family); });
  return page.take();
}

}  // namespace margay::telemetry
