#include "base/loop/loop_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace margay::loop {
namespace {

TEST(LoopThread, CallsRunOnItsThreadInOrder) {
  LoopThread thread;
  std::vector<int> seen;
  std::thread::id id;
  thread.loop().post([&] { seen.push_back(1); });
  thread.call([&] {
    seen.push_back(2);
    id = std::this_thread::get_id();
    EXPECT_TRUE(thread.loop().in_loop_thread());
  });
  EXPECT_EQ(seen, (std::vector<int>{1, 2}));
  EXPECT_NE(id, std::this_thread::get_id());
}

TEST(LoopThread, WhatWasPostedRunsBeforeTheEnd) {
  int count = 0;
  {
    LoopThread thread;
    for (int i = 0; i < 100; ++i) thread.loop().post([&count] { ++count; });
  }
  EXPECT_EQ(count, 100);
}

TEST(LoopThread, ItsTimersFire) {
  LoopThread thread;
  std::promise<void> fired;
  std::unique_ptr<Timer> timer;
  thread.call([&] {
    timer = thread.loop().make_timer([&fired] { fired.set_value(); });
    timer->arm(std::chrono::milliseconds(1));
  });
  fired.get_future().wait();
  thread.call([&timer] { timer.reset(); });
}

}  // namespace
}  // namespace margay::loop
