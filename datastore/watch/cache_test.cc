#include "datastore/watch/cache.h"

#include <gtest/gtest.h>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/sim_loop.h"

namespace margay::watch {
namespace {

using Texts = std::vector<std::string>;

std::shared_ptr<const int> value(int number) { return std::make_shared<const int>(number); }
kube::ObjectName name(std::string text) { return {"", std::move(text)}; }

Texts describe_batch(const Batch<int>& batch) {
  Texts texts;
  for (const auto& change : batch.changes) {
    texts.push_back(change.value ? concat(change.name.name, "=", *change.value) : concat(change.name.name, " absent"));
  }
  if (batch.is_in_sync) texts.emplace_back("in sync");
  return texts;
}

struct CacheTest : testing::Test {
  std::unique_ptr<Consumer<int>> subscribe(int& ready) {
    return cache.subscribe([&ready] { ++ready; });
  }

  loop::SimLoop loop;
  Cache<int> cache{loop};
};

TEST_F(CacheTest, TenUpdatesBeforeTheConsumerAsksAreOne) {
  int ready = 0;
  const auto consumer = subscribe(ready);
  for (int i = 1; i <= 10; ++i) cache.put(name("a"), value(i));
  EXPECT_EQ(ready, 0) << "from inside the call";
  loop.run_until_idle();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(describe_batch(consumer->take()), Texts{"a=10"});
  EXPECT_EQ(describe_batch(consumer->take()), Texts{});
  loop.run_until_idle();
  EXPECT_EQ(ready, 1);
}

TEST_F(CacheTest, WhatCameAndWentInBetweenIsNothing) {
  int ready = 0;
  const auto consumer = subscribe(ready);
  cache.put(name("a"), value(1));
  cache.remove(name("a"));
  EXPECT_EQ(describe_batch(consumer->take()), Texts{});
  cache.put(name("a"), value(2));
  EXPECT_EQ(describe_batch(consumer->take()), Texts{"a=2"});
  cache.remove(name("a"));
  cache.put(name("a"), value(3));
  EXPECT_EQ(describe_batch(consumer->take()), Texts{"a=3"});
  cache.remove(name("a"));
  cache.put(name("a"), value(4));
  cache.remove(name("a"));
  EXPECT_EQ(describe_batch(consumer->take()), Texts{"a absent"});
  cache.remove(name("a"));
  cache.remove(name("never"));
  EXPECT_EQ(describe_batch(consumer->take()), Texts{});
}

TEST_F(CacheTest, InSyncComesWithTheLastOfTheFirstList) {
  int ready = 0;
  const auto consumer = subscribe(ready);
  cache.put(name("a"), value(1));
  cache.put(name("b"), value(2));
  EXPECT_EQ(describe_batch(consumer->take(1)), Texts{"a=1"});
  cache.mark_in_sync();
  EXPECT_TRUE(cache.is_in_sync());
  cache.put(name("c"), value(3));
  EXPECT_EQ(describe_batch(consumer->take(1)), Texts{"b=2"}) << "c is still to come";
  EXPECT_EQ(describe_batch(consumer->take(1)), (Texts{"c=3", "in sync"}));
  cache.put(name("d"), value(4));
  cache.put(name("e"), value(5));
  EXPECT_EQ(describe_batch(consumer->take(1)), (Texts{"d=4", "in sync"})) << "it stays";
}

TEST_F(CacheTest, AnEmptyKindComesInSyncToo) {
  int ready = 0;
  const auto consumer = subscribe(ready);
  loop.run_until_idle();
  EXPECT_EQ(ready, 0);
  cache.mark_in_sync();
  loop.run_until_idle();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(describe_batch(consumer->take()), Texts{"in sync"});
  int late_ready = 0;
  const auto late = subscribe(late_ready);
  loop.run_until_idle();
  EXPECT_EQ(late_ready, 1);
  EXPECT_EQ(describe_batch(late->take()), Texts{"in sync"});
}

TEST_F(CacheTest, ALateConsumerGetsWhatIsThere) {
  cache.put(name("b"), value(2));
  cache.put(name("a"), value(1));
  cache.remove(name("b"));
  cache.mark_in_sync();
  int ready = 0;
  const auto consumer = subscribe(ready);
  loop.run_until_idle();
  EXPECT_EQ(ready, 1);
  EXPECT_EQ(describe_batch(consumer->take()), (Texts{"a=1", "in sync"}));
}

TEST_F(CacheTest, WhatATakeLeftMakesTheConsumerReadyAgain) {
  int ready = 0;
  const auto consumer = subscribe(ready);
  for (const char* text : {"c", "a", "b"}) cache.put(name(text), value(0));
  Texts seen;
  for (int turn = 1; turn <= 3; ++turn) {
    loop.run_until_idle();
    EXPECT_EQ(ready, turn);
    for (const std::string& text : describe_batch(consumer->take(1))) seen.push_back(text);
  }
  loop.run_until_idle();
  EXPECT_EQ(ready, 3);
  EXPECT_EQ(seen, (Texts{"a=0", "b=0", "c=0"}));
}

TEST_F(CacheTest, ABusyNameDoesNotHoldTheOthersUp) {
  int ready = 0;
  const auto consumer = subscribe(ready);
  for (const char* text : {"a", "b", "c"}) cache.put(name(text), value(0));
  Texts seen;
  for (int i = 1; i <= 3; ++i) {
    cache.put(name("a"), value(i));
    seen.push_back(describe_batch(consumer->take(1)).at(0));
  }
  EXPECT_EQ(seen, (Texts{"a=1", "b=0", "c=0"}));
}

TEST_F(CacheTest, ConsumersDoNotDisturbEachOther) {
  int ready_one = 0;
  int ready_two = 0;
  const auto one = subscribe(ready_one);
  auto two = subscribe(ready_two);
  cache.put(name("a"), value(1));
  EXPECT_EQ(describe_batch(one->take()), Texts{"a=1"});
  cache.remove(name("a"));
  EXPECT_EQ(describe_batch(two->take()), Texts{}) << "it never had it";
  EXPECT_EQ(describe_batch(one->take()), Texts{"a absent"});
  cache.put(name("b"), value(2));
  two.reset();
  loop.run_until_idle();
  EXPECT_EQ(ready_two, 0) << "gone before its turn";
  EXPECT_EQ(describe_batch(one->take()), Texts{"b=2"});
  two = subscribe(ready_two);
  EXPECT_EQ(describe_batch(two->take()), Texts{"b=2"}) << "a new consumer in an old place knows nothing";
}

TEST_F(CacheTest, LookUpsSeeWhatIsThere) {
  cache.put(name("b"), value(2));
  cache.put(name("a"), value(1));
  cache.put(name("c"), value(3));
  int ready = 0;
  const auto consumer = subscribe(ready);
  consumer->take();
  cache.remove(name("c"));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(*cache.find(name("a")), 1);
  EXPECT_EQ(cache.find(name("c")), nullptr);
  Texts seen;
  cache.for_each([&](const kube::ObjectName& key, int number) { seen.push_back(concat(key.name, "=", number)); });
  EXPECT_EQ(seen, (Texts{"a=1", "b=2"}));
}

TEST_F(CacheTest, RandomConsumersEndWithWhatIsThere) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    Cache<int> here(loop);
    struct View {
      std::unique_ptr<Consumer<int>> consumer;
      std::map<kube::ObjectName, int> seen;
    };
    std::vector<View> views(4);
    std::map<kube::ObjectName, int> truth;
    const auto take = [](View& view, std::size_t max) {
      for (const auto& change : view.consumer->take(max).changes) {
        if (change.value) {
          const auto [at, is_new] = view.seen.try_emplace(change.name, *change.value);
          EXPECT_TRUE(is_new || at->second < *change.value) << "older, or the same again";
          at->second = *change.value;
        } else {
          EXPECT_EQ(view.seen.erase(change.name), 1U) << "a deletion of what it never had";
        }
      }
    };
    for (int step = 1; step <= 400; ++step) {
      const kube::ObjectName key = name(concat(random.below(8)));
      View& view = views[random.below(views.size())];
      switch (random.below(6)) {
        case 0:
        case 1:
          here.put(key, value(step));
          truth[key] = step;
          break;
        case 2:
          here.remove(key);
          truth.erase(key);
          break;
        case 3:
        case 4:
          if (view.consumer) take(view, random.below(4));
          break;
        default:
          if (random.below(5) != 0 && view.consumer) break;
          view.seen.clear();
          view.consumer.reset();
          if (random.below(4) != 0) view.consumer = here.subscribe([] {});
      }
    }
    for (View& view : views) {
      if (view.consumer == nullptr) continue;
      take(view, 1000);
      EXPECT_EQ(view.seen, truth) << "seed " << seed;
    }
    EXPECT_EQ(here.size(), truth.size());
    views.clear();
  }
}

}  // namespace
}  // namespace margay::watch
