#include "bgp/rib/prefix_walk.h"

#include <gmock/gmock.h>

#include <set>

#include "base/core/random.h"

namespace margay::bgp::rib {
namespace {

IpPrefix drawn(Random& random) {
  return IpPrefix::containing(IpAddress::v4(static_cast<std::uint32_t>(random.next())),
                              8 + static_cast<int>(random.below(25)));
}

TEST(PrefixWalk, SeesAllInOrder) {
  PrefixTable table(Family::kIpv4Unicast);
  SeededRandom random(1);
  std::set<IpPrefix> expected;
  while (expected.size() < 20'000) {
    const IpPrefix prefix = drawn(random);
    if (expected.insert(prefix).second) table.hold(table.find_or_add(prefix));
  }
  PrefixWalk walk(table);
  std::vector<IpPrefix> seen;
  while (walk.step(100, [&](PrefixId id) { seen.push_back(table.prefix(id)); })) continue;
  EXPECT_TRUE(std::equal(seen.begin(), seen.end(), expected.begin(), expected.end()));
}

TEST(PrefixWalk, AnEmptyTableEndsAtOnce) {
  PrefixTable table(Family::kIpv6Unicast);
  PrefixWalk walk(table);
  int steps = 0;
  while (walk.step(100, [](PrefixId) { ADD_FAILURE(); })) ASSERT_LT(++steps, 3);
}

// What stays is seen once, in order; what goes may be, and what is seen is there.
TEST(PrefixWalk, TheTableMayChangeMeanwhile) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    PrefixTable table(Family::kIpv4Unicast);
    SeededRandom random(seed);
    std::set<IpPrefix> staying;
    std::vector<PrefixId> going;
    while (staying.size() < 3000) {
      const IpPrefix prefix = drawn(random);
      if (table.find(prefix) != kNoId) continue;
      const PrefixId id = table.find_or_add(prefix);
      table.hold(id);
      if (random.below(2) == 0) {
        staying.insert(prefix);
      } else {
        going.push_back(id);
      }
    }
    PrefixWalk walk(table);
    std::vector<IpPrefix> seen;
    while (walk.step(1 + random.below(50), [&](PrefixId id) { seen.push_back(table.prefix(id)); })) {
      for (int i = 0; i < 20 && !going.empty(); ++i) {
        table.unhold(going.back());
        going.pop_back();
        const IpPrefix prefix = drawn(random);
        if (table.find(prefix) == kNoId) table.hold(table.find_or_add(prefix));
      }
    }
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(std::set<IpPrefix>(seen.begin(), seen.end()).size(), seen.size());
    EXPECT_TRUE(std::includes(seen.begin(), seen.end(), staying.begin(), staying.end()));
  }
}

}  // namespace
}  // namespace margay::bgp::rib
