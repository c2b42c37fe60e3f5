#include "base/telemetry/metrics.h"

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/telemetry/exposition.h"
#include "gtest/gtest.h"

namespace margay::telemetry {
namespace {

std::string prometheus(const Registry& registry) { return render(registry, Exposition::kPrometheusText); }
std::string open_metrics(const Registry& registry) { return render(registry, Exposition::kOpenMetrics); }

TEST(Registry, EmptyRendersNothing) {
  const Registry registry;
  EXPECT_EQ(prometheus(registry), "");
  EXPECT_EQ(open_metrics(registry), "# EOF\n");
}

TEST(Registry, RendersEachKindInBothFormats) {
  Registry registry;
  registry.counter({"m_requests_total", "Requests.", ""}).increment(3);
  registry.gauge({"m_memory_bytes", "Memory.", "bytes"}).set(1.5);
  Histogram histogram = registry.histogram({"m_wait_seconds", "Wait.", "seconds"}, {0.1, 1, 10});
  for (const double value : {0.05, 0.1, 0.5, 100.0}) histogram.observe(value);
  EXPECT_EQ(prometheus(registry),
            "# HELP m_memory_bytes Memory.\n# TYPE m_memory_bytes gauge\nm_memory_bytes 1.5\n"
            "# HELP m_requests_total Requests.\n# TYPE m_requests_total counter\nm_requests_total 3\n"
            "# HELP m_wait_seconds Wait.\n# TYPE m_wait_seconds histogram\n"
            "m_wait_seconds_bucket{le=\"0.1\"} 2\nm_wait_seconds_bucket{le=\"1\"} 3\n"
            "m_wait_seconds_bucket{le=\"10\"} 3\nm_wait_seconds_bucket{le=\"+Inf\"} 4\n"
            "m_wait_seconds_sum 100.65\nm_wait_seconds_count 4\n");
  EXPECT_EQ(open_metrics(registry),
            "# HELP m_memory_bytes Memory.\n# TYPE m_memory_bytes gauge\n# UNIT m_memory_bytes bytes\n"
            "m_memory_bytes 1.5\n"
            "# HELP m_requests Requests.\n# TYPE m_requests counter\nm_requests_total 3\n"
            "# HELP m_wait_seconds Wait.\n# TYPE m_wait_seconds histogram\n# UNIT m_wait_seconds seconds\n"
            "m_wait_seconds_bucket{le=\"0.1\"} 2\nm_wait_seconds_bucket{le=\"1.0\"} 3\n"
            "m_wait_seconds_bucket{le=\"10.0\"} 3\nm_wait_seconds_bucket{le=\"+Inf\"} 4\n"
            "m_wait_seconds_sum 100.65\nm_wait_seconds_count 4\n# EOF\n");
}

TEST(Registry, LabelsAndSeriesAreInOrder) {
  Registry registry;
  registry.gauge({"m", "h", ""}, {{"z", "1"}, {"a", "2"}}).set(1);
  registry.gauge({"m", "h", ""}, {{"a", "1"}, {"z", "9"}}).set(2);
  registry.gauge({"m", "h", ""}).set(3);
  EXPECT_EQ(prometheus(registry), "# HELP m h\n# TYPE m gauge\nm 3\nm{a=\"1\",z=\"9\"} 2\nm{a=\"2\",z=\"1\"} 1\n");
}

TEST(Registry, HistogramLabelsEndWithTheBound) {
  Registry registry;
  registry.histogram({"m", "h", ""}, {1}, {{"zone", "x"}}).observe(1);
  EXPECT_EQ(prometheus(registry),
            "# HELP m h\n# TYPE m histogram\nm_bucket{zone=\"x\",le=\"1\"} 1\n"
            "m_bucket{zone=\"x\",le=\"+Inf\"} 1\nm_sum{zone=\"x\"} 1\nm_count{zone=\"x\"} 1\n");
}

TEST(Registry, EscapesLabelValuesAndHelp) {
  Registry registry;
  registry.gauge({"m", "a \"b\" \\ c\nd", ""}, {{"l", "x\"y\\z\nw\xff"}}).set(1);
  const std::string sample = "m{l=\"x\\\"y\\\\z\\nw\xef\xbf\xbd\"} 1\n";
  EXPECT_EQ(prometheus(registry), "# HELP m a \"b\" \\\\ c\\nd\n# TYPE m gauge\n" + sample);
  EXPECT_EQ(open_metrics(registry), "# HELP m a \\\"b\\\" \\\\ c\\nd\n# TYPE m gauge\n" + sample + "# EOF\n");
}

TEST(Registry, NumbersReadBackExactly) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {-3, "-3"},
      {1e6, "1000000"},
      {0.1, "0.1"},
      {1e300, "1e+300"},
      {std::numeric_limits<double>::infinity(), "+Inf"},
      {-1e-9, "-1e-09"},
      {-std::numeric_limits<double>::infinity(), "-Inf"},
      {std::nan(""), "NaN"},
  };
  for (const auto& [value, text] : cases) {
    Registry registry;
    registry.gauge({"m", "h", ""}).set(value);
    EXPECT_EQ(prometheus(registry), std::string("# HELP m h\n# TYPE m gauge\nm ") + text + "\n");
  }
  Registry registry;
  registry.counter({"m_total", "h", ""}).increment(std::numeric_limits<std::uint64_t>::max());
  EXPECT_NE(prometheus(registry).find("m_total 18446744073709551615\n"), std::string::npos);
}

TEST(Registry, SameNameAndLabelsAreOneSeries) {
  Registry registry;
  Counter a = registry.counter({"m_total", "h", ""}, {{"l", "1"}});
  Counter b = registry.counter({"m_total", "h", ""}, {{"l", "1"}});
  Counter c = registry.counter({"m_total", "h", ""}, {{"l", "2"}});
  a.increment();
  b.increment(2);
  EXPECT_EQ(a.value(), 3U);
  EXPECT_EQ(c.value(), 0U);
  Gauge gauge = registry.gauge({"g", "h", ""});
  gauge.set(5);
  registry.gauge({"g", "h", ""}).add(-2);
  EXPECT_EQ(gauge.value(), 3);
}

TEST(Registry, RemovedSeriesAreNotShownAndHandlesStayUsable) {
  Registry registry;
  Counter counter = registry.counter({"m_total", "h", ""}, {{"peer", "a"}});
  registry.remove("m_total", {{"peer", "a"}});
  registry.remove("m_total", {{"peer", "never"}});
  registry.remove("never", {});
  counter.increment();
  EXPECT_EQ(counter.value(), 1U);
  EXPECT_EQ(prometheus(registry), "");
}

TEST(Registry, HandlesMayOutliveIt) {
  Counter counter;
  {
    Registry registry;
    counter = registry.counter({"m_total", "h", ""});
  }
  counter.increment();
  EXPECT_EQ(counter.value(), 1U);
}

TEST(Metrics, DefaultHandlesCountNowhere) {
  Counter counter;
  Gauge gauge;
  Histogram histogram;
  counter.increment();
  gauge.set(1);
  gauge.add(1);
  histogram.observe(1);
  EXPECT_EQ(counter.value(), 0U);
  EXPECT_EQ(gauge.value(), 0);
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(Metrics, HistogramIgnoresNotANumber) {
  Registry registry;
  Histogram histogram = registry.histogram({"m", "h", ""}, {1});
  histogram.observe(std::nan(""));
  EXPECT_EQ(histogram.count(), 0U);
  histogram.observe(std::numeric_limits<double>::infinity());
  histogram.observe(-1);
  EXPECT_EQ(histogram.count(), 2U);
}

TEST(Metrics, ExponentialBounds) {
  EXPECT_EQ(exponential_bounds(1, 2, 4), (std::vector<double>{1, 2, 4, 8}));
  EXPECT_TRUE(exponential_bounds(1, 2, 0).empty());
}

TEST(CallbackGauge, IsAskedWhenRenderedAndNeverAfterwards) {
  Registry registry;
  int asked = 0;
  {
    const CallbackHandle handle = registry.callback_gauge({"m", "h", ""}, {{"q", "a"}}, [&asked] { return ++asked; });
    EXPECT_NE(prometheus(registry).find("m{q=\"a\"} 1\n"), std::string::npos);
    EXPECT_NE(prometheus(registry).find("m{q=\"a\"} 2\n"), std::string::npos);
  }
  EXPECT_EQ(prometheus(registry), "");
  EXPECT_EQ(asked, 2);
}

TEST(CallbackCounter, IsACounterInBothFormats) {
  Registry registry;
  const CallbackHandle handle =
      registry.callback_counter({"cpu_seconds_total", "h", "seconds"}, {}, [] { return 1.5; });
  EXPECT_EQ(prometheus(registry),
            "# HELP cpu_seconds_total h\n# TYPE cpu_seconds_total counter\ncpu_seconds_total 1.5\n");
  EXPECT_EQ(render(registry, Exposition::kOpenMetrics),
            "# HELP cpu_seconds h\n# TYPE cpu_seconds counter\n# UNIT cpu_seconds seconds\n"
            "cpu_seconds_total 1.5\n# EOF\n");
}

TEST(CallbackGauge, HandleMovesItsDuty) {
  Registry registry;
  CallbackHandle kept;
  {
    CallbackHandle first = registry.callback_gauge({"m", "h", ""}, {}, [] { return 7.0; });
    CallbackHandle second = std::move(first);
    kept = std::move(second);
  }
  EXPECT_NE(prometheus(registry).find("m 7\n"), std::string::npos);
  kept = CallbackHandle();
  EXPECT_EQ(prometheus(registry), "");
}

TEST(RegistryDeathTest, BrokenNamesAreOurMistake) {
  Registry registry;
  registry.counter({"c_total", "h", ""});
  EXPECT_DEATH(registry.counter({"requests", "counters end in _total", ""}), "check failed");
  EXPECT_DEATH(registry.gauge({"g_total", "others do not", ""}), "check failed");
  EXPECT_DEATH(registry.gauge({"1a", "h", ""}), "check failed");
  EXPECT_DEATH(registry.gauge({"a-b", "h", ""}), "check failed");
  EXPECT_DEATH(registry.gauge({"", "h", ""}), "check failed");
  EXPECT_DEATH(registry.gauge({"wait", "h", "seconds"}), "check failed");
  EXPECT_DEATH(registry.gauge({"g", "h", ""}, {{"__name__", "x"}}), "check failed");
  EXPECT_DEATH(registry.gauge({"g", "h", ""}, {{"a b", "x"}}), "check failed");
  EXPECT_DEATH(registry.histogram({"hi", "h", ""}, {1}, {{"le", "x"}}), "check failed");
  EXPECT_DEATH(registry.histogram({"hi", "h", ""}, {2, 1}), "check failed");
  EXPECT_DEATH(registry.histogram({"hi", "h", ""}, {1, 1}), "check failed");
  EXPECT_DEATH(registry.histogram({"hi", "h", ""}, {}), "check failed");
}

TEST(RegistryDeathTest, OneNameIsOneKindWithTheSameBounds) {
  Registry registry;
  registry.gauge({"g", "h", ""});
  registry.histogram({"hi", "h", ""}, {1, 2});
  EXPECT_DEATH(registry.histogram({"g", "h", ""}, {1}), "check failed");
  EXPECT_DEATH(registry.histogram({"hi", "h", ""}, {1, 3}), "check failed");
  EXPECT_DEATH((void)registry.callback_gauge({"g", "h", ""}, {}, [] { return 1.0; }), "check failed");
}

TEST(Exposition, FollowsTheAcceptHeader) {
  const std::pair<const char*, Exposition> cases[] = {
      {"", Exposition::kPrometheusText},
      {"*/*", Exposition::kPrometheusText},
      {"text/plain;version=0.0.4", Exposition::kPrometheusText},
      {"application/openmetrics-text", Exposition::kOpenMetrics},
      {"application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3", Exposition::kOpenMetrics},
      {"text/plain;q=0.3 , Application/OpenMetrics-Text ; version=1.0.0", Exposition::kOpenMetrics},
      {"application/openmetrics-text;q=0", Exposition::kPrometheusText},
      {"application/openmetrics-text; q=0.00, */*", Exposition::kPrometheusText},
      {"application/openmetrics-text-plus", Exposition::kPrometheusText},
  };
  for (const auto& [header, expected] : cases) EXPECT_EQ(choose_exposition(header), expected) << header;
  EXPECT_EQ(content_type(Exposition::kPrometheusText), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(content_type(Exposition::kOpenMetrics), "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

TEST(Metrics, NothingIsLostBetweenThreads) {
  Registry registry;
  constexpr int kRounds = 2000;
  const auto work = [&registry] {
    Counter counter = registry.counter({"c_total", "h", ""});
    Gauge gauge = registry.gauge({"g", "h", ""});
    Histogram histogram = registry.histogram({"h", "h", ""}, {10, 1000});
    for (int i = 0; i < kRounds; ++i) {
      counter.increment();
      gauge.add(1);
      histogram.observe(i);
      const CallbackHandle handle =
          registry.callback_gauge({"cb", "h", ""}, {{"t", std::to_string(reinterpret_cast<std::uintptr_t>(&counter))}},
                                  [&counter] { return static_cast<double>(counter.value()); });
    }
  };
  std::thread a(work);
  std::thread b(work);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(open_metrics(registry).ends_with("# EOF\n"));
  a.join();
  b.join();
  EXPECT_EQ(registry.counter({"c_total", "h", ""}).value(), 2U * kRounds);
  EXPECT_EQ(registry.gauge({"g", "h", ""}).value(), 2 * kRounds);
  EXPECT_EQ(registry.histogram({"h", "h", ""}, {10, 1000}).count(), 2U * kRounds);
}

}  // namespace
}  // namespace margay::telemetry
