#include "dataplane/ipset/member_delta.h"

#include <gtest/gtest.h>

#include <set>

#include "base/core/random.h"
#include "dataplane/ipset/test_sets.h"

namespace margay::ipset {
namespace {

using test::net;
using Vector = std::vector<Member>;
Vector list(const Members& members) { return {members.begin(), members.end()}; }

TEST(MemberDelta, WhatIsWantedAndNotThereIsMissing) {
  MemberDelta delta;
  delta.replace({net("10.0.0.0/8"), net("10.0.0.0/8"), net("192.0.2.0/24")});
  EXPECT_EQ(list(delta.missing()), (Vector{net("10.0.0.0/8"), net("192.0.2.0/24")}));
  delta.replace_actual({net("192.0.2.0/24"), net("198.51.100.0/24")});
  EXPECT_EQ(list(delta.missing()), (Vector{net("10.0.0.0/8")}));
  EXPECT_EQ(list(delta.extra()), (Vector{net("198.51.100.0/24")}));
  EXPECT_EQ(delta.actual_count(), 2U);
  delta.added_all_but({});
  delta.deleted_all_but({});
  EXPECT_TRUE(delta.is_in_sync());
  EXPECT_EQ(delta.actual_count(), 2U);
}

TEST(MemberDelta, AddingAndRemovingTwiceChangesNothing) {
  MemberDelta delta;
  delta.replace_actual({});
  delta.add(net("10.0.0.0/8"));
  delta.add(net("10.0.0.0/8"));
  delta.remove(net("192.0.2.0/24"));
  EXPECT_EQ(list(delta.missing()), (Vector{net("10.0.0.0/8")}));
  delta.remove(net("10.0.0.0/8"));
  delta.remove(net("10.0.0.0/8"));
  EXPECT_TRUE(delta.is_in_sync());
  EXPECT_TRUE(delta.desired().empty());
}

TEST(MemberDelta, WhatComesBackBeforeItWasDeletedIsInSync) {
  MemberDelta delta;
  delta.replace({net("10.0.0.0/8")});
  delta.added_all_but({});
  delta.remove(net("10.0.0.0/8"));
  EXPECT_EQ(list(delta.extra()), (Vector{net("10.0.0.0/8")}));
  delta.add(net("10.0.0.0/8"));
  EXPECT_TRUE(delta.is_in_sync());
}

TEST(MemberDelta, EverythingIsTwoHalves) {
  MemberDelta delta;
  delta.replace({net("0.0.0.0/0")});
  EXPECT_EQ(list(delta.desired()), (Vector{net("0.0.0.0/1"), net("128.0.0.0/1")}));
  delta.replace({net("::/0", 6, 80)});
  EXPECT_EQ(list(delta.desired()), (Vector{net("::/1", 6, 80), net("8000::/1", 6, 80)}));
}

TEST(MemberDelta, AHalfWantedForItselfOutlivesTheWhole) {
  MemberDelta delta;
  delta.replace({net("0.0.0.0/0"), net("128.0.0.0/1")});
  delta.remove(net("0.0.0.0/0"));
  EXPECT_EQ(list(delta.desired()), (Vector{net("128.0.0.0/1")}));
  delta.add(net("0.0.0.0/0"));
  delta.remove(net("128.0.0.0/1"));
  EXPECT_EQ(delta.desired().size(), 2U);
  delta.remove(net("0.0.0.0/0"));
  EXPECT_TRUE(delta.desired().empty());
  // Those of another port are others.
  delta.replace({net("0.0.0.0/0", 6, 80), net("0.0.0.0/1", 6, 81)});
  delta.remove(net("0.0.0.0/0", 6, 80));
  EXPECT_EQ(list(delta.desired()), (Vector{net("0.0.0.0/1", 6, 81)}));
}

// Against a model that keeps both sides as plain sets.
TEST(MemberDelta, AnyCourseOfChangesEndsWithTheDifferenceOfBothSides) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    MemberDelta delta;
    std::set<Member> desired, actual;
    const auto any = [&] {
      return Member{IpPrefix::host(IpAddress::v4(static_cast<std::uint32_t>(random.below(12))))};
    };
    const auto some = [&] {
      Vector out(random.below(12));
      for (Member& member : out) member = any();
      return out;
    };
    for (int step = 0; step < 60; ++step) {
      const Member member = any();
      const Vector members = some();
      switch (random.below(6)) {
        case 0: delta.add(member), desired.insert(member); break;
        case 1: delta.remove(member), desired.erase(member); break;
        case 2: delta.replace(members), desired = {members.begin(), members.end()}; break;
        case 3: delta.clear_actual(), actual.clear(); break;
        case 4: delta.replace_actual(members), actual = {members.begin(), members.end()}; break;
        default:
          delta.added_all_but({}), actual.insert(desired.begin(), desired.end());
          if (random.below(2) == 0) delta.deleted_all_but({}), actual = desired;
          break;
      }
      Vector missing, extra;
      std::set_difference(desired.begin(), desired.end(), actual.begin(), actual.end(), std::back_inserter(missing));
      std::set_difference(actual.begin(), actual.end(), desired.begin(), desired.end(), std::back_inserter(extra));
      ASSERT_EQ(list(delta.desired()), Vector(desired.begin(), desired.end())) << "seed " << seed;
      ASSERT_EQ(list(delta.missing()), missing) << "seed " << seed << " step " << step;
      ASSERT_EQ(list(delta.extra()), extra) << "seed " << seed << " step " << step;
      ASSERT_EQ(delta.actual_count(), actual.size()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace margay::ipset
