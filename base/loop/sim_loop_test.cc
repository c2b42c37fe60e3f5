#include "base/loop/sim_loop.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace margay::loop {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SimLoop, TasksRunInOrderAndBeforeTimers) {
  SimLoop loop;
  std::string seen;
  auto timer = loop.make_timer([&] { seen += 't'; });
  timer->arm(Duration::zero());
  loop.post([&] {
    seen += 'a';
    loop.post([&] { seen += 'c'; });
  });
  loop.post([&] { seen += 'b'; });
  EXPECT_EQ(seen, "");
  loop.run_until_idle();
  EXPECT_EQ(seen, "abct");
}

TEST(SimLoop, TimersFireAtTheirOwnTime) {
  SimLoop loop;
  const TimePoint start = loop.now();
  std::vector<std::int64_t> fired;
  const auto note = [&] { fired.push_back((loop.now() - start) / milliseconds(1)); };
  auto late = loop.make_timer(note);
  auto early = loop.make_timer(note);
  late->arm(milliseconds(30));
  early->arm(milliseconds(10));
  EXPECT_EQ(loop.next_timer(), start + milliseconds(10));
  loop.advance(milliseconds(20));
  EXPECT_EQ(fired, (std::vector<std::int64_t>{10}));
  EXPECT_EQ(loop.now() - start, milliseconds(20));
  loop.advance(seconds(1));
  EXPECT_EQ(fired, (std::vector<std::int64_t>{10, 30}));
  EXPECT_FALSE(loop.next_timer());
}

TEST(SimLoop, TimerThatArmsItselfKeepsItsPeriodWhileTimeJumps) {
  SimLoop loop;
  int count = 0;
  std::unique_ptr<Timer> timer;
  timer = loop.make_timer([&] {
    ++count;
    timer->arm(seconds(1));
  });
  timer->arm(seconds(1));
  loop.advance(seconds(10));
  EXPECT_EQ(count, 10);
}

TEST(SimLoop, ArmingAgainReplacesAndDestroyingCancels) {
  SimLoop loop;
  int count = 0;
  auto timer = loop.make_timer([&] { ++count; });
  timer->arm(seconds(1));
  timer->arm(seconds(5));
  loop.advance(seconds(2));
  EXPECT_EQ(count, 0);
  EXPECT_TRUE(timer->is_armed());
  loop.advance(seconds(3));
  EXPECT_EQ(count, 1);
  EXPECT_FALSE(timer->is_armed());
  timer->arm(seconds(1));
  timer->disarm();
  loop.advance(seconds(2));
  timer->arm(seconds(1));
  timer.reset();
  loop.advance(seconds(2));
  EXPECT_EQ(count, 1);
}

TEST(SimLoop, TimerMayDestroyItself) {
  SimLoop loop;
  std::unique_ptr<Timer> timer;
  std::string seen;
  timer = loop.make_timer([&seen, &timer, text = std::string(100, 'x')] {
    timer.reset();
    seen = text;
  });
  timer->arm(seconds(1));
  loop.advance(seconds(1));
  EXPECT_EQ(seen.size(), 100U);
}

TEST(SimLoop, RunUntilStopsAtTheConditionOrTheLimit) {
  SimLoop loop;
  const TimePoint start = loop.now();
  bool is_done = false;
  auto timer = loop.make_timer([&] { is_done = true; });
  timer->arm(seconds(3));
  EXPECT_FALSE(loop.run_until([&] { return is_done; }, seconds(2)));
  EXPECT_EQ(loop.now() - start, seconds(2));
  EXPECT_TRUE(loop.run_until([&] { return is_done; }, seconds(2)));
  EXPECT_EQ(loop.now() - start, seconds(3));
}

TEST(SimLoop, CalendarMovesWithVirtualTime) {
  SimLoop loop(WallTime(seconds(1000)));
  loop.advance(seconds(5));
  EXPECT_EQ(loop.wall_now(), WallTime(seconds(1005)));
}

TEST(SimLoop, TasksLeftAtTheEndAreDroppedWithWhatTheyOwn) {
  auto witness = std::make_shared<int>(1);
  {
    SimLoop loop;
    auto timer = loop.make_timer([] {});
    timer->arm(seconds(1));
    loop.post([witness, timer = std::move(timer)] { FAIL(); });
    EXPECT_EQ(witness.use_count(), 2);
  }
  EXPECT_EQ(witness.use_count(), 1);
}

}  // namespace
}  // namespace margay::loop
