#include "base/core/time_text.h"

#include <cstdint>
#include <limits>

#include "base/core/random.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, ReadsWhatGoWrites) {
  struct Case {
    const char* text;
    Duration expected;
  };
  const Case cases[] = {
      {"0", 0s},
      {"0s", 0s},
      {"90s", 90s},
      {"1m30s", 90s},
      {"1.5h", 90min},
      {".5s", 500ms},
      {"1.s", 1s},
      {"500ms", 500ms},
      {"10us", 10us},
      {"10µs", 10us},
      {"10μs", 10us},
      {"3ns", 3ns},
      {"-1m", -60s},
      {"+1m", 60s},
      {"1h1m1s1ms1us1ns", 3661001001001ns},
      {"1ns1h", 3600000000001ns},
      {"0.0000000001s", 0s},
      {"2562047h47m16.854775807s", Duration::max()},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(parse_duration(c.text).ok()) << c.text;
    EXPECT_EQ(*parse_duration(c.text), c.expected) << c.text;
  }
}

TEST(DurationText, RefusesEverythingElse) {
  for (const char* bad : {"",         "s",
                          "1",        "-",
                          "+",        ".",
                          ".s",       "1d",
                          "1 s",      " 1s",
                          "1s ",      "1,5s",
                          "1s1",      "--1s",
                          "0x1s",     "9999999999999999999s",
                          "2562048h", "2562047h47m17s",
                          "1e3s",     "1S"}) {
    EXPECT_FALSE(parse_duration(bad).ok()) << bad;
  }
  EXPECT_EQ(parse_duration("1d").error().message, "\"1d\" is not a duration such as 90s, 1m30s or 500ms");
}

TEST(DurationText, PrintsAsGoDoes) {
  struct Case {
    Duration duration;
    const char* expected;
  };
  const Case cases[] = {
      {0s, "0s"},       {90s, "1m30s"},   {1h, "1h0m0s"},   {500ms, "500ms"},      {1500us, "1.5ms"}, {1500ns, "1.5µs"},
      {999ns, "999ns"}, {-90s, "-1m30s"}, {1500ms, "1.5s"}, {61001ms, "1m1.001s"}, {25h, "25h0m0s"},  {10min, "10m0s"},
  };
  for (const Case& c : cases) EXPECT_EQ(format_duration(c.duration), c.expected);
}

TEST(DurationText, ReadsBackWhatItPrints) {
  SeededRandom random(1);
  for (int i = 0; i < 5000; ++i) {
    const Duration duration(static_cast<std::int64_t>(random.next() >> random.below(64)));
    ASSERT_EQ(parse_duration(format_duration(duration)).value(), duration) << format_duration(duration);
  }
  EXPECT_EQ(parse_duration(format_duration(Duration::max())).value(), Duration::max());
  EXPECT_EQ(format_duration(Duration::min()), "-2562047h47m16.854775808s");
}

TEST(TimestampText, ReadsEveryFormOfRfc3339) {
  const WallTime base = *parse_timestamp("2026-08-22T10:00:00Z");
  EXPECT_EQ(base.time_since_epoch(), 1787392800s);
  EXPECT_EQ(*parse_timestamp("1970-01-01T00:00:00Z"), WallTime());
  EXPECT_EQ(*parse_timestamp("2026-08-22T12:30:00+02:30"), base);
  EXPECT_EQ(*parse_timestamp("2026-08-22T09:00:00-01:00"), base);
  EXPECT_EQ(*parse_timestamp("2026-08-22t10:00:00z"), base);
  EXPECT_EQ(*parse_timestamp("2026-08-22T10:00:00.123456Z"), base + 123456us);
  EXPECT_EQ(*parse_timestamp("2026-08-22T10:00:00.1234567891Z"), base + 123456789ns);
  EXPECT_EQ(*parse_timestamp("2024-02-29T00:00:00Z") + 24h, *parse_timestamp("2024-03-01T00:00:00Z"));
}

TEST(TimestampText, RefusesEverythingElse) {
  for (const char* bad :
       {"", "2026-08-22", "2026-08-22T10:00:00", "2026-08-22 10:00:00Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-08-22T24:00:00Z", "2026-08-22T10:60:00Z", "2026-08-22T10:00:60Z",
        "2026-08-22T10:00:00.Z", "2026-08-22T10:00:00+2:00", "2026-08-22T10:00:00Zx", "26-08-22T10:00:00Z",
        "1500-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "2026-8-22T10:00:00Z"}) {
    EXPECT_FALSE(parse_timestamp(bad).ok()) << bad;
  }
}

TEST(TimestampText, PrintsUtcWithTheDigitsAskedFor) {
  const WallTime time = *parse_timestamp("2026-08-02T03:04:05.000123456+00:00");
  EXPECT_EQ(format_timestamp(time), "2026-08-02T03:04:05Z");
  EXPECT_EQ(format_timestamp(time, FractionDigits::kMilliseconds), "2026-08-02T03:04:05.000Z");
  EXPECT_EQ(format_timestamp(time, FractionDigits::kMicroseconds), "2026-08-02T03:04:05.000123Z");
  EXPECT_EQ(format_timestamp(time, FractionDigits::kNanoseconds), "2026-08-02T03:04:05.000123456Z");
  EXPECT_EQ(format_timestamp(WallTime(-1ns)), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace margay
