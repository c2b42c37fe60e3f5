// What concerns all routes of one peer costs no more than there are of them.
#include "bgp/rib/adj_rib_in.h"

#include <gtest/gtest.h>

#include "bgp/rib/rib_fixture.h"

namespace margay::bgp::rib {
namespace {

constexpr PeerId kBig = 0, kSmall = 1;
constexpr std::uint32_t kTable = 20'000, kFew = 3;

class AdjRibInTest : public ::testing::Test {
 protected:
  AdjRibInTest() {
    tables_.facts.resize(2);
    for (const PeerId peer : {kBig, kSmall}) {
      in_.add_peer(peer);
      in_.set_policy(peer, policy(peer));
    }
  }
  ~AdjRibInTest() override {
    for (const PeerId peer : {kBig, kSmall}) in_.drop(peer, kV4);
    decide();
  }
  static ImportPolicy policy(PeerId peer) {
    const PeerSpec spec{.id = peer};
    return ImportPolicy(policy_of(spec), session_of(spec), World::default_config());
  }
  void announce(PeerId peer, std::uint32_t first, std::uint32_t count, std::uint32_t path_id = 0) {
    std::vector<Nlri> nlri;
    for (std::uint32_t i = first; i < first + count; ++i) nlri.push_back({numbered(i), path_id});
    in_.receive(peer, announcement(nlri, attributes_of({.path = {65000U + peer}}), address_of("198.51.100.1")));
  }
  void withdraw(PeerId peer, std::uint32_t number, std::uint32_t path_id = 0) {
    in_.receive(peer, withdrawal({{numbered(number), path_id}}));
  }
  static IpPrefix numbered(std::uint32_t number) {
    return IpPrefix::containing(IpAddress::v4(0x64000000U + number * 256), 24);
  }
  // The prefixes that wait for a decision; none does afterwards.
  std::size_t decide() {
    std::size_t count = 0;
    dirty_.work_off(~std::size_t{0}, [&count](Family, PrefixId) { ++count; });
    return count;
  }
  template <class Event>
  std::uint64_t walked(const Event& event) {
    const std::uint64_t before = in_.prefixes_walked();
    event();
    return in_.prefixes_walked() - before;
  }

  Tables tables_;
  DirtyList dirty_{tables_};
  AdjRibIn in_{tables_, dirty_};
};

TEST_F(AdjRibInTest, ASmallPeersEventsDoNotTouchABigTable) {
  announce(kBig, 0, kTable);
  announce(kSmall, kTable - 1, kFew);
  decide();
  const auto small = [&](auto event) {
    announce(kSmall, kTable - 1, kFew);
    return walked(event);
  };
  EXPECT_EQ(small([&] { in_.begin_refresh(kSmall, kV4); }), kFew);
  EXPECT_EQ(small([&] { in_.end_refresh(kSmall, kV4); }), kFew);
  EXPECT_EQ(small([&] { in_.set_policy(kSmall, policy(kSmall)); }), kFew);
  EXPECT_EQ(small([&] { in_.touch(kSmall); }), kFew);
  EXPECT_EQ(small([&] { in_.mark_stale(kSmall, kV4); }), kFew);
  EXPECT_EQ(small([&] { in_.drop_stale(kSmall, kV4); }), 0U) << "all were named again";
  in_.mark_stale(kSmall, kV4);
  EXPECT_EQ(walked([&] { in_.begin_long_lived(kSmall, kV4); }), kFew);
  EXPECT_EQ(walked([&] { in_.drop_stale(kSmall, kV4); }), kFew);
  EXPECT_EQ(small([&] { in_.drop(kSmall, kV4); }), kFew);
  EXPECT_EQ(walked([&] { in_.drop(kSmall, kV4); }), 0U);
  EXPECT_EQ(in_.counts(kSmall).received[kV4], 0U);
  EXPECT_EQ(in_.counts(kBig).received[kV4], kTable);
}

TEST_F(AdjRibInTest, WhatFlapsIsWalkedOnceAndTakesNoMemory) {
  announce(kSmall, 0, kFew);
  const std::size_t memory = in_.memory_bytes();
  for (std::uint32_t round = 0; round < 10'000; ++round) {
    withdraw(kSmall, 0);
    if (round % 3 == 0) decide();  // its number is free for others
    announce(kBig, 1000 + round, 1);
    announce(kSmall, 0, 1);
  }
  EXPECT_LT(in_.memory_bytes(), memory + 4 * 10'000 * 2 + 2048) << "the other peer's, and little else";
  EXPECT_EQ(walked([&] { in_.touch(kSmall); }), kFew);
  decide();
  in_.mark_stale(kSmall, kV4);
  EXPECT_EQ(in_.counts(kSmall).stale[kV4], kFew) << "marked once, not taken for stale already";
  in_.drop(kSmall, kV4);
  EXPECT_EQ(decide(), kFew);
}

TEST_F(AdjRibInTest, ManyPathsOfAPrefixAreOneOfThePeersPrefixes) {
  for (std::uint32_t id = 1; id <= 5; ++id) announce(kSmall, 7, 1, id);
  announce(kSmall, 8, 1, 1);
  EXPECT_EQ(walked([&] { in_.touch(kSmall); }), 2U);
  for (std::uint32_t id = 1; id <= 4; ++id) withdraw(kSmall, 7, id);
  EXPECT_EQ(walked([&] { in_.touch(kSmall); }), 2U);
  withdraw(kSmall, 7, 5);
  EXPECT_EQ(walked([&] { in_.touch(kSmall); }), 1U);
  EXPECT_EQ(in_.counts(kSmall).received[kV4], 1U);
}

TEST_F(AdjRibInTest, WithTheLastRouteTheListsAreGone) {
  announce(kBig, 0, 1000);
  EXPECT_GT(in_.memory_bytes(), 0U);
  for (std::uint32_t i = 0; i < 1000; ++i) withdraw(kBig, i);
  EXPECT_EQ(in_.memory_bytes(), 0U);
  announce(kBig, 0, 1000);
  in_.drop(kBig, kV4);
  EXPECT_EQ(in_.memory_bytes(), 0U);
}

}  // namespace
}  // namespace margay::bgp::rib
