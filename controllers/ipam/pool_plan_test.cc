#include "controllers/ipam/pool_plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::controllers {
namespace {

using std::chrono::seconds;

struct Pools {
  PoolsByName all;

  model::IpPool& add(const std::string& name, std::string_view cidr, int created) {
    auto pool = std::make_shared<model::IpPool>();
    pool->metadata.name = name;
    pool->metadata.creation_timestamp = WallTime(seconds(created));
    pool->spec.cidr = IpPrefix::parse(cidr).value();
    all[name] = pool;
    return *pool;
  }
  // As if it had been written.
  void apply() {
    for (const auto& [name, plan] : plan_pools(all)) {
      auto pool = std::make_shared<model::IpPool>(*all[name]);
      pool->status.conditions = {plan.allocatable};
      all[name] = pool;
    }
  }
  std::string reason(const std::string& name) { return plan_pools(all).at(name).allocatable.reason; }
};

void mark_deleted(Pools& pools, const std::string& name) {
  auto pool = std::make_shared<model::IpPool>(*pools.all[name]);
  pool->metadata.deletion_timestamp = WallTime(seconds(100));
  pools.all[name] = pool;
}

TEST(PoolPlan, OfPoolsThatOverlapTheOldestGives) {
  Pools pools;
  pools.add("b", "10.0.0.0/16", 1);
  pools.add("a", "10.0.1.0/24", 2);
  pools.add("c", "10.1.0.0/16", 3);
  pools.add("d", "fd00::/64", 3);
  EXPECT_EQ(pools.reason("b"), kReasonOk);
  EXPECT_EQ(pools.reason("a"), kReasonOverlap);
  EXPECT_EQ(pools.reason("c"), kReasonOk);
  EXPECT_EQ(pools.reason("d"), kReasonOk);
  const PoolPlan plan = plan_pools(pools.all).at("a");
  EXPECT_EQ(plan.allocatable.status, model::ConditionStatus::kFalse);
  EXPECT_THAT(plan.allocatable.message, testing::HasSubstr("10.0.0.0/16 of IPPool b"));
  EXPECT_EQ(plan.has_finalizer, false) << "the blocks in its range are the other's";
  EXPECT_EQ(plan_pools(pools.all).at("b").has_finalizer, true);
}

TEST(PoolPlan, WhoGivesAlreadyKeepsItsPlaceAgainstOlderOnes) {
  Pools pools;
  pools.add("young", "10.0.0.0/16", 9);
  pools.apply();
  pools.add("old", "10.0.0.0/24", 1);
  EXPECT_EQ(pools.reason("young"), kReasonOk);
  EXPECT_EQ(pools.reason("old"), kReasonOverlap);
}

TEST(PoolPlan, APoolThatIsDeletedKeepsItsPlaceUntilItIsGone) {
  Pools pools;
  pools.add("first", "10.0.0.0/16", 1);
  pools.add("second", "10.0.0.0/24", 2);
  pools.apply();
  mark_deleted(pools, "first");
  EXPECT_EQ(pools.reason("first"), kReasonTerminating);
  EXPECT_EQ(plan_pools(pools.all).at("first").has_finalizer, std::nullopt) << "until its blocks are gone";
  EXPECT_EQ(pools.reason("second"), kReasonOverlap);
  pools.all.erase("first");
  EXPECT_EQ(pools.reason("second"), kReasonOk);
}

TEST(PoolPlan, APoolThatIsDisabledStandsInNobodysWay) {
  Pools pools;
  pools.add("off", "10.0.0.0/16", 1).spec.disabled = true;
  pools.add("on", "10.0.0.0/24", 2);
  EXPECT_EQ(pools.reason("off"), kReasonDisabled);
  EXPECT_EQ(plan_pools(pools.all).at("off").has_finalizer, false);
  EXPECT_EQ(pools.reason("on"), kReasonOk);
}

TEST(PoolPlan, WhatIsWrittenIsRight) {
  Pools pools;
  pools.add("a", "10.0.0.0/16", 1);
  pools.add("b", "10.0.0.0/24", 2);
  pools.apply();
  const auto once = plan_pools(pools.all);
  pools.apply();
  EXPECT_EQ(plan_pools(pools.all), once);
  for (const auto& [name, plan] : once) EXPECT_TRUE(says(*pools.all[name], plan.allocatable)) << name;
}

}  // namespace
}  // namespace margay::controllers
