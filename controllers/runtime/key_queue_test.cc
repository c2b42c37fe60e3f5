#include "controllers/runtime/key_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/loop/sim_loop.h"

namespace margay::controllers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class KeyQueueTest : public ::testing::Test {
 protected:
  using Done = std::function<void(Verdict)>;

  void finish(std::size_t index, Verdict verdict) {
    Done done = std::move(under_way_[index]);
    done(verdict);
  }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  std::vector<std::string> begun_;
  std::vector<Done> under_way_;
  KeyQueue<std::string> queue_{loop_, random_, {.in_work_max = 2}, [this](const std::string& key, Done done) {
                                 begun_.push_back(key);
                                 under_way_.push_back(std::move(done));
                               }};
};

TEST_F(KeyQueueTest, AKeyIsInOnePlaceHoweverOftenItIsAdded) {
  queue_.add("a");
  queue_.add("a");
  loop_.run_until_idle();
  EXPECT_THAT(begun_, ElementsAre("a"));
  queue_.add("a");
  queue_.add("a");
  loop_.run_until_idle();
  EXPECT_THAT(begun_, ElementsAre("a")) << "not twice at once";
  finish(0, Verdict::kDone);
  loop_.run_until_idle();
  EXPECT_THAT(begun_, ElementsAre("a", "a")) << "but once more: it changed meanwhile";
  finish(1, Verdict::kDone);
  EXPECT_TRUE(queue_.is_idle());
}

TEST_F(KeyQueueTest, SoManyAtOnceAndNoMore) {
  for (const char* key : {"a", "b", "c"}) queue_.add(key);
  loop_.run_until_idle();
  EXPECT_THAT(begun_, ElementsAre("a", "b"));
  finish(1, Verdict::kDone);
  loop_.run_until_idle();
  EXPECT_THAT(begun_, ElementsAre("a", "b", "c"));
}

TEST_F(KeyQueueTest, WhatFailedWaitsLongerEachTime) {
  queue_.add("a");
  loop_.advance(std::chrono::milliseconds(1));
  std::vector<Duration> waits;
  for (std::size_t i = 0; i < 6; ++i) {
    const TimePoint failed_at = loop_.now();
    finish(i, Verdict::kRetry);
    EXPECT_EQ(queue_.failing(), 1U);
    while (begun_.size() == i + 1) loop_.advance(std::chrono::milliseconds(1));
    waits.push_back(loop_.now() - failed_at);
  }
  for (std::size_t i = 0; i < waits.size(); ++i) {
    const Duration longest = std::chrono::milliseconds(50) * (1 << i);
    EXPECT_GE(waits[i], longest / 2);
    EXPECT_LE(waits[i], longest + std::chrono::milliseconds(1));
  }
  finish(6, Verdict::kDone);
  EXPECT_TRUE(queue_.is_idle()) << "and a success forgets it";
}

TEST_F(KeyQueueTest, NewsOfAKeyThatFailsDoNotMakeItTriedMoreOften) {
  queue_.add("a");
  loop_.run_until_idle();
  const auto fail_all_for = [this](Duration time) {
    const TimePoint end = loop_.now() + time;
    std::size_t tries = 0;
    for (; loop_.now() < end; loop_.advance(std::chrono::milliseconds(10))) {
      if (under_way_.back() == nullptr) continue;
      ++tries;
      finish(under_way_.size() - 1, Verdict::kRetry);
    }
    return tries;
  };
  for (int i = 0; i < 20; ++i) {
    fail_all_for(std::chrono::seconds(1));
    queue_.add("a");
    loop_.advance(std::chrono::milliseconds(1));
  }
  // By now it is tried every 15 to 30 seconds.
  fail_all_for(std::chrono::minutes(2));
  EXPECT_LE(fail_all_for(std::chrono::minutes(10)), 40U);
}

TEST_F(KeyQueueTest, NothingBeginsWhileItIsHeld) {
  queue_.hold();
  queue_.add("a");
  loop_.run_until_idle();
  EXPECT_THAT(begun_, IsEmpty());
  queue_.release_all();
  loop_.run_until_idle();
  EXPECT_THAT(begun_, ElementsAre("a"));
}

}  // namespace
}  // namespace margay::controllers
