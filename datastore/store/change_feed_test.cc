// What the stores' own tests cannot reach: a feed that is reset inside a callback.
#include "datastore/store/change_feed.h"

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::store {
namespace {

class ChangeFeedTest : public testing::Test {
 protected:
  struct Watcher {
    std::unique_ptr<Watch> watch;
    std::string log;  // "41 42 gone "
  };

  void watch(Watcher& watcher, std::string prefix, Revision after, std::function<void()> on_change = {}) {
    watcher.watch =
        feed.watch(std::move(prefix), after,
                   {[&watcher, on_change](const std::vector<Change>& changes) {
                      watcher.log += concat(changes.front().revision, " ");
                      if (on_change) on_change();
                      // Still there after a reset.
                      for (const Change& change : changes) EXPECT_TRUE(change.key.starts_with("/"));
                    },
                    [](Revision) {}, [&watcher](const Error& error) { watcher.log += concat(error.message, " "); }});
  }
  void append(Revision revision) {
    feed.append(
        {Change{concat("/a/", std::string(64, 'k')), std::make_shared<const std::string>("v"), nullptr, revision}});
  }

  loop::SimLoop loop;
  ChangeFeed feed{loop, {}, 40};
};

TEST_F(ChangeFeedTest, ResetInsideADeliveryEndsEveryWatchAndShowsNoneOfThemMore) {
  Watcher first;
  Watcher second;
  Watcher other;
  watch(first, "/a/", 40, [&] { feed.reset(100, Error{ErrorCode::kGone, "gone"}); });
  watch(second, "/a/", 40);
  watch(other, "/", 40);
  loop.run_until_idle();
  append(41);
  append(42);
  loop.run_until_idle();
  EXPECT_EQ(first.log, "41 gone ");
  EXPECT_EQ(second.log, "gone ");
  EXPECT_EQ(other.log.substr(other.log.size() - 5), "gone ");
  EXPECT_EQ(feed.floor(), 100U);
  EXPECT_EQ(feed.last(), 100U);
}

TEST_F(ChangeFeedTest, WhatIsAppendedBehindAResetInsideACallbackReachesNewWatchesOnly) {
  Watcher old;
  Watcher fresh;
  watch(old, "/a/", 40, [&] {
    feed.reset(100, Error{ErrorCode::kGone, "gone"});
    append(101);
    watch(fresh, "/a/", 100);
  });
  loop.run_until_idle();
  append(41);
  loop.run_until_idle();
  append(102);
  loop.run_until_idle();
  EXPECT_EQ(old.log, "41 gone ");
  EXPECT_EQ(fresh.log, "101 102 ");
}

TEST_F(ChangeFeedTest, ResetWhileAWatchCatchesUpEndsIt) {
  append(41);
  append(42);
  loop.run_until_idle();
  Watcher late;
  watch(late, "/a/", 40, [&] {
    feed.reset(100, Error{ErrorCode::kGone, "gone"});
    append(101);
  });
  loop.run_until_idle();
  EXPECT_EQ(late.log, "41 gone ");
}

TEST_F(ChangeFeedTest, AWatchThatEndsItselfInsideADeliveryLeavesTheOthersAlone) {
  Watcher first;
  Watcher second;
  watch(first, "/a/", 40, [&] { first.watch.reset(); });
  watch(second, "/a/", 40, [&] { first.log += "- "; });
  loop.run_until_idle();
  append(41);
  append(42);
  loop.run_until_idle();
  EXPECT_EQ(first.log, "41 - - ");
  EXPECT_EQ(second.log, "41 42 ");
  EXPECT_EQ(feed.watch_count(), 1U);
}

}  // namespace
}  // namespace margay::store
