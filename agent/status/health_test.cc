#include "agent/status/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"

namespace margay::status {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> texts(const Report& report) {
  std::vector<std::string> out;
  for (const Check& check : report.checks)
    out.push_back(concat(check.is_ok ? "+" : "-", check.name, " ", check.detail));
  return out;
}

TEST(Health, ALoopThatTurnsIsLive) {
  loop::SimLoop loop;
  Health health(loop);
  const Heartbeat heartbeat = health.heartbeat("dataplane");
  {
    const Pulse pulse(loop, heartbeat);
    loop.advance(std::chrono::hours(1));
    EXPECT_TRUE(health.liveness().is_ok);
  }
  loop.advance(std::chrono::seconds(91));
  const Report report = health.liveness();
  EXPECT_FALSE(report.is_ok);
  EXPECT_THAT(texts(report), ElementsAre("-dataplane no sign of life for 1m31s; at most 1m30s"));
  heartbeat.beat(loop.now());
  EXPECT_TRUE(health.liveness().is_ok) << "it is back";
}

TEST(Health, TimeoutsMayBeOverriddenAndSwitchedOff) {
  loop::SimLoop loop;
  Health health(loop);
  const Heartbeat control = health.heartbeat("control"), bgp = health.heartbeat("bgp", std::chrono::seconds(10));
  health.set_timeouts({{"control", std::chrono::seconds(5)}, {"bgp", Duration(0)}});
  loop.advance(std::chrono::seconds(6));
  EXPECT_THAT(texts(health.liveness()), ElementsAre("+bgp ", "-control no sign of life for 6s; at most 5s"));
  health.set_timeouts({});
  EXPECT_TRUE(health.liveness().is_ok);
  loop.advance(std::chrono::seconds(5));
  EXPECT_FALSE(health.liveness().is_ok) << "bgp has its own 10 s again";
}

TEST(Health, ReadyNeedsEveryCondition) {
  loop::SimLoop loop;
  Health health(loop);
  EXPECT_TRUE(health.readiness().is_ok) << "nothing was asked for";
  const Readiness datastore = health.readiness("datastore"), routes = health.readiness("routes");
  EXPECT_THAT(texts(health.readiness()), ElementsAre("-datastore not reported yet", "-routes not reported yet"));
  datastore.set(true, "12 kinds");
  routes.set(false, "3 of 5");
  EXPECT_FALSE(health.readiness().is_ok);
  EXPECT_TRUE(health.liveness().is_ok) << "not ready is no reason to be started again";
  routes.set(true);
  EXPECT_TRUE(health.readiness().is_ok);
  EXPECT_THAT(texts(health.readiness()), ElementsAre("+datastore 12 kinds", "+routes "));
  routes.set(false, "gone");
  EXPECT_FALSE(health.readiness().is_ok);
}

TEST(Health, ADeadLoopIsNotReady) {
  loop::SimLoop loop;
  Health health(loop);
  const Heartbeat heartbeat = health.heartbeat("dataplane", std::chrono::seconds(1));
  const Readiness dataplane = health.readiness("dataplane");
  dataplane.set(true);
  EXPECT_TRUE(health.readiness().is_ok);
  loop.advance(std::chrono::seconds(2));
  EXPECT_FALSE(health.readiness().is_ok);
  EXPECT_THAT(texts(health.readiness()), ElementsAre("-dataplane no sign of life for 2s; at most 1s"));
}

TEST(Health, OneNameIsOneHandle) {
  loop::SimLoop loop;
  Health health(loop);
  const Heartbeat a = health.heartbeat("x", std::chrono::seconds(1)), b = health.heartbeat("x");
  health.readiness("y").set(true);
  loop.advance(std::chrono::seconds(2));
  b.beat(loop.now());
  EXPECT_TRUE(health.liveness().is_ok);
  health.readiness("y").set(false, "again");
  EXPECT_FALSE(health.readiness().is_ok);
}

TEST(Health, HandlesAreUsedByOtherThreadsAndOutliveIt) {
  loop::SimLoop loop;
  Readiness readiness;
  Heartbeat heartbeat;
  {
    Health health(loop);
    readiness = health.readiness("a");
    heartbeat = health.heartbeat("b");
    std::thread other([&] {
      for (int i = 0; i < 1000; ++i) {
        readiness.set(i % 2 == 1, concat(i));
        heartbeat.beat(TimePoint(Duration(i)));
      }
    });
    for (int i = 0; i < 1000; ++i) static_cast<void>(health.readiness());
    other.join();
    EXPECT_EQ(texts(health.readiness()).front(), "+a 999");
  }
  readiness.set(false);
  heartbeat.beat(loop.now());
  Readiness().set(true);
  Heartbeat().beat(loop.now());
}

}  // namespace
}  // namespace margay::status
