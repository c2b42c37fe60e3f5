// What one peer may make us hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bgp/rib/rib_session_fixture.h"

namespace margay::bgp::rib {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RibLimits : public ::testing::Test, protected SessionWorld {
  void TearDown() override { EXPECT_THAT(world.problems, IsEmpty()); }
};

TEST_F(RibLimits, TooManyPrefixesEndTheSession) {
  world.add(kExternal0);
  PeerPolicy policy = policy_of(kExternal0);
  policy.prefix_limit[kV4] = {.max = 4, .warn_percent = 50, .restart_after = {}};
  world.rib().set_policy(0, policy);
  world.up(0);
  for (std::uint32_t i = 0; i < 4; ++i) announce(0, i);
  EXPECT_THAT(world.warnings, ElementsAre(3));
  EXPECT_THAT(world.overruns, IsEmpty());
  announce(0, 3);
  EXPECT_THAT(world.overruns, IsEmpty()) << "the same prefix again is no more of them";
  announce(0, 4);
  announce(0, 5);
  ASSERT_EQ(world.overruns.size(), 1U) << "said once";
  EXPECT_EQ(world.overruns[0].second.code, 6);
  EXPECT_EQ(world.overruns[0].second.subcode, cease_subcode::kMaximumPrefixes);
  EXPECT_EQ(world.overruns[0].second.data, std::string("\0\1\1\0\0\0\4", 7));
}

// What a peer sends costs memory whether a filter takes it or not.
TEST_F(RibLimits, ThePrefixLimitCountsWhatComesBeforeTheFilters) {
  world.add(kExternal0);
  PeerPolicy policy = policy_of(kExternal0);
  FilterRule rule;
  rule.accept = false;
  policy.import_chain[kV4] = std::make_shared<const std::vector<Filter>>(std::vector<Filter>{{"none", {rule}}});
  policy.prefix_limit[kV4].max = 4;
  world.rib().set_policy(0, policy);
  world.up(0);
  for (std::uint32_t i = 0; i < 4; ++i) announce(0, i);
  EXPECT_EQ(world.rib().counts(0).accepted[kV4], 0U);
  EXPECT_THAT(world.warnings, ElementsAre(4));
  EXPECT_THAT(world.overruns, IsEmpty());
  announce(0, 4);
  EXPECT_THAT(world.overruns, SizeIs(1));
}

TEST_F(RibLimits, ASecondLimitCountsWhatTheFiltersLeft) {
  world.add(kExternal0);
  PeerPolicy policy = policy_of(kExternal0);
  FilterRule rule;
  rule.community = AnyCommunity(5U);
  rule.accept = false;
  policy.import_chain[kV4] = std::make_shared<const std::vector<Filter>>(std::vector<Filter>{{"five", {rule}}});
  policy.prefix_limit[kV4] = {.max = 100, .max_accepted = 2, .warn_percent = 100, .restart_after = {}};
  world.rib().set_policy(0, policy);
  world.up(0);
  for (std::uint32_t i = 0; i < 50; ++i) announce(0, i, {5});
  announce(0, 50);
  announce(0, 51);
  EXPECT_THAT(world.overruns, IsEmpty());
  announce(0, 7);  // now without the community
  ASSERT_THAT(world.overruns, SizeIs(1));
  EXPECT_EQ(world.overruns[0].second.data, std::string("\0\1\1\0\0\0\2", 7));
}

TEST_F(RibLimits, PrefixLimitsCountPrefixesNotPaths) {
  PeerSpec many = kExternal0;
  many.add_path_receive = true;
  world.add(many);
  PeerPolicy policy = policy_of(many);
  policy.prefix_limit[kV4] = {.max = 2, .max_accepted = 2, .warn_percent = 100, .restart_after = {}};
  world.rib().set_policy(0, policy);
  world.up(0);
  const auto tell = [this](std::uint32_t number, std::uint32_t path_id, std::uint32_t second_as = 3) {
    const std::string attributes = attributes_of({.path = {65000, second_as}});
    world.rib().receive(0, announcement({{numbered(number), path_id}}, attributes, address_of("198.51.100.1")));
  };
  for (std::uint32_t path_id = 1; path_id <= 9; ++path_id) tell(path_id % 2, path_id);
  for (std::uint32_t path_id = 3; path_id <= 5; ++path_id) tell(path_id % 2, path_id, kOurAsn.value());  // loops
  PeerCounts counts = world.rib().counts(0);
  EXPECT_EQ(counts.received[kV4], 2U);
  EXPECT_EQ(counts.accepted[kV4], 2U);
  EXPECT_EQ(counts.paths[kV4], 9U);
  for (const std::uint32_t path_id : {2U, 6U, 8U}) tell(0, path_id, kOurAsn.value());
  EXPECT_EQ(world.rib().counts(0).accepted[kV4], 1U) << "all paths of one prefix are loops";
  for (const std::uint32_t path_id : {1U, 3U, 5U, 7U}) world.rib().receive(0, withdrawal({{numbered(1), path_id}}));
  EXPECT_EQ(world.rib().counts(0).received[kV4], 2U);
  world.rib().receive(0, withdrawal({{numbered(1), 9}}));
  EXPECT_EQ(world.rib().counts(0).received[kV4], 1U);
  tell(5, 1);
  EXPECT_THAT(world.overruns, IsEmpty());
  tell(6, 1);
  EXPECT_THAT(world.overruns, SizeIs(1));
  world.down(0);
  counts = world.rib().counts(0);
  EXPECT_EQ(counts.received[kV4] + counts.accepted[kV4] + counts.paths[kV4], 0U);
}

TEST_F(RibLimits, ASmallerLimitAppliesToWhatIsThere) {
  add(kExternal0);
  for (std::uint32_t i = 0; i < 5; ++i) announce(0, i);
  PeerPolicy policy = policy_of(kExternal0);
  policy.prefix_limit[kV4].max = 6;
  world.rib().set_policy(0, policy);
  EXPECT_THAT(world.warnings, ElementsAre(5));
  EXPECT_THAT(world.overruns, IsEmpty());
  policy.prefix_limit[kV4].max = 4;
  world.rib().set_policy(0, policy);
  ASSERT_THAT(world.overruns, SizeIs(1));
  EXPECT_EQ(world.overruns[0].second.data, std::string("\0\1\1\0\0\0\4", 7));
}

TEST_F(RibLimits, LimitsAreLookedAtAgainWhenTheSpeakerChanges) {
  RibConfig config = World::default_config();
  config.local_asn = Asn(64999);  // this peer knows us by another number
  world.rib().set_config(config);
  world.add(kExternal0);
  PeerPolicy policy = policy_of(kExternal0);
  policy.prefix_limit[kV4].max_accepted = 1;
  world.rib().set_policy(0, policy);
  world.up(0);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const std::string loop = attributes_of({.path = {65000, 64999}});
    world.rib().receive(0, announcement({{numbered(i)}}, loop, address_of("198.51.100.1")));
  }
  EXPECT_THAT(world.overruns, IsEmpty());
  world.rib().set_config(World::default_config());
  EXPECT_THAT(world.overruns, SizeIs(1));
}

// Each UPDATE of such a prefix takes a step for each of its paths.
TEST_F(RibLimits, PathsOfOnePrefixAreLimited) {
  PeerSpec many = kExternal0;
  many.add_path_receive = true;
  add(many);
  for (std::uint32_t id = 1; id <= 4200; ++id) {
    world.rib().receive(
        0, announcement({{numbered(0), id}}, attributes_of({.path = {65000}}), address_of("198.51.100.1")));
  }
  world.settle();
  EXPECT_EQ(world.rib().counts(0).received[kV4], 1U);
  EXPECT_EQ(world.rib().counts(0).paths[kV4], 4096U);
  EXPECT_EQ(world.rib().counts(0).ignored[kV4], 104U);
  EXPECT_THAT(world.ignored, ElementsAre(std::pair(PeerId{0}, numbered(0)))) << "said once";
  world.rib().receive(0, withdrawal({{numbered(0), 1}}));
  world.rib().receive(0, withdrawal({{numbered(0), 4200}}));
  EXPECT_EQ(world.rib().counts(0).paths[kV4], 4095U) << "the second was ignored when it came";
}

}  // namespace
}  // namespace margay::bgp::rib
