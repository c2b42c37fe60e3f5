#include "base/telemetry/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "base/telemetry/capture_sink.h"
#include "base/telemetry/fd_sink.h"
#include "base/telemetry/log_format.h"
#include "base/telemetry/rate_limit.h"
#include "base/telemetry/wall_clock.h"
#include "gtest/gtest.h"

namespace margay::telemetry {
namespace {

using namespace std::string_view_literals;
using Lines = std::vector<std::string>;

struct Log {
  CaptureSink sink;
  LogOutput output{sink, no_clock, Level::kInfo};
  Logger logger{output};
};

TEST(Logger, WritesFromItsLevelUp) {
  Log log;
  log.logger.debug("a");
  log.logger.info("b");
  log.logger.warn("c");
  log.logger.error("d");
  EXPECT_EQ(log.sink.lines(), (Lines{"level=info msg=b", "level=warn msg=c", "level=error msg=d"}));
  EXPECT_EQ(log.output.count(Level::kDebug), 0U);
  EXPECT_EQ(log.output.count(Level::kError), 1U);
}

TEST(Logger, LevelChangesForAllLoggersAtOnce) {
  Log log;
  const Logger child = log.logger.with({{"scope", "bgp"}});
  EXPECT_FALSE(child.is_enabled(Level::kDebug));
  log.output.set_level(Level::kDebug);
  child.debug("seen");
  log.output.set_level(Level::kOff);
  child.error("not seen");
  EXPECT_FALSE(child.is_enabled(Level::kOff));
  child.log(Level::kOff, "not a level to log at");
  EXPECT_EQ(log.sink.lines(), (Lines{"level=debug msg=seen scope=bgp"}));
}

TEST(Logger, DefaultDiscardsEverything) {
  const Logger logger;
  EXPECT_FALSE(logger.is_enabled(Level::kError));
  logger.with({{"a", 1}}).error("nobody hears it");
}

TEST(Logger, ScopesAddFieldsAndTheLastOfAKeyCounts) {
  Log log;
  const Logger node = log.logger.with({{"scope", "node"}, {"peer", "none"}});
  const Logger peer = node.with({{"peer", "a"}});
  peer.info("up", {{"routes", 12}, {"scope", "call"}});
  node.info("still");
  EXPECT_EQ(log.sink.lines(),
            (Lines{"level=info msg=up peer=a routes=12 scope=call", "level=info msg=still scope=node peer=none"}));
}

struct Thing {
  [[nodiscard]] std::string to_string() const { return "10.0.0.0/8"; }
};

TEST(Logger, FieldsCarryNumbersTextTimesErrorsAndOurOwnTypes) {
  Log log;
  log.logger.info("m", {{"bool", true},
                        {"small", std::int8_t{-1}},
                        {"big", std::numeric_limits<std::uint64_t>::max()},
                        {"least", std::numeric_limits<std::int64_t>::min()},
                        {"double", 0.1},
                        {"view", "v"sv},
                        {"time", std::chrono::milliseconds(1500)},
                        {"error", Error{ErrorCode::kTimeout, "no answer"}},
                        {"thing", Thing{}},
                        {"enum", Level::kWarn}});
  EXPECT_EQ(log.sink.lines(), (Lines{"level=info msg=m bool=true small=-1 big=18446744073709551615 "
                                     "least=-9223372036854775808 double=0.1 view=v time=1.5s "
                                     "error=\"timeout: no answer\" thing=10.0.0.0/8 enum=warn"}));
}

TEST(Level, IsReadInAnyCase) {
  EXPECT_EQ(parse_level("Warning").value(), Level::kWarn);
  EXPECT_EQ(parse_level("DEBUG").value(), Level::kDebug);
  EXPECT_EQ(parse_level("off").value(), Level::kOff);
  for (const char* bad : {"", "verbose", "info "}) EXPECT_FALSE(parse_level(bad).ok()) << bad;
  EXPECT_EQ(parse_log_format("json").value(), LogFormat::kJson);
  EXPECT_FALSE(parse_log_format("xml").ok());
}

std::string line(LogFormat format, std::string_view message, const std::vector<Field>& fields) {
  const WallTime time{std::chrono::milliseconds(1'700'000'000'007)};
  return format_record(
      Record{.time = time, .level = Level::kInfo, .message = message, .logger_fields = {}, .call_fields = fields},
      format);
}

TEST(LogFormat, BeginsWithTimeLevelAndMessage) {
  EXPECT_EQ(line(LogFormat::kLogfmt, "it works", {}), "ts=2023-11-14T22:13:20.007Z level=info msg=\"it works\"");
  EXPECT_EQ(line(LogFormat::kJson, "it works", {{"n", 1}, {"t", "x"}, {"b", false}}),
            R"({"ts":"2023-11-14T22:13:20.007Z","level":"info","msg":"it works","n":1,"t":"x","b":false})");
}

struct Escape {
  const char* why;
  std::string_view value;
  std::string_view logfmt;
  std::string_view json;
};

constexpr Escape kEscapes[] = {
    {"plain", "a/b:c", "a/b:c", R"("a/b:c")"},
    {"empty", "", R"("")", R"("")"},
    {"blank", "a b", R"("a b")", R"("a b")"},
    {"equals sign", "a=b", R"("a=b")", R"("a=b")"},
    {"quote", "a\"b", R"("a\"b")", R"("a\"b")"},
    {"backslash", "a\\b", R"("a\\b")", R"("a\\b")"},
    {"line ends", "a\r\nb", R"("a\r\nb")", R"("a\r\nb")"},
    {"a line that looks like another record", "x\nts=1 level=error", R"("x\nts=1 level=error")",
     R"("x\nts=1 level=error")"},
    {"tab", "\t", R"("\t")", R"("\t")"},
    {"control", "\x1b[31m", R"("\u001b[31m")", R"("\u001b[31m")"},
    {"zero byte", "a\0b"sv, R"("a\u0000b")", R"("a\u0000b")"},
    {"delete", "\x7f", R"("\u007f")", R"("\u007f")"},
    {"UTF-8 of 2, 3, 4 bytes", "é€😀", "\"é€😀\"", "\"é€😀\""},
    {"stray continuation", "a\x80", "\"a\xef\xbf\xbd\"", "\"a\xef\xbf\xbd\""},
    {"cut sequence", "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"overlong", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"surrogate", "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"beyond Unicode", "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"",
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

TEST(LogFormat, EscapesValues) {
  for (const Escape& c : kEscapes) {
    EXPECT_EQ(line(LogFormat::kLogfmt, "m", {{"k", c.value}}),
              concat("ts=2023-11-14T22:13:20.007Z level=info msg=m k=", c.logfmt))
        << c.why;
    EXPECT_EQ(line(LogFormat::kJson, "m", {{"k", c.value}}),
              concat(R"({"ts":"2023-11-14T22:13:20.007Z","level":"info","msg":"m","k":)", c.json, "}"))
        << c.why;
  }
}

TEST(LogFormat, CleansKeys) {
  const std::string found = line(LogFormat::kLogfmt, "m", {{"a b", 1}, {"c=\"d", 2}, {"msg", 3}, {"ts", 4}, {"", 5}});
  EXPECT_EQ(found, "ts=2023-11-14T22:13:20.007Z level=info msg=m a_b=1 c__d=2 msg_=3 ts_=4 _=5");
}

TEST(LogFormat, NumbersThatJsonDoesNotHaveAreText) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string found = line(LogFormat::kJson, "m", {{"a", infinity}, {"b", 1e300}, {"c", -infinity}});
  EXPECT_NE(found.find(R"("a":"inf","b":1e+300,"c":"-inf"})"), std::string::npos) << found;
}

TEST(LogFormat, CutsLongValuesBetweenCharacters) {
  const std::string text = std::string(kValueSizeMax - 1, 'a') + "€€";
  const std::string found = line(LogFormat::kJson, "m", {{"k", text}});
  EXPECT_NE(found.find(std::string(10, 'a') + "…\"}"), std::string::npos);
  const std::string whole = line(LogFormat::kLogfmt, "m", {{"k", std::string(kValueSizeMax, 'b')}});
  EXPECT_EQ(whole.find("…"), std::string::npos);
  EXPECT_LT(line(LogFormat::kLogfmt, std::string(1 << 20, '\n'), {}).size(), 3 * kValueSizeMax);
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe2(ends_, O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    close(ends_[0]);
    close(ends_[1]);
  }
  [[nodiscard]] int write_end() const { return ends_[1]; }
  [[nodiscard]] std::string read_all() const {
    std::string out;
    char buffer[4096];
    for (ssize_t n = read(ends_[0], buffer, sizeof buffer); n > 0; n = read(ends_[0], buffer, sizeof buffer)) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }

 private:
  int ends_[2] = {-1, -1};
};

TEST(FdSink, WritesALineForEachRecord) {
  const Pipe pipe;
  FdSink sink(pipe.write_end(), LogFormat::kLogfmt);
  LogOutput output(sink, no_clock, Level::kInfo);
  Logger(output).info("one\ntwo");
  Logger(output).info("three");
  EXPECT_EQ(pipe.read_all(),
            "ts=1970-01-01T00:00:00.000Z level=info msg=\"one\\ntwo\"\n"
            "ts=1970-01-01T00:00:00.000Z level=info msg=three\n");
  EXPECT_EQ(sink.dropped(), 0U);
}

TEST(FdSink, DropsAndCountsWhatNobodyReads) {
  const Pipe pipe;
  const int capacity = fcntl(pipe.write_end(), F_SETPIPE_SZ, 4096);
  ASSERT_GT(capacity, 0);
  const std::string filler(static_cast<std::size_t>(capacity), 'x');
  ASSERT_EQ(write(pipe.write_end(), filler.data(), filler.size()), static_cast<ssize_t>(filler.size()));
  FdSink sink(pipe.write_end(), LogFormat::kJson);
  LogOutput output(sink, no_clock, Level::kInfo);
  Logger(output).info("lost");
  EXPECT_EQ(sink.dropped(), 1U);
  EXPECT_EQ(pipe.read_all(), filler);
  Logger(output).info("heard");
  EXPECT_NE(pipe.read_all().find("heard"), std::string::npos);
}

// Standard error is a pipe in blocking mode in every container.
TEST(FdSink, DropsAlsoWhereWritingWouldBlock) {
  const Pipe pipe;
  ASSERT_GT(fcntl(pipe.write_end(), F_SETPIPE_SZ, 4096), 0);
  const std::string filler(4096, 'x');
  ASSERT_EQ(write(pipe.write_end(), filler.data(), filler.size()), static_cast<ssize_t>(filler.size()));
  ASSERT_EQ(fcntl(pipe.write_end(), F_SETFL, 0), 0);
  FdSink sink(pipe.write_end(), LogFormat::kJson);
  LogOutput output(sink, no_clock, Level::kInfo);
  Logger(output).info("lost");
  EXPECT_EQ(sink.dropped(), 1U);
}

TEST(FdSink, LineThatWasCutDoesNotSpoilTheNext) {
  const Pipe pipe;
  ASSERT_GT(fcntl(pipe.write_end(), F_SETPIPE_SZ, 4096), 0);
  FdSink sink(pipe.write_end(), LogFormat::kLogfmt);
  LogOutput output(sink, no_clock, Level::kInfo);
  const std::string long_text(3000, 'x');
  Logger(output).info("cut", {{"a", long_text}, {"b", long_text}});
  EXPECT_EQ(sink.dropped(), 1U);
  EXPECT_EQ(pipe.read_all().size(), 4096U);
  Logger(output).info("whole");
  EXPECT_EQ(pipe.read_all(), "\nts=1970-01-01T00:00:00.000Z level=info msg=whole\n");
}

TEST(FdSink, ClosedDescriptorIsCounted) {
  FdSink sink(-1, LogFormat::kLogfmt);
  LogOutput output(sink, no_clock, Level::kInfo);
  Logger(output).info("lost");
  EXPECT_EQ(sink.dropped(), 1U);
}

TEST(Logger, ThreadsShareItWhileTheLevelChanges) {
  Log log;
  constexpr int kLines = 500;
  const auto work = [&log](std::string_view name) {
    const Logger logger = log.logger.with({{"thread", name}});
    for (int i = 0; i < kLines; ++i) {
      logger.warn("line", {{"i", i}});
      logger.debug("maybe");
    }
  };
  std::thread a(work, "a");
  std::thread b(work, "b");
  for (int i = 0; i < 100; ++i) log.output.set_level(i % 2 == 0 ? Level::kDebug : Level::kInfo);
  a.join();
  b.join();
  EXPECT_EQ(log.output.count(Level::kWarn), 2U * kLines);
  EXPECT_EQ(log.sink.lines().size(), log.output.count(Level::kWarn) + log.output.count(Level::kDebug));
}

TEST(RateLimit, LetsOneThroughPerIntervalAndCountsTheRest) {
  RateLimit limit(std::chrono::seconds(10));
  const TimePoint start{std::chrono::seconds(5)};
  EXPECT_EQ(limit.admit(start), 0U);
  EXPECT_EQ(limit.admit(start), std::nullopt);
  EXPECT_EQ(limit.admit(start + std::chrono::milliseconds(9999)), std::nullopt);
  EXPECT_EQ(limit.admit(start + std::chrono::seconds(10)), 2U);
  EXPECT_EQ(limit.admit(start + std::chrono::seconds(21)), 0U);
}

TEST(WallClock, IsLaterThanThisWasWritten) {
  EXPECT_GT(system_wall_clock(), WallTime(std::chrono::seconds(1'700'000'000)));
}

TEST(CaptureSink, FindsParts) {
  Log log;
  log.logger.info("session up");
  EXPECT_TRUE(log.sink.has("session up"));
  EXPECT_FALSE(log.sink.has("session down"));
}

}  // namespace
}  // namespace margay::telemetry
