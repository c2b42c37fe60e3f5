#include "base/process/process_metrics.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "base/process/build_info.h"
#include "base/telemetry/exposition.h"
#include "gtest/gtest.h"

namespace margay::process {
namespace {

using telemetry::Exposition;

class ProcessMetricsTest : public testing::Test {
 protected:
  // The sample whose line begins with `name` and a blank.
  double value(const std::string& name) {
    const std::string page = telemetry::render(registry_, Exposition::kPrometheusText);
    for (const std::string_view line : split(page, '\n'))
      if (line.starts_with(name + " ")) return std::strtod(std::string(line.substr(name.size() + 1)).c_str(), nullptr);
    ADD_FAILURE() << "no " << name << " in\n" << page;
    return -1;
  }

  telemetry::Registry registry_;
  std::optional<ProcessMetrics> metrics_{std::in_place, registry_};
};

TEST_F(ProcessMetricsTest, CpuTimeGrowsWithWork) {
  const double before = value("process_cpu_seconds_total");
  EXPECT_GE(before, 0);
  double after = before;
  for (int i = 0; i < 1'000'000 && after <= before; ++i) after = value("process_cpu_seconds_total");
  EXPECT_GT(after, before);
  EXPECT_NE(telemetry::render(registry_, Exposition::kPrometheusText).find("# TYPE process_cpu_seconds_total counter"),
            std::string::npos);
}

TEST_F(ProcessMetricsTest, OpenDescriptorsAreCounted) {
  const double before = value("process_open_fds");
  EXPECT_GE(before, 3);
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(value("process_open_fds"), before + 1);
  (void)::close(fd);
  EXPECT_EQ(value("process_open_fds"), before);
  EXPECT_GT(value("process_max_fds"), before);
}

TEST_F(ProcessMetricsTest, MemoryGrowsWithUse) {
  constexpr std::size_t kBytes = 64 * 1024 * 1024;
  const double before = value("process_resident_memory_bytes");
  const std::string used(kBytes, 'x');
  EXPECT_GT(value("process_resident_memory_bytes"), before + kBytes / 2.0) << used.size();
  EXPECT_GT(value("process_virtual_memory_bytes"), value("process_resident_memory_bytes"));
}

TEST_F(ProcessMetricsTest, StartIsBetweenThoseOfMachineAndTest) {
  const double started = value("process_start_time_seconds");
  EXPECT_GT(started, 1.6e9);
  EXPECT_EQ(value("process_start_time_seconds"), started);
}

TEST_F(ProcessMetricsTest, BuildIsNamed) {
  const BuildInfo info = build_info();
  EXPECT_EQ(value(concat("margay_build_info{compiler=\"", info.compiler, "\",revision=\"", info.revision,
                         "\",version=\"", info.version, "\"}")),
            1);
}

TEST_F(ProcessMetricsTest, GoesWithItsOwner) {
  metrics_.reset();
  EXPECT_EQ(telemetry::render(registry_, Exposition::kPrometheusText), "");
}

TEST(ProcessStat, NameMayHoldAnything) {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
  for (const char* name : {"(a)", "(a b)", "()) 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 (x))"}) {
    const auto ticks = parse_start_ticks(concat("7 ", name, rest));
    ASSERT_TRUE(ticks.ok()) << name;
    EXPECT_EQ(*ticks, 4711) << name;
  }
  for (const char* text : {"", "7 (a", "7 (a) S 1 2", "7 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20"})
    EXPECT_FALSE(parse_start_ticks(text).ok()) << text;
}

TEST(ProcessStat, BootTimeIsOneOfItsLines) {
  EXPECT_EQ(*parse_boot_seconds("cpu 1 2\nbtime 1700000000\nprocesses 7\n"), 1.7e9);
  for (const char* text : {"", "cpu 1 2\n", "btime\n", "btime x\n", "xbtime 7\n"})
    EXPECT_FALSE(parse_boot_seconds(text).ok()) << text;
}

TEST_F(ProcessMetricsTest, TheyMayBeLeftOutAndComeBack) {
  const auto has = [this](std::string_view name) {
    return telemetry::render(registry_, Exposition::kPrometheusText).find(name) != std::string::npos;
  };
  metrics_->set_shown(false);
  EXPECT_FALSE(has("process_"));
  EXPECT_TRUE(has("margay_build_info"));
  for (int i = 0; i < 2; ++i) metrics_->set_shown(true);
  EXPECT_GE(value("process_open_fds"), 3);
}

}  // namespace
}  // namespace margay::process
