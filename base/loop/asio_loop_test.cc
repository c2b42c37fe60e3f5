#include "base/loop/asio_loop.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/loop/unique_fd.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(AsioLoop, TasksRunInOrderOnTheThreadThatRuns) {
  AsioLoop loop;
  std::string seen;
  std::thread::id ran_on;
  loop.post([&] { seen += 'a'; });
  loop.post([&] {
    seen += 'b';
    EXPECT_TRUE(loop.in_loop_thread());
    ran_on = std::this_thread::get_id();
    loop.stop();
  });
  std::thread thread([&] { loop.run(); });
  const std::thread::id expected = thread.get_id();
  thread.join();
  EXPECT_EQ(seen, "ab");
  EXPECT_EQ(ran_on, expected);
  EXPECT_FALSE(loop.in_loop_thread());
}

TEST(AsioLoop, RunForNoTimeRunsWhatIsReadyAndNoMore) {
  AsioLoop loop;
  int posted = 0;
  loop.post([&] {
    ++posted;
    loop.post([&] { ++posted; });
  });
  loop.post([&] { ++posted; });
  bool is_due = false;
  bool is_early = false;
  const auto due = loop.make_timer([&] { is_due = true; });
  const auto later = loop.make_timer([&] { is_early = true; });
  due->arm(Duration::zero());
  later->arm(hours(1));
  loop.run_for(Duration::zero());
  EXPECT_EQ(posted, 3);
  EXPECT_TRUE(is_due);
  EXPECT_FALSE(is_early);
}

TEST(AsioLoop, PostsFromManyThreadsAllRun) {
  constexpr int kThreads = 4;
  constexpr int kPosts = 2000;
  AsioLoop loop;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&] {
          if (++count == kThreads * kPosts) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, kThreads * kPosts);
}

TEST(AsioLoop, StopBeforeRunEndsTheRun) {
  AsioLoop loop;
  int count = 0;
  loop.post([&] { ++count; });
  loop.stop();
  loop.run();
  EXPECT_EQ(count, 1);
}

TEST(AsioLoop, TimersFireInOrderOfTheirTimes) {
  AsioLoop loop;
  std::string seen;
  auto second = loop.make_timer([&] {
    seen += '2';
    loop.stop();
  });
  auto first = loop.make_timer([&] { seen += '1'; });
  auto never = loop.make_timer([&] { seen += 'x'; });
  const TimePoint start = loop.now();
  second->arm(milliseconds(20));
  first->arm(milliseconds(10));
  never->arm(milliseconds(1));
  never->disarm();
  loop.run();
  EXPECT_EQ(seen, "12");
  EXPECT_GE(loop.now() - start, milliseconds(20));
}

TEST(AsioLoop, TimerMovesBothWays) {
  AsioLoop loop;
  int count = 0;
  auto timer = loop.make_timer([&] { ++count; });
  timer->arm(hours(1));
  timer->arm(milliseconds(1));
  ASSERT_TRUE(loop.run_until([&] { return count == 1; }, seconds(10)));
  EXPECT_FALSE(timer->is_armed());
  timer->arm(milliseconds(1));
  timer->arm(hours(1));
  auto other = loop.make_timer([&] { loop.stop(); });
  other->arm(milliseconds(10));
  loop.run();
  EXPECT_EQ(count, 1);
  EXPECT_TRUE(timer->is_armed());
}

TEST(AsioLoop, TimerMayDestroyOrRearmItself) {
  AsioLoop loop;
  std::unique_ptr<Timer> timer;
  int count = 0;
  timer = loop.make_timer([&, text = std::string(100, 'x')] {
    if (++count < 3) return timer->arm(Duration::zero());
    timer.reset();
    EXPECT_EQ(text.size(), 100U);
    loop.stop();
  });
  timer->arm(Duration::zero());
  loop.run();
  EXPECT_EQ(count, 3);
}

TEST(AsioLoop, DestroyedTimerNeverFiresEvenWhenDue) {
  AsioLoop loop;
  auto timer = loop.make_timer([] { FAIL(); });
  timer->arm(Duration::zero());
  loop.post([&] { timer.reset(); });
  auto end = loop.make_timer([&] { loop.stop(); });
  end->arm(milliseconds(5));
  loop.run();
}

TEST(AsioLoop, TasksLeftAtTheEndAreDroppedWithWhatTheyOwn) {
  auto witness = std::make_shared<int>(1);
  {
    AsioLoop loop;
    auto timer = loop.make_timer([] { FAIL(); });
    timer->arm(Duration::zero());
    loop.post([witness, timer = std::move(timer)] { FAIL(); });
  }
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(AsioLoop, WatchTellsOnceForEachWish) {
  AsioLoop loop;
  const UniqueFd event(::eventfd(0, EFD_CLOEXEC));
  int count = 0;
  std::unique_ptr<FdWatch> watch;
  watch = std::move(loop.watch(
                        event.get(),
                        [&] {
                          if (++count == 3) return loop.stop();
                          watch->want_readable();
                        },
                        [] {}))
              .value();
  watch->want_readable();
  watch->want_readable();
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(event.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  loop.run();  // never read: stays readable, so that each wish is answered
  EXPECT_EQ(count, 3);
}

TEST(AsioLoop, WatchTellsWhenThereIsRoom) {
  AsioLoop loop;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
  const UniqueFd left(ends[0]);
  const UniqueFd right(ends[1]);
  std::string block(64 * 1024, 'x');
  while (::write(left.get(), block.data(), block.size()) > 0) {
  }
  bool is_writable = false;
  auto watch = std::move(loop.watch(
                             left.get(), [] {}, [&] { is_writable = true; }))
                   .value();
  watch->want_writable();
  loop.run_for(milliseconds(5));
  EXPECT_FALSE(is_writable);
  while (::read(right.get(), block.data(), block.size()) > 0) {
  }
  EXPECT_TRUE(loop.run_until([&] { return is_writable; }, seconds(10)));
}

TEST(AsioLoop, WatchOfABadDescriptorIsAnError) {
  AsioLoop loop;
  EXPECT_FALSE(loop.watch(
                       -1, [] {}, [] {})
                   .ok());
}

}  // namespace
}  // namespace margay::loop
