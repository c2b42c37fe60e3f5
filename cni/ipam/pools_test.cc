#include "cni/ipam/pools.h"

#include <set>

#include "base/ip/test_values.h"
#include "cni/ipam/candidates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

using test::prefix;

model::IpPool pool(std::string name, std::string_view cidr) {
  model::IpPool out;
  out.metadata.name = std::move(name);
  out.spec.cidr = prefix(cidr);
  return out;
}

TEST(Pools, ManualOnlyWhenNamedAndByNameOrCidr) {
  model::IpPool manual = pool("m", "10.0.0.0/16"), automatic = pool("a", "10.1.0.0/16");
  manual.spec.assignment_mode = model::AssignmentMode::kManual;
  manual.spec.node_selector = "!all()";
  const std::vector<const model::IpPool*> pools = {&automatic, &manual};
  EXPECT_THAT(select_pools(pools, {}).value(), testing::ElementsAre(PoolRange::of(automatic)));
  for (const std::string name : {"m", "10.0.0.0/16"}) {
    EXPECT_THAT(select_pools(pools, {.requested = {name}}).value(), testing::ElementsAre(PoolRange::of(manual)));
  }
  EXPECT_EQ(select_pools(pools, {.requested = {"x"}}).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(select_pools(pools, {.family = IpFamily::kV6, .requested = {"m"}}).ok());
}

TEST(Pools, UsesAndSelectorsThatCannotBeRead) {
  model::IpPool services = pool("s", "10.0.0.0/16"), broken = pool("b", "10.1.0.0/16");
  services.spec.allowed_uses = {model::IpPoolUse::kLoadBalancer};
  broken.spec.namespace_selector = "==";
  const std::vector<const model::IpPool*> pools = {&services, &broken};
  EXPECT_TRUE(select_pools(pools, {}).value().empty());
  EXPECT_EQ(select_pools(pools, {.use = model::IpPoolUse::kLoadBalancer}).value().size(), 1U);
}

TEST(Pools, OneThatStandsBehindAnotherGivesNothing) {
  model::IpPool behind = pool("a", "10.0.0.0/16");
  model::Condition said;
  said.type = "Allocatable";
  said.status = model::ConditionStatus::kFalse;
  said.reason = "CIDROverlap";
  behind.status.conditions = {said};
  const std::vector<const model::IpPool*> pools = {&behind};
  EXPECT_TRUE(select_pools(pools, {}).value().empty());
  EXPECT_EQ(select_pools(pools, {.requested = {"a"}}).error().message, "IP pool \"a\" overlaps another pool");
  behind.status.conditions[0].reason = "PoolDisabled";
  EXPECT_EQ(select_pools(pools, {}).value().size(), 1U) << "what spec.disabled says, it says itself";
}

TEST(BlockOrder, EveryBlockOnceAndHostsDiffer) {
  for (const auto& [cidr, length] : std::vector<std::pair<const char*, int>>{
           {"10.10.0.0/24", 26}, {"10.10.0.0/24", 32}, {"10.10.0.0/26", 26}, {"fd80::/114", 116}}) {
    const BlockOrder order(prefix(cidr), length, "host-a"), again(prefix(cidr), length, "host-a");
    std::set<IpPrefix> seen;
    for (std::uint64_t i = 0; i < order.size(); ++i) {
      EXPECT_TRUE(prefix(cidr).contains(order.at(i)));
      EXPECT_EQ(order.at(i), again.at(i));
      seen.insert(order.at(i));
    }
    EXPECT_EQ(seen.size(), std::size_t{1} << (length - prefix(cidr).length()));
  }
  std::set<IpPrefix> first;
  for (int i = 0; i < 64; ++i) first.insert(BlockOrder(prefix("10.0.0.0/16"), 26, "n" + std::to_string(i)).at(0));
  EXPECT_GT(first.size(), 55U);
}

TEST(BlockOrder, PoolWithMoreBlocksThanAnyoneCounts) {
  const BlockOrder order(prefix("fd00::/8"), 122, "a");
  EXPECT_TRUE(prefix("fd00::/8").contains(order.at(order.size() - 1)));
}

TEST(Pools, BlocksOfACidr) {
  EXPECT_EQ(blocks_within(prefix("10.0.0.0/24"), 26).value().size(), 4U);
  EXPECT_EQ(blocks_within(prefix("10.0.0.0/27"), 26).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(blocks_within(prefix("fd00::/8"), 122).error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace margay::ipam
