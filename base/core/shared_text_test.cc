#include "base/core/shared_text.h"

#include <string>
#include <thread>
#include <vector>

#include "base/core/text.h"
#include "base/core/text_pool.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

TEST(SharedText, CopiesShareTheirBytes) {
  SharedText first("node-1");
  const SharedText second = first;
  EXPECT_EQ(first.view().data(), second.view().data());
  EXPECT_FALSE(first.is_unshared());
  first = "node-2";
  EXPECT_EQ(second, "node-1");
  EXPECT_TRUE(second.is_unshared());
  const SharedText third = std::move(first);
  EXPECT_EQ(third, "node-2");
}

TEST(SharedText, EmptyTextIsTheDefault) {
  const SharedText none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none, SharedText(""));
  EXPECT_EQ(none.view(), "");
  EXPECT_EQ(none.size(), 0U);
  SharedText itself("a");
  const SharedText& alias = itself;
  itself = alias;
  EXPECT_EQ(itself, "a");
}

TEST(SharedText, ComparesAsItsText) {
  EXPECT_EQ(SharedText("a"), SharedText("a"));
  EXPECT_NE(SharedText("a"), SharedText("b"));
  EXPECT_LT(SharedText("a"), SharedText("ab"));
  EXPECT_LT(SharedText(), SharedText("a"));
  EXPECT_EQ(SharedText(std::string_view("a\0b", 3)).size(), 3U);
}

// For ThreadSanitizer: the last user, whichever thread it is in, frees the text.
TEST(SharedText, CopiesLiveInManyThreads) {
  SharedText text(std::string(100, 'x'));
  std::vector<std::thread> threads;
  std::atomic<std::size_t> bytes = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&bytes, mine = text] {
      for (int n = 0; n < 1000; ++n) bytes += SharedText(mine).size();
    });
  }
  text = {};
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bytes, 400'000U);
}

TEST(TextPool, EqualTextsShare) {
  TextPool pool;
  const std::string other = "node-1";
  EXPECT_EQ(pool.share("node-1").view().data(), pool.share(other).view().data());
  EXPECT_TRUE(pool.share("").empty());
  EXPECT_EQ(pool.size(), 1U);
}

TEST(TextPool, EqualMapsShare) {
  TextPool pool;
  const StringMap first = pool.share(StringMap{{"a", "1"}, {"b", "2"}});
  const StringMap second = pool.share(StringMap{{"b", "2"}, {"a", "1"}});
  const StringMap third = pool.share(StringMap{{"a", "1"}, {"b", "3"}});
  EXPECT_EQ(first.get("a").data(), second.get("a").data());
  EXPECT_EQ(third, (StringMap{{"a", "1"}, {"b", "3"}}));
  EXPECT_TRUE(pool.share(StringMap()).empty());
  EXPECT_EQ(pool.size(), 2U);
}

TEST(TextPool, WhatNobodyUsesIsForgotten) {
  TextPool pool;
  const SharedText kept = pool.share("kept");
  for (int i = 0; i < 100'000; ++i) pool.share(concat("gone-", i));
  EXPECT_LT(pool.size(), 3000U);
  EXPECT_EQ(pool.share("kept").view().data(), kept.view().data());
}

TEST(TextPool, WhatIsUsedStays) {
  TextPool pool;
  std::vector<SharedText> kept;
  for (int i = 0; i < 10'000; ++i) kept.push_back(pool.share(concat("kept-", i)));
  EXPECT_EQ(pool.size(), 10'000U);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(pool.share(concat("kept-", i)).view().data(), kept[static_cast<std::size_t>(i)].view().data());
  }
}

}  // namespace
}  // namespace margay
