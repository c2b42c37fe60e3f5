#include "base/loop/channel.h"

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/loop/asio_loop.h"
#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

struct Batch {
  std::vector<int> values;
  void merge(Batch&& later) { values.insert(values.end(), later.values.begin(), later.values.end()); }
};

TEST(Channel, MergesWhatTheConsumerHasNotTaken) {
  SimLoop loop;
  std::vector<std::vector<int>> seen;
  auto [sender, receiver] =
      Channel<Batch>::make(loop, {.on_value = [&](Batch batch) { seen.push_back(batch.values); }, .on_closed = {}});
  EXPECT_TRUE(sender.send({{1}}));
  EXPECT_TRUE(sender.send({{2}}));
  EXPECT_TRUE(sender.send({{3}}));
  loop.run_until_idle();
  EXPECT_TRUE(sender.send({{4}}));
  loop.run_until_idle();
  EXPECT_EQ(seen, (std::vector<std::vector<int>>{{1, 2, 3}, {4}}));
}

TEST(Channel, WhatWasSentArrivesBeforeTheEnd) {
  SimLoop loop;
  std::vector<int> seen;
  auto [sender, receiver] = Channel<Batch>::make(
      loop, {.on_value = [&](Batch batch) { seen = batch.values; }, .on_closed = [&] { seen.push_back(-1); }});
  sender.send({{7}});
  sender.close();
  EXPECT_FALSE(sender.send({{8}}));
  loop.run_until_idle();
  EXPECT_EQ(seen, (std::vector<int>{7, -1}));
}

TEST(Channel, NothingIsDeliveredAfterTheReceiversEnd) {
  SimLoop loop;
  int count = 0;
  auto made = Channel<Batch>::make(loop, {.on_value = [&](const Batch&) { ++count; }, .on_closed = [&] { ++count; }});
  std::optional<Channel<Batch>::Receiver> receiver(std::move(made.second));
  EXPECT_TRUE(made.first.send({{1}}));
  receiver.reset();
  EXPECT_FALSE(made.first.send({{2}}));
  made.first.close();
  loop.run_until_idle();
  EXPECT_EQ(count, 0);
}

// What a callback owns belongs to the consumer's thread; the sender may live on, and end, in another.
TEST(Channel, CallbacksEndWithTheReceiver) {
  SimLoop loop;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  auto made = Channel<Batch>::make(loop, {.on_value = [owned](const Batch&) {}, .on_closed = {}});
  owned.reset();
  std::optional<Channel<Batch>::Receiver> receiver(std::move(made.second));
  EXPECT_FALSE(watched.expired());
  receiver.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(Channel, CallbacksThatEndTheReceiverEndAfterThemselves) {
  SimLoop loop;
  std::optional<Channel<Batch>::Receiver> receiver;
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watched = owned;
  int seen = 0;
  auto made = Channel<Batch>::make(loop, {.on_value =
                                              [&receiver, &seen, owned](const Batch&) {
                                                receiver.reset();
                                                seen = *owned;
                                              },
                                          .on_closed = {}});
  owned.reset();
  receiver.emplace(std::move(made.second));
  made.first.send({{1}});
  loop.run_until_idle();
  EXPECT_EQ(seen, 1);
  EXPECT_TRUE(watched.expired());
}

TEST(Channel, ReceiverMayEndInsideItsCallback) {
  SimLoop loop;
  std::optional<Channel<Batch>::Receiver> receiver;
  int count = 0;
  auto made = Channel<Batch>::make(loop, {.on_value =
                                              [&](const Batch&) {
                                                ++count;
                                                receiver.reset();
                                              },
                                          .on_closed = [&] { ++count; }});
  receiver.emplace(std::move(made.second));
  made.first.send({{1}});
  made.first.close();
  loop.run_until_idle();
  EXPECT_EQ(count, 1);
}

TEST(Channel, EverythingArrivesInOrderAcrossThreads) {
  constexpr int kCount = 20'000;
  AsioLoop loop;
  std::vector<int> seen;
  auto [sender, receiver] = Channel<Batch>::make(
      loop, {.on_value = [&](Batch batch) { seen.insert(seen.end(), batch.values.begin(), batch.values.end()); },
             .on_closed = [&] { loop.stop(); }});
  std::thread producer([mine = std::move(sender)]() mutable {
    for (int i = 0; i < kCount; ++i) mine.send({{i}});
  });
  loop.run();
  producer.join();
  ASSERT_EQ(seen.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) ASSERT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(Channel, ReceiverAndItsLoopMayEndWhileTheProducerSends) {
  for (int round = 0; round < 50; ++round) {
    std::optional<AsioLoop> loop(std::in_place);
    auto made = Channel<Batch>::make(*loop, {.on_value = [&](const Batch&) { loop->stop(); }, .on_closed = {}});
    std::optional<Channel<Batch>::Receiver> receiver(std::move(made.second));
    std::thread producer([mine = std::move(made.first)]() mutable {
      while (mine.send({{1}})) {
      }
    });
    loop->run();
    receiver.reset();
    loop.reset();
    producer.join();
  }
}

}  // namespace
}  // namespace margay::loop
