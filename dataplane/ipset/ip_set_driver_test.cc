// Against a fake of the kernel that refuses, fails and is changed behind the driver's back.
#include "dataplane/ipset/ip_set_driver.h"

#include <gtest/gtest.h>

#include <string>

#include "base/core/text.h"
#include "dataplane/ipset/fake_sets.h"
#include "dataplane/ipset/test_sets.h"

namespace margay::ipset {
namespace {

using test::hosts;
using test::kIp4;
using test::kNet4;
using test::kNet6;
using test::kStart;
using test::net;

std::set<Member> as_set(const std::vector<Member>& members) { return {members.begin(), members.end()}; }

class IpSetDriverTest : public testing::Test {
 protected:
  void must_apply() {
    const auto report = driver_.apply(kStart);
    for (const auto& failure : report.failures) ADD_FAILURE() << failure.object << ": " << failure.error.message;
    EXPECT_TRUE(report.is_in_sync());
  }
  // As after a restart: another driver over the same kernel.
  IpSetDriver another() { return IpSetDriver(kernel_, {.prefixes = {"m4-", "m6-"}, .member_max = 1000}); }
  FakeSets::Held& held(const std::string& name) { return kernel_.sets().at(name); }

  FakeSets kernel_;
  IpSetDriver driver_{kernel_, {.prefixes = {"m4-", "m6-"}, .member_max = 1000}};
};

TEST_F(IpSetDriverTest, WhatIsWantedIsMadeAndFilled) {
  driver_.replace("m4-a", kNet4, {net("10.0.0.0/8"), net("192.0.2.7")});
  driver_.replace("m6-a", kNet6, {net("2001:db8::/32")});
  driver_.replace("m4-empty", kIp4, {});
  must_apply();
  EXPECT_EQ(held("m4-a").members, (std::set<Member>{net("10.0.0.0/8"), net("192.0.2.7")}));
  EXPECT_EQ(held("m6-a").spec, kNet6);
  EXPECT_EQ(held("m6-a").members, (std::set<Member>{net("2001:db8::/32")}));
  EXPECT_EQ(held("m4-empty").spec, kIp4);
  EXPECT_EQ(held("m4-empty").member_max, 1000U);
}

TEST_F(IpSetDriverTest, OnlyTheDifferenceIsSent) {
  driver_.replace("m4-a", kNet4, hosts(700));
  must_apply();
  const std::size_t before = kernel_.members_sent();
  driver_.update("m4-a", hosts(2, 5000), hosts(3));
  must_apply();
  EXPECT_EQ(kernel_.members_sent() - before, 5U);
  EXPECT_EQ(held("m4-a").members.size(), 699U);
  EXPECT_EQ(kernel_.swaps(), 0U);
}

TEST_F(IpSetDriverTest, NothingToDoCostsNoCall) {
  driver_.replace("m4-a", kNet4, hosts(10));
  must_apply();
  const std::size_t before = kernel_.calls();
  must_apply();
  driver_.replace("m4-a", kNet4, hosts(10));
  must_apply();
  EXPECT_EQ(kernel_.calls(), before);
}

TEST_F(IpSetDriverTest, AnEarlierLifesSetsAreAdoptedWithoutAWrite) {
  driver_.replace("m4-a", kNet4, hosts(10));
  driver_.replace("m4-all", kNet4, {net("0.0.0.0/0")});
  must_apply();
  const std::size_t before = kernel_.writes();
  IpSetDriver next = another();
  next.replace("m4-a", kNet4, hosts(10));
  next.replace("m4-all", kNet4, {net("0.0.0.0/0")});
  next.allow_removal();
  EXPECT_TRUE(next.apply(kStart).is_in_sync());
  EXPECT_EQ(kernel_.writes(), before);
}

TEST_F(IpSetDriverTest, DriftIsRepairedAtAResync) {
  driver_.replace("m4-a", kNet4, hosts(10));
  driver_.replace("m4-b", kNet4, hosts(10));
  must_apply();
  held("m4-a").members.insert(net("203.0.113.0/24"));
  held("m4-a").members.erase(hosts(1)[0]);
  kernel_.sets().erase("m4-b");
  driver_.queue_resync();
  must_apply();
  EXPECT_EQ(held("m4-a").members, as_set(hosts(10)));
  EXPECT_EQ(held("m4-b").members, as_set(hosts(10)));
}

TEST_F(IpSetDriverTest, ASetThatVanishedIsMadeAgainWithinOneApply) {
  driver_.replace("m4-a", kNet4, hosts(10));
  must_apply();
  kernel_.sets().erase("m4-a");
  driver_.update("m4-a", hosts(1, 100), {});
  must_apply();
  EXPECT_EQ(held("m4-a").members.size(), 11U);
}

TEST_F(IpSetDriverTest, ASetThatSomebodyMadeMeanwhileIsTakenOver) {
  driver_.replace("m4-a", kNet4, {});
  must_apply();
  driver_.replace("m4-b", kNet4, hosts(3));
  kernel_.sets()["m4-b"] = {.spec = kNet4, .members = as_set(hosts(5))};
  must_apply();
  EXPECT_EQ(held("m4-b").members, as_set(hosts(3)));
}

TEST_F(IpSetDriverTest, SetsOfOthersAreNotTouched) {
  const FakeSets::Held other{.spec = kNet4, .members = as_set(hosts(5))};
  kernel_.sets()["theirs"] = other;
  kernel_.sets()["m5-x"] = other;
  driver_.allow_removal();
  driver_.replace("m4-a", kNet4, hosts(1));
  must_apply();
  EXPECT_EQ(held("theirs"), other);
  EXPECT_EQ(held("m5-x"), other);
}

TEST_F(IpSetDriverTest, NothingIsDestroyedBeforeItIsAllowed) {
  kernel_.sets()["m4-old"] = {.spec = kNet4};
  driver_.replace("m4-a", kNet4, hosts(1));
  must_apply();
  EXPECT_TRUE(kernel_.sets().contains("m4-old"));
  driver_.allow_removal();
  must_apply();
  EXPECT_FALSE(kernel_.sets().contains("m4-old"));
}

TEST_F(IpSetDriverTest, RemovalsHaveAPhaseOfTheirOwn) {
  driver_.allow_removal();
  driver_.replace("m4-a", kNet4, hosts(1));
  must_apply();
  driver_.remove("m4-a");
  driver_.remove("m4-never-there");
  driver_.replace("m4-b", kNet4, hosts(1));
  EXPECT_TRUE(driver_.apply_updates(kStart).is_in_sync());
  EXPECT_TRUE(kernel_.sets().contains("m4-a"));
  EXPECT_TRUE(kernel_.sets().contains("m4-b"));
  const auto report = driver_.apply_removals(kStart);
  EXPECT_EQ(report.removed, 1U);
  EXPECT_FALSE(kernel_.sets().contains("m4-a"));
}

TEST_F(IpSetDriverTest, ASetThatARuleRefersToIsTriedAgain) {
  driver_.allow_removal();
  driver_.replace("m4-a", kNet4, hosts(1));
  must_apply();
  held("m4-a").references = 1;
  driver_.remove("m4-a");
  const auto report = driver_.apply(kStart);
  ASSERT_EQ(report.failed, 1U);
  EXPECT_EQ(report.failures[0].object, "set m4-a");
  EXPECT_EQ(report.failures[0].error.code, ErrorCode::kUnavailable);
  ASSERT_TRUE(report.try_again_at);
  EXPECT_GT(*report.try_again_at, kStart);
  EXPECT_TRUE(driver_.failures().contains("m4-a"));
  held("m4-a").references = 0;
  must_apply();
  EXPECT_FALSE(kernel_.sets().contains("m4-a"));
  EXPECT_TRUE(driver_.failures().empty());
}

TEST_F(IpSetDriverTest, ASetThatIsWantedAgainBeforeItWentIsKept) {
  driver_.allow_removal();
  driver_.replace("m4-a", kNet4, hosts(4));
  must_apply();
  driver_.remove("m4-a");
  EXPECT_TRUE(driver_.apply_updates(kStart).is_in_sync());
  driver_.replace("m4-a", kNet4, hosts(5));
  const std::size_t before = kernel_.members_sent();
  must_apply();
  EXPECT_EQ(held("m4-a").members, as_set(hosts(5)));
  EXPECT_EQ(kernel_.members_sent() - before, 1U);
}

TEST_F(IpSetDriverTest, ManyRemovalsTakeTurnsAndBusyOnesDoNotHoldThemUp) {
  driver_.allow_removal();
  for (int i = 0; i < 100; ++i) driver_.replace(concat("m4-", 100 + i), kNet4, {});
  must_apply();
  for (int i = 0; i < 100; ++i) {
    driver_.remove(concat("m4-", 100 + i));
    if (i < 40) held(concat("m4-", 100 + i)).references = 1;
  }
  std::size_t turns = 0;
  for (auto report = driver_.apply_removals(kStart); report.try_again_at == kStart; ++turns) {
    report = driver_.apply_removals(kStart);
    ASSERT_LT(turns, 20U);
  }
  EXPECT_EQ(kernel_.sets().size(), 40U);
}

TEST_F(IpSetDriverTest, AWholeSetThatChangesIsSwappedIn) {
  driver_.replace("m4-a", kNet4, hosts(900));
  must_apply();
  held("m4-a").references = 2;
  driver_.replace("m4-a", kNet4, hosts(900, 50000));
  must_apply();
  EXPECT_EQ(kernel_.swaps(), 1U);
  EXPECT_EQ(held("m4-a").members, as_set(hosts(900, 50000)));
  EXPECT_EQ(held("m4-a").references, 2U);
  EXPECT_EQ(kernel_.sets().size(), 1U) << "the temporary set has gone, though nobody allowed to remove anything";
}

TEST_F(IpSetDriverTest, ASetThatOutgrowsItsRoomIsMadeLarger) {
  driver_.replace("m4-a", kNet4, hosts(1000));
  must_apply();
  driver_.update("m4-a", hosts(500, 1000), {});
  must_apply();
  EXPECT_EQ(held("m4-a").members.size(), 1500U);
  EXPECT_EQ(held("m4-a").member_max, 2048U);
  EXPECT_EQ(kernel_.swaps(), 1U);
  driver_.update("m4-a", hosts(100, 1500), {});
  must_apply();
  EXPECT_EQ(kernel_.swaps(), 1U) << "it has room to grow";
}

TEST_F(IpSetDriverTest, ASmallSetOfAnEarlierConfigurationIsMadeLarger) {
  kernel_.sets()["m4-a"] = {.spec = kNet4, .member_max = 10, .members = as_set(hosts(10)), .references = 1};
  driver_.replace("m4-a", kNet4, hosts(11));
  must_apply();
  EXPECT_EQ(held("m4-a").members, as_set(hosts(11)));
  EXPECT_EQ(held("m4-a").member_max, 1000U);
}

TEST_F(IpSetDriverTest, ASetWithTimeoutsIsReplaced) {
  kernel_.sets()["m4-a"] = {.spec = kNet4, .members = as_set(hosts(3)), .references = 1, .has_timeouts = true};
  driver_.replace("m4-a", kNet4, hosts(3));
  must_apply();
  EXPECT_FALSE(held("m4-a").has_timeouts);
  EXPECT_EQ(held("m4-a").references, 1U);
}

TEST_F(IpSetDriverTest, AnotherTypeTakesThePlaceWhenNobodyRefersToTheOld) {
  driver_.replace("m4-a", kNet4, hosts(3));
  must_apply();
  driver_.replace("m4-a", kIp4, hosts(4));
  held("m4-a").references = 1;
  const auto report = driver_.apply(kStart);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_TRUE(report.try_again_at);
  EXPECT_EQ(held("m4-a").members, as_set(hosts(3))) << "what is there goes on";
  held("m4-a").references = 0;
  must_apply();
  EXPECT_EQ(held("m4-a").spec, kIp4);
  EXPECT_EQ(held("m4-a").members, as_set(hosts(4)));
}

TEST_F(IpSetDriverTest, OneMemberThatIsRefusedHarmsNoOther) {
  kernel_.refuse(hosts(1, 500)[0]);
  driver_.replace("m4-a", kNet4, hosts(1000));
  driver_.replace("m4-b", kNet4, hosts(10));
  auto report = driver_.apply(kStart);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(report.updated, 1U);
  ASSERT_TRUE(driver_.failures().contains("m4-a"));
  EXPECT_NE(driver_.failures().at("m4-a").message.find("10.0.1.244"), std::string::npos)
      << driver_.failures().at("m4-a").message;
  EXPECT_EQ(held("m4-a").members.size(), 999U);
  EXPECT_EQ(held("m4-b").members.size(), 10U);
  kernel_.refuse_nothing();
  must_apply();
  EXPECT_EQ(held("m4-a").members.size(), 1000U);
}

TEST_F(IpSetDriverTest, AMemberRefusedByATemporarySetHarmsNoOther) {
  driver_.replace("m4-a", kNet4, hosts(900));
  must_apply();
  kernel_.refuse(hosts(1, 50000)[0]);
  driver_.replace("m4-a", kNet4, hosts(900, 50000));
  EXPECT_EQ(driver_.apply(kStart).failed, 1U);
  EXPECT_EQ(kernel_.swaps(), 1U);
  EXPECT_EQ(held("m4-a").members.size(), 899U);
  kernel_.refuse_nothing();
  must_apply();
  EXPECT_EQ(held("m4-a").members.size(), 900U);
}

TEST_F(IpSetDriverTest, WhatACrashLeftOfASwapGoes) {
  kernel_.sets()["m4-~0"] = {.spec = kNet4, .members = as_set(hosts(7))};
  driver_.replace("m4-a", kNet4, hosts(900));
  must_apply();
  driver_.replace("m4-a", kNet4, hosts(900, 50000));
  driver_.allow_removal();
  must_apply();
  EXPECT_EQ(kernel_.sets().size(), 1U);
  EXPECT_EQ(held("m4-a").members, as_set(hosts(900, 50000)));
}

TEST_F(IpSetDriverTest, AFailedCallAnywhereIsMadeGoodByTheNextApply) {
  // Long enough a course that each call of it can be the one that fails.
  for (int n = 1; n <= 30; ++n) {
    FakeSets kernel;
    kernel.sets()["m4-other-type"] = {.spec = kIp4};
    kernel.sets()["m4-leaves"] = {.spec = kIp4};
    kernel.sets()["m4-swaps"] = {.spec = kNet4, .members = as_set(hosts(900))};
    kernel.sets()["m4-changes"] = {.spec = kNet4, .members = as_set(hosts(9))};
    IpSetDriver driver(kernel, {.prefixes = {"m4-"}, .member_max = 1000});
    driver.allow_removal();
    driver.replace("m4-other-type", kNet4, hosts(2));
    driver.replace("m4-swaps", kNet4, hosts(900, 4000));
    driver.replace("m4-changes", kNet4, hosts(9, 4));
    driver.replace("m4-new", kNet4, hosts(9));
    kernel.fail_call(n);
    for (int i = 0; i < 3; ++i) static_cast<void>(driver.apply(kStart));
    EXPECT_TRUE(driver.apply(kStart).is_in_sync()) << "call " << n;
    EXPECT_EQ(kernel.sets().size(), 4U) << "call " << n;
    EXPECT_EQ(kernel.sets().at("m4-other-type").members, as_set(hosts(2))) << "call " << n;
    EXPECT_EQ(kernel.sets().at("m4-swaps").members, as_set(hosts(900, 4000))) << "call " << n;
    EXPECT_EQ(kernel.sets().at("m4-changes").members, as_set(hosts(9, 4))) << "call " << n;
    EXPECT_EQ(kernel.sets().at("m4-new").members, as_set(hosts(9))) << "call " << n;
  }
}

TEST_F(IpSetDriverTest, TheStateOfEachSetCanBeSeen) {
  driver_.replace("m4-a", kNet4, hosts(5));
  must_apply();
  driver_.update("m4-a", hosts(2, 100), hosts(1));
  driver_.replace("m4-b", kIp4, hosts(3));
  EXPECT_EQ(driver_.desired_count(), 2U);
  EXPECT_EQ(driver_.actual_count(), 1U);
  const auto states = driver_.states();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_TRUE(states.at("m4-a").is_actual);
  EXPECT_EQ(states.at("m4-a").members_desired, 6U);
  EXPECT_EQ(states.at("m4-a").members_missing, 2U);
  EXPECT_EQ(states.at("m4-a").members_extra, 1U);
  EXPECT_FALSE(states.at("m4-b").is_actual);
  EXPECT_EQ(states.at("m4-b").spec, kIp4);
  EXPECT_EQ(driver_.desired_members("m4-b"), hosts(3));
}

TEST_F(IpSetDriverTest, AnotherLimitIsThatOfNewSets) {
  driver_.replace("m4-a", kNet4, {net("10.0.0.0/8")});
  must_apply();
  driver_.set_member_max(70000);
  driver_.replace("m4-b", kNet4, {net("10.0.0.0/8")});
  must_apply();
  EXPECT_EQ(held("m4-a").member_max, 1000U);
  EXPECT_EQ(held("m4-b").member_max, 70000U);
}

}  // namespace
}  // namespace margay::ipset
