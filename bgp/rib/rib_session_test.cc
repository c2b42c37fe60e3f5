// Sessions that come, go, restart, ask again and do not read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "bgp/rib/rib_session_fixture.h"

namespace margay::bgp::rib {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RibSession : public ::testing::Test, protected SessionWorld {
  void TearDown() override { EXPECT_THAT(world.problems, IsEmpty()); }
};

TEST_F(RibSession, DestinationsOfEqualAttributesShareAnUpdate) {
  add(kExternal0);
  add(kExternal1);
  world.settle();
  announce_many(0, 20, 30);
  world.settle();
  EXPECT_EQ(known(1), 600U);
  EXPECT_EQ(world.table(1).updates, 20U);
  world.down(0);
  world.settle();
  EXPECT_EQ(known(1), 0U);
  EXPECT_EQ(world.table(1).updates, 21U) << "one UPDATE withdraws them all";
}

TEST_F(RibSession, LateJoinerGetsOneUpdateASetAndEndOfRibLast) {
  add(kExternal0);
  world.settle();
  announce_many(0, 50, 10);
  world.settle();
  add(kExternal1);
  add(kExternal2);
  world.settle();
  for (const PeerId peer : {PeerId{1}, PeerId{2}}) {
    EXPECT_EQ(known(peer), 500U);
    EXPECT_EQ(world.table(peer).updates, 50U);
    EXPECT_EQ(world.table(peer).end_of_ribs, 2U);
  }
}

TEST_F(RibSession, WhoJoinsTogetherSharesPackets) {
  add(kExternal0);
  announce_many(0, 5, 10);
  world.settle();
  add(kExternal1);
  add(kExternal2);
  while (!world.rib().run(1000)) {
  }
  const std::vector<Packet> one = world.rib().take(1, 1 << 20), two = world.rib().take(2, 1 << 20);
  ASSERT_FALSE(one.empty());
  EXPECT_EQ(one.front().get(), two.front().get());
}

TEST_F(RibSession, AChangeIsEncodedOnceForAll) {
  for (const PeerSpec& spec : {kExternal0, kExternal1, kExternal2}) add(spec);
  world.settle();
  announce(0, 1);
  while (!world.rib().run(1000)) {
  }
  EXPECT_EQ(world.rib().take(1, 1).front().get(), world.rib().take(2, 1).front().get());
  EXPECT_FALSE(world.rib().has_output(0));
}

TEST_F(RibSession, WorkInSmallStepsEndsAtTheSame) {
  add(kExternal0);
  add(kExternal1);
  announce_many(0, 7, 11);
  int runs = 0;
  while (!world.rib().run(3)) ++runs;
  EXPECT_GT(runs, 20);
  world.settle();
  EXPECT_EQ(known(1), 77U);
}

TEST_F(RibSession, AChangeTakenBackBeforeItIsToldIsNotTold) {
  add(kExternal0);
  add(kExternal1);
  world.settle();
  announce(0, 1);
  world.rib().receive(0, withdrawal({{numbered(1)}}));
  world.settle();
  EXPECT_EQ(world.table(1).updates, 0U);
}

TEST_F(RibSession, OutputIsSaidOnceUntilItIsTaken) {
  add(kExternal0);
  add(kExternal1);
  world.settle();
  world.outputs.clear();
  for (std::uint32_t i = 0; i < 3; ++i) {
    announce(0, i);
    while (!world.rib().run(1000)) {
    }
  }
  EXPECT_THAT(world.outputs, ElementsAre(1));
  world.read(1);
  EXPECT_FALSE(world.rib().has_output(1));
  announce(0, 9);
  while (!world.rib().run(1000)) {
  }
  EXPECT_THAT(world.outputs, ElementsAre(1, 1));
}

TEST_F(RibSession, TakeGivesAtLeastOnePacketAndNoMoreThanAsked) {
  add(kExternal0);
  add(kExternal1);
  world.settle();
  for (std::uint32_t i = 0; i < 5; ++i) {
    announce(0, i);
    while (!world.rib().run(1000)) {
    }
  }
  const std::vector<Packet> first = world.rib().take(1, 1);
  ASSERT_EQ(first.size(), 1U);
  const std::size_t size = first.front()->size();
  EXPECT_EQ(world.rib().take(1, size * 2).size(), 2U);
  EXPECT_EQ(world.rib().take(1, 1 << 20).size(), 2U);
  EXPECT_THAT(world.rib().take(1, 1 << 20), IsEmpty());
}

TEST_F(RibSession, PolicyChangeTellsTheDifferenceOnly) {
  add(kExternal0);
  add(kExternal1);
  add(kExternal2);
  announce_many(0, 4, 5);
  announce(0, 100, {5});
  world.settle();
  FilterRule rule;
  rule.community = AnyCommunity(5U);
  rule.accept = false;
  PeerPolicy policy = policy_of(kExternal1);
  policy.export_chain[kV4] = std::make_shared<const std::vector<Filter>>(std::vector<Filter>{{"five", {rule}}});
  const std::size_t one = world.table(1).updates, two = world.table(2).updates;
  world.rib().set_policy(1, policy);
  world.settle();
  EXPECT_EQ(known(1), 20U);
  EXPECT_EQ(world.table(1).updates, one + 1);
  EXPECT_EQ(known(2), 21U);
  EXPECT_EQ(world.table(2).updates, two);
  world.rib().set_policy(1, policy_of(kExternal1));
  world.settle();
  EXPECT_EQ(known(1), 21U);
  EXPECT_EQ(world.table(1).needless, 0U);
}

TEST_F(RibSession, EndOfRibWaitsWhileItIsDeferred) {
  world.rib().defer_end_of_rib(true);
  add(kExternal0);
  add(kExternal1);
  announce(0, 1);
  world.settle();
  EXPECT_EQ(known(1), 1U) << "routes do not wait";
  EXPECT_EQ(world.table(1).end_of_ribs, 0U);
  world.rib().defer_end_of_rib(false);
  world.settle();
  EXPECT_EQ(world.table(1).end_of_ribs, 2U);
  EXPECT_EQ(world.table(0).end_of_ribs, 2U);
}

TEST_F(RibSession, RoutesOfARestartingPeerStayUntilItHasSpoken) {
  add(kExternal0);
  add(kExternal1);
  for (std::uint32_t i = 0; i < 3; ++i) announce(0, i);
  world.settle();
  const std::size_t before = world.table(1).updates;
  world.down(0, true);
  world.settle();
  EXPECT_EQ(world.rib().counts(0).stale[kV4], 3U);
  world.up(0);
  announce(0, 0);
  announce(0, 1);
  world.settle();
  EXPECT_EQ(world.table(1).updates, before) << "nothing has changed for others";
  EXPECT_EQ(world.rib().counts(0).stale[kV4], 1U);
  world.rib().receive(0, end_of_rib(kV4));
  world.settle();
  EXPECT_EQ(known(1), 2U);
  EXPECT_EQ(world.rib().counts(0).stale[kV4], 0U);
  EXPECT_EQ(world.rib().counts(0).received[kV4], 2U);
}

TEST_F(RibSession, StaleRoutesGoWhenTimeIsUpOrTheSessionEndsForGood) {
  add(kExternal0);
  add(kExternal1);
  announce(0, 0);
  world.settle();
  world.down(0, true);
  world.rib().drop_stale(0, kV4);
  world.settle();
  EXPECT_EQ(known(1), 0U);
  world.up(0);
  announce(0, 0);
  world.settle();
  world.down(0, true);
  world.rib().remove_peer(0);
  world.settle();
  EXPECT_EQ(known(1), 0U);
}

// RFC 9494.
TEST_F(RibSession, LongLivedStaleRoutesAreTheLastResort) {
  for (const PeerSpec& spec : {kExternal0, kExternal1, kExternal2}) add(spec);
  announce(0, 0);
  announce(0, 1, {kNoLlgr});
  announce(0, 2);
  announce_many(1, 1, 1);  // number 0 too, by a longer path
  world.settle();
  world.down(0, true);
  world.rib().begin_long_lived(0, kV4);
  world.settle();
  // Number 2 has no better path, but peer 2 does not know of long-lived routes; 1 must not live long.
  EXPECT_THAT(world.table(2).routes, SizeIs(1));
  EXPECT_EQ(world.rib().explain(numbered(0)).back().lost_at, DecisionStep::kStale);
  EXPECT_THAT(world.rib().explain(numbered(1)), IsEmpty());
  const std::vector<RouteView> last = world.rib().explain(numbered(2));
  ASSERT_EQ(last.size(), 1U);
  EXPECT_TRUE(last[0].is_best && last[0].is_stale);
  EXPECT_TRUE(last[0].attributes.has_community(kLlgrStale));
  world.up(0);
  announce(0, 2);
  world.settle();
  EXPECT_THAT(world.table(2).routes, SizeIs(2)) << "fresh again";
}

TEST_F(RibSession, RefreshSendsAllAgainBetweenItsMarks) {
  add(kExternal0);
  PeerSpec plain = kExternal1;
  plain.enhanced_refresh = false;
  add(plain);
  add(kExternal2);
  announce_many(0, 3, 3);
  world.settle();
  for (const PeerId peer : {PeerId{1}, PeerId{2}}) {
    world.table(peer).routes.clear();
    world.rib().receive(peer, RouteRefresh{kV4, RefreshKind::kRequest});
  }
  world.settle();
  EXPECT_EQ(known(1), 9U);
  EXPECT_THAT(world.table(1).marks, IsEmpty());
  EXPECT_EQ(known(2), 9U);
  EXPECT_THAT(world.table(2).marks, ElementsAre(RefreshKind::kBegin, RefreshKind::kEnd));
}

TEST_F(RibSession, WhatARefreshDoesNotNameGoes) {
  add(kExternal0);
  add(kExternal1);
  for (std::uint32_t i = 0; i < 4; ++i) announce(0, i);
  world.settle();
  world.rib().receive(0, RouteRefresh{kV4, RefreshKind::kBegin});
  announce(0, 1);
  announce(0, 3);
  world.rib().receive(0, RouteRefresh{kV4, RefreshKind::kEnd});
  world.settle();
  EXPECT_EQ(known(1), 2U);
  EXPECT_EQ(world.table(1).needless, 0U);
}

TEST_F(RibSession, WhatNobodyReadsCoalesces) {
  add({.id = 5, .kind = Kind::kInternal});
  add(kExternal1);
  world.settle();
  for (std::uint32_t round = 0; round < 60; ++round) {  // 32 kB each, to peer 1 alone
    announce_big(5, round);
    while (!world.rib().run(100'000)) {
    }
  }
  EXPECT_THAT(world.overruns, IsEmpty());
  const std::uint64_t before = world.rib().counts(1).bytes_sent;
  EXPECT_LT(before, kQueueBytes + 100'000);
  while (world.rib().has_output(1)) world.read(1);
  EXPECT_LT(world.rib().counts(1).bytes_sent, before + 100'000) << "the last round alone";
  EXPECT_EQ(known(1), 8000U);
  const PeerTable::Route& last = world.table(1).routes.at({numbered(7), 0});
  EXPECT_EQ(AttributeView(bytes::view_of(last.attributes)).as_path().to_string(), "64512 1059 1059");
}

// RFC 4724 §4.2, of consecutive restarts.
TEST_F(RibSession, WhatWasStaleAlreadyGoesWithTheNextRestart) {
  add(kExternal0);
  add(kExternal1);
  for (std::uint32_t i = 0; i < 3; ++i) announce(0, i);
  world.down(0, true);
  world.up(0);
  announce(0, 1);
  world.down(0, true);
  world.settle();
  EXPECT_EQ(world.rib().counts(0).received[kV4], 1U);
  EXPECT_EQ(world.rib().counts(0).stale[kV4], 1U);
  EXPECT_EQ(known(1), 1U);
  world.rib().session_down(0, true);
  EXPECT_EQ(world.rib().counts(0).received[kV4], 1U) << "said twice, it is still one restart";
}

TEST_F(RibSession, WhoAsksAgainWithoutReadingIsAnsweredOnce) {
  add(kExternal0);
  add(kExternal1);
  world.settle();
  for (std::uint32_t number = 0; number < 1400; ++number) {
    std::vector<std::uint32_t> path(200, 65000);
    path.push_back(number + 1);
    world.rib().receive(0,
                        announcement({{numbered(number)}}, attributes_of({.path = path}), address_of("198.51.100.1")));
  }
  world.settle();
  const std::uint64_t view = world.rib().counts(1).bytes_sent;
  ASSERT_GT(view, kQueueBytes);
  for (int round = 0; round < 20; ++round) {
    world.rib().receive(1, RouteRefresh{kV4, RefreshKind::kRequest});
    for (int turn = 0; turn < 4; ++turn) (void)world.rib().run(1'000'000);
  }
  EXPECT_LT(world.rib().counts(1).bytes_sent, view * 2 + 100'000) << "one view, and the next when it has been read";
  EXPECT_EQ(world.table(1).marks.size(), 0U);
  while (world.rib().has_output(1)) world.read(1);
  world.settle();
  EXPECT_THAT(world.table(1).marks,
              ElementsAre(RefreshKind::kBegin, RefreshKind::kEnd, RefreshKind::kBegin, RefreshKind::kEnd));
  EXPECT_LT(world.rib().counts(1).bytes_sent, view * 3 + 100'000);
}

// A prefix that flaps costs those who do not read one prefix, not a history.
TEST_F(RibSession, WhoDoesNotReadLagsAloneAndGetsTheDifference) {
  for (const PeerSpec& spec : {kExternal0, kExternal1, kExternal2}) add(spec);
  for (std::uint32_t number = 0; number < 50; ++number) announce(0, number);
  world.settle();
  const std::size_t memory = world.rib().memory_bytes();
  const std::uint64_t sent = world.rib().counts(2).bytes_sent;
  const std::size_t updates = world.table(2).updates;
  constexpr std::uint32_t kFlaps = 100'000;
  for (std::uint32_t flap = 0; flap < kFlaps; ++flap) {
    if (flap % 2 == 0) {
      const std::string attributes = attributes_of({.path = {65000, 100 + flap}});
      world.rib().receive(0, announcement({{numbered(7)}}, attributes, address_of("198.51.100.1")));
    } else {
      world.rib().receive(0, withdrawal({{numbered(7)}}));
    }
    if (flap == kFlaps / 2) {
      announce(0, 60);                                      // new
      world.rib().receive(0, withdrawal({{numbered(8)}}));  // gone
      world.rib().receive(0, withdrawal({{numbered(9)}}));  // gone and there again
    }
    while (!world.rib().run(1000)) {
    }
    if (flap == kFlaps / 2) announce(0, 9);
    if (flap % 100 == 0) world.read(1);
  }
  EXPECT_LT(world.rib().counts(2).bytes_sent, sent + kQueueBytes + 1000);
  EXPECT_GT(world.rib().counts(1).bytes_sent, sent + 3 * kQueueBytes) << "who reads hears all of it";
  EXPECT_LT(world.rib().memory_bytes(), memory + 4096);
  EXPECT_THAT(world.overruns, IsEmpty());
  const std::uint64_t queued = world.rib().counts(2).updates_sent - updates;
  world.settle();
  EXPECT_EQ(known(2), 49U);
  EXPECT_EQ(world.table(1).routes, world.table(2).routes);
  EXPECT_LE(world.table(2).updates, updates + queued + 3) << "then withdrawals, and no more than two sets";
  announce(0, 61);
  world.settle();
  EXPECT_EQ(known(2), 50U) << "a member as before";
}

TEST_F(RibSession, WhoLeavesWhileItLagsLeavesNothing) {
  for (const PeerSpec& spec : {kExternal0, kExternal1, kExternal2}) add(spec);
  world.settle();
  const std::size_t memory = world.rib().memory_bytes();
  const auto fill = [this] {
    for (std::uint32_t round = 0; world.rib().counts(2).bytes_sent < 2 * kQueueBytes && round < 60; ++round) {
      announce_big(0, round);
      while (!world.rib().run(100'000)) {
      }
      while (world.rib().has_output(1)) world.read(1);
    }
  };
  fill();
  EXPECT_LT(world.rib().counts(2).bytes_sent, kQueueBytes + 100'000) << "it lags";
  world.down(2);
  world.up(2);
  fill();
  world.rib().set_policy(2, [] {
    PeerPolicy policy = policy_of(kExternal2);
    policy.graceful_shutdown = true;
    return policy;
  }());
  world.rib().receive(2, RouteRefresh{kV4, RefreshKind::kRequest});
  EXPECT_TRUE(world.rib().run(1'000'000)) << "the move to another group and the view wait for room";
  world.settle();
  EXPECT_EQ(known(2), 8000U);
  EXPECT_TRUE(
      AttributeView(bytes::view_of(world.table(2).routes.begin()->second.attributes)).has_community(kGracefulShutdown));
  EXPECT_THAT(world.table(2).marks, ElementsAre(RefreshKind::kBegin, RefreshKind::kEnd));
  for (const PeerId peer : {PeerId{0}, PeerId{2}, PeerId{1}}) world.down(peer);
  world.settle();
  EXPECT_LE(world.rib().memory_bytes(), memory);
}

TEST_F(RibSession, AddPathSendsSeveralUnderStableIdentifiers) {
  PeerSpec listener{.id = 7, .kind = Kind::kInternal};
  listener.add_path_send = true;
  listener.send_paths_max = 2;
  for (const PeerSpec& spec : {kExternal0, kExternal1, kExternal2, listener}) add(spec);
  announce(0, 1);
  announce(1, 1);
  world.settle();
  const auto ids_by_path = [this] {
    std::map<std::string, std::uint32_t> ids;
    for (const auto& [key, route] : world.table(7).routes) {
      ids[AttributeView(bytes::view_of(route.attributes)).as_path().to_string()] = key.second;
    }
    return ids;
  };
  const auto first = ids_by_path();
  ASSERT_THAT(first, SizeIs(2));
  announce(2, 1);  // third best: not among the two
  world.settle();
  EXPECT_EQ(ids_by_path(), first);
  world.rib().receive(0, withdrawal({{numbered(1)}}));
  world.settle();
  const auto second = ids_by_path();
  ASSERT_THAT(second, SizeIs(2));
  EXPECT_EQ(second.at("65001"), first.at("65001")) << "keeps its identifier";
  world.down(1);
  world.down(2);
  world.settle();
  EXPECT_EQ(known(7), 0U);
}

TEST_F(RibSession, ReceivedPathsOfOnePrefixAreKeptApart) {
  PeerSpec speaker = kExternal0;
  speaker.add_path_receive = true;
  add(speaker);
  add(kExternal1);
  for (const std::uint32_t id : {1U, 2U}) {
    const std::string attributes =
        attributes_of({.path = id == 1 ? std::vector<std::uint32_t>{65000, 3} : std::vector<std::uint32_t>{65000}});
    world.rib().receive(0, announcement({{numbered(1), id}}, attributes, address_of("198.51.100.1")));
  }
  world.settle();
  EXPECT_EQ(world.rib().counts(0).paths[kV4], 2U);
  world.rib().receive(0, withdrawal({{numbered(1), 2}}));
  world.settle();
  const PeerTable::Route& left = world.table(1).routes.at({numbered(1), 0});
  EXPECT_EQ(AttributeView(bytes::view_of(left.attributes)).as_path().to_string(), "64512 65000 3");
}

TEST_F(RibSession, MemoryIsGivenBackWhenAllHaveLeft) {
  const std::size_t before = world.rib().memory_bytes();
  for (const PeerSpec& spec : {kExternal0, kExternal1, kExternal2}) add(spec);
  announce_many(0, 300, 20);
  announce_many(1, 100, 60);
  world.settle();
  EXPECT_GT(world.rib().memory_bytes(), before + 100'000);
  EXPECT_EQ(world.rib().counts(2).sent[kV4], 6000U);
  for (const PeerId peer : {PeerId{0}, PeerId{1}, PeerId{2}}) {
    world.down(peer);
    world.rib().remove_peer(peer);
  }
  world.settle();
  EXPECT_EQ(world.rib().memory_bytes(), before);
  EXPECT_THAT(world.kernel(), IsEmpty());
}

}  // namespace
}  // namespace margay::bgp::rib
