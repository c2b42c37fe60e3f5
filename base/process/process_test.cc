#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/file/temp_dir.h"
#include "base/loop/asio_loop.h"
#include "base/loop/unique_fd.h"
#include "base/process/build_info.h"
#include "base/process/service_notifier.h"
#include "base/process/signals.h"
#include "gtest/gtest.h"

namespace margay::process {
namespace {

using std::chrono::seconds;

struct Received {
  std::vector<int> signals;
  [[nodiscard]] auto is_at_least(std::size_t count) const {
    return [this, count] { return signals.size() >= count; };
  }
};

TEST(SignalWatch, SignalsArriveOnTheLoop) {
  loop::AsioLoop loop;
  Received received;
  auto watch = SignalWatch::make(loop, {SIGUSR1, SIGUSR2}, [&](int number) {
    EXPECT_TRUE(loop.in_loop_thread());
    received.signals.push_back(number);
  });
  ASSERT_TRUE(watch.ok()) << watch.error().message;
  ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
  ASSERT_TRUE(loop.run_until(received.is_at_least(1), seconds(20)));
  // Again, now that the first has been read.
  ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
  ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
  ASSERT_TRUE(loop.run_until(received.is_at_least(3), seconds(20)));
  std::sort(received.signals.begin() + 1, received.signals.end());
  EXPECT_EQ(received.signals, (std::vector<int>{SIGUSR1, SIGUSR1, SIGUSR2}));
}

TEST(SignalWatch, SignalSentBeforeTheLoopRunsIsNotLost) {
  loop::AsioLoop loop;
  Received received;
  auto watch = SignalWatch::make(loop, {SIGUSR1}, [&](int number) { received.signals.push_back(number); });
  ASSERT_TRUE(watch.ok());
  for (int i = 0; i < 5; ++i) ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
  ASSERT_TRUE(loop.run_until(received.is_at_least(1), seconds(20)));
  EXPECT_EQ(received.signals, std::vector<int>{SIGUSR1}) << "equal signals are one";
}

TEST(SignalWatch, MayBeDestroyedByItsCallback) {
  loop::AsioLoop loop;
  Received received;
  std::unique_ptr<SignalWatch> watch;
  watch = std::move(SignalWatch::make(loop, {SIGUSR1, SIGUSR2}, [&](int number) {
            received.signals.push_back(number);
            watch.reset();
          })).value();
  ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
  ASSERT_EQ(kill(getpid(), SIGUSR2), 0);
  ASSERT_TRUE(loop.run_until(received.is_at_least(1), seconds(20)));
  int turns = 0;
  loop.post([&turns] { ++turns; });
  ASSERT_TRUE(loop.run_until([&turns] { return turns == 1; }, seconds(20)));
  EXPECT_EQ(received.signals.size(), 1U);
  // The other one is still pending and blocked: a second watch gets it, and the process lives.
  auto second = SignalWatch::make(loop, {SIGUSR1, SIGUSR2}, [&](int number) { received.signals.push_back(number); });
  ASSERT_TRUE(loop.run_until(received.is_at_least(2), seconds(20)));
  EXPECT_NE(received.signals[0], received.signals[1]);
}

TEST(SignalWatch, RefusesWhatIsNoSignal) {
  loop::AsioLoop loop;
  EXPECT_EQ(SignalWatch::make(loop, {SIGUSR1, 4711}, [](int) {}).error().code, ErrorCode::kInvalid);
}

TEST(SignalName, NamesWhatPeopleKnow) {
  EXPECT_STREQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_STREQ(signal_name(SIGINT), "SIGINT");
  EXPECT_STREQ(signal_name(SIGHUP), "SIGHUP");
}

// The receiving end of NOTIFY_SOCKET; a name beginning with '\0' is abstract.
class Systemd {
 public:
  explicit Systemd(const std::string& name) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path);
    const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '\0' ? 0 : 1);
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)), 0);
  }
  // Datagrams to a unix socket are there as soon as they are sent.
  [[nodiscard]] std::string next() const {
    char buffer[256];
    const ssize_t count = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    return count < 0 ? "nothing" : std::string(buffer, static_cast<std::size_t>(count));
  }

 private:
  loop::UniqueFd fd_;
};

ServiceNotifier::Environment environment_of(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto at = values.find(name);
    return at == values.end() ? std::nullopt : std::optional<std::string>(at->second);
  };
}

void expect_conversation(const std::string& variable, const Systemd& systemd) {
  const auto notifier = ServiceNotifier::from_environment(environment_of({{"NOTIFY_SOCKET", variable}}));
  ASSERT_TRUE(notifier.ok()) << notifier.error().message;
  EXPECT_TRUE(notifier->is_supervised());
  EXPECT_TRUE(notifier->ready().ok());
  EXPECT_EQ(systemd.next(), "READY=1");
  EXPECT_TRUE(notifier->alive().ok());
  EXPECT_EQ(systemd.next(), "WATCHDOG=1");
  EXPECT_TRUE(notifier->status("serving\nSTOPPING=1").ok());
  EXPECT_EQ(systemd.next(), "STATUS=serving STOPPING=1");
  EXPECT_TRUE(notifier->stopping().ok());
  EXPECT_EQ(systemd.next(), "STOPPING=1");
  EXPECT_EQ(systemd.next(), "nothing");
}

TEST(ServiceNotifier, SpeaksToAPath) {
  const file::TempDir dir = file::TempDir::make().value();
  const Systemd systemd(dir.at("notify"));
  expect_conversation(dir.at("notify"), systemd);
}

TEST(ServiceNotifier, SpeaksToAnAbstractName) {
  const std::string name = concat("margay-test-", getpid());
  const Systemd systemd(std::string(1, '\0') + name);
  expect_conversation("@" + name, systemd);
}

TEST(ServiceNotifier, TakesTheLongestAbstractName) {
  const std::string name = concat("margay-test-", getpid(), std::string(100, 'x')).substr(0, 107);
  const Systemd systemd(std::string(1, '\0') + name);
  expect_conversation("@" + name, systemd);
}

TEST(ServiceNotifier, DoesNothingWithoutSystemd) {
  const auto notifier = ServiceNotifier::from_environment(environment_of({}));
  ASSERT_TRUE(notifier.ok());
  EXPECT_FALSE(notifier->is_supervised());
  EXPECT_EQ(notifier->watchdog_interval(), std::nullopt);
  EXPECT_TRUE(notifier->ready().ok());
}

TEST(ServiceNotifier, SaysWhenNobodyListens) {
  const file::TempDir dir = file::TempDir::make().value();
  const auto notifier = ServiceNotifier::from_environment(environment_of({{"NOTIFY_SOCKET", dir.at("none")}}));
  EXPECT_EQ(notifier->ready().error().code, ErrorCode::kUnavailable);
}

TEST(ServiceNotifier, WatchdogIsMeantForOneProcess) {
  const auto interval = [](std::map<std::string, std::string, std::less<>> values) {
    return ServiceNotifier::from_environment(environment_of(std::move(values))).value().watchdog_interval();
  };
  EXPECT_EQ(interval({{"WATCHDOG_USEC", "30000000"}}), seconds(30));
  EXPECT_EQ(interval({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", concat(getpid())}}), seconds(30));
  EXPECT_EQ(interval({{"WATCHDOG_USEC", "30000000"}, {"WATCHDOG_PID", concat(getpid() + 1)}}), std::nullopt);
  EXPECT_EQ(interval({{"WATCHDOG_PID", concat(getpid())}}), std::nullopt);
}

TEST(ServiceNotifier, BadEnvironmentIsAnErrorThatNamesIt) {
  const std::pair<const char*, std::string> cases[] = {
      {"NOTIFY_SOCKET", "relative"},
      {"NOTIFY_SOCKET", "@"},
      {"NOTIFY_SOCKET", "/"},
      {"NOTIFY_SOCKET", "vsock:2:1234"},
      {"NOTIFY_SOCKET", "/" + std::string(107, 'x')},
      {"NOTIFY_SOCKET", "@" + std::string(108, 'x')},
      {"WATCHDOG_USEC", "0"},
      {"WATCHDOG_USEC", "-1"},
      {"WATCHDOG_USEC", "9223372036854775807"},
      {"WATCHDOG_USEC", "30s"},
      {"WATCHDOG_USEC", ""},
  };
  for (const auto& [name, value] : cases) {
    const auto notifier = ServiceNotifier::from_environment(environment_of({{name, value}}));
    ASSERT_FALSE(notifier.ok()) << name << "=" << value;
    EXPECT_TRUE(notifier.error().message.starts_with(name)) << notifier.error().message;
  }
  EXPECT_FALSE(ServiceNotifier::from_environment(environment_of({{"WATCHDOG_USEC", "1"}, {"WATCHDOG_PID", "x"}})).ok());
}

TEST(ProcessEnvironment, ReadsWhatIsSet) {
  EXPECT_TRUE(process_environment("MARGAY_SOURCE_DIR").has_value() || process_environment("PATH").has_value());
  EXPECT_EQ(process_environment("MARGAY_NEVER_SET_BY_ANYBODY"), std::nullopt);
}

TEST(BuildInfo, IsFilledIn) {
  const BuildInfo info = build_info();
  EXPECT_EQ(split(info.version, '.').size(), 3U) << info.version;
  EXPECT_FALSE(info.revision.empty());
  EXPECT_NE(info.compiler.find(' '), std::string_view::npos) << info.compiler;
  EXPECT_FALSE(info.build_type.empty());
  EXPECT_TRUE(version_line("margay-node").starts_with(concat("margay-node ", info.version, " (", info.revision, ", ")));
}

}  // namespace
}  // namespace margay::process
