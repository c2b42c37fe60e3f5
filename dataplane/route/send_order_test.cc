#include "dataplane/route/send_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace margay::route {
namespace {

std::vector<std::size_t> order(std::size_t count) {
  std::vector<std::size_t> out;
  for_each_spread(count, [&out](std::size_t index) { out.push_back(index); });
  return out;
}

TEST(SendOrder, BitsAreReversed) {
  EXPECT_EQ(order(8), (std::vector<std::size_t>{0, 4, 2, 6, 1, 5, 3, 7}));
  EXPECT_EQ(order(5), (std::vector<std::size_t>{0, 4, 2, 1, 3}));
}

TEST(SendOrder, EachIndexOnce) {
  for (std::size_t count = 0; count < 300; ++count) {
    std::vector<std::size_t> seen = order(count);
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(seen[i], i) << "of " << count;
  }
}

TEST(SendOrder, TheFirstFewLieFarApart) {
  const std::vector<std::size_t> all = order(1000);
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t distance = std::max(all[i], all[j]) - std::min(all[i], all[j]);
      EXPECT_GE(distance, 1000U / 32);
    }
  }
}

TEST(SendOrder, GroupsGoOneAfterTheOther) {
  EXPECT_EQ(send_order({0, 1, 0, 1, 1, 0, 0, 2}, 3), (std::vector<std::uint32_t>{0, 5, 2, 6, 1, 4, 3, 7}));
  EXPECT_EQ(send_order({}, 0), std::vector<std::uint32_t>{});
  EXPECT_EQ(send_order({1, 1}, 4), (std::vector<std::uint32_t>{0, 1}));
}

}  // namespace
}  // namespace margay::route
