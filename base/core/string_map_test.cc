#include "base/core/string_map.h"

#include <map>

#include "base/core/random.h"
#include "base/core/text.h"
#include "gtest/gtest.h"

namespace margay {
namespace {

TEST(StringMap, KeysAreSortedAndTheLastOfEqualKeysCounts) {
  const StringMap map{{"b", "2"}, {"a", "1"}, {"b", "3"}, {"", "empty key"}, {"c", ""}};
  std::string seen;
  for (const auto& [key, value] : map) seen += concat(key, "=", value, ";");
  EXPECT_EQ(seen, "=empty key;a=1;b=3;c=;");
  EXPECT_EQ(map.find("c"), "");
  EXPECT_EQ(map.find("d"), std::nullopt);
  EXPECT_EQ(map.get("d"), "");
}

TEST(StringMap, EmptyMapFindsNothing) {
  const StringMap map;
  EXPECT_TRUE(map.empty());
  EXPECT_FALSE(map.contains(""));
  EXPECT_EQ(map.begin(), map.end());
  EXPECT_EQ(map, StringMap::of({}));
}

TEST(StringMap, PiecesAreNotConfusedWithEachOther) {
  EXPECT_NE((StringMap{{"ab", "c"}}), (StringMap{{"a", "bc"}}));
  EXPECT_NE((StringMap{{"a", ""}, {"b", ""}}), (StringMap{{"a", "b"}}));
}

// Against std::map, with a seeded sequence of changes.
TEST(StringMap, BehavesAsAMap) {
  SeededRandom random(7);
  StringMap map;
  std::map<std::string, std::string> model;
  for (int step = 0; step < 3000; ++step) {
    const std::string key = concat("k", random.below(20));
    const std::string value(random.below(40), static_cast<char>('a' + random.below(26)));
    if (random.below(3) == 0) {
      EXPECT_EQ(map.erase(key), model.erase(key) > 0);
    } else {
      map.set(key, value);
      model[key] = value;
    }
    ASSERT_EQ(map.size(), model.size());
    auto expected = model.begin();
    for (const auto& [k, v] : map) {
      ASSERT_EQ(k, expected->first);
      ASSERT_EQ(v, expected->second);
      ASSERT_EQ(map.find(k), v);
      ++expected;
    }
  }
}

}  // namespace
}  // namespace margay
