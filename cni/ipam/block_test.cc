#include "cni/ipam/block.h"

#include <map>
#include <string>

#include "base/core/random.h"
#include "base/ip/test_values.h"
#include "cni/ipam/names.h"
#include "cni/ipam/utilization.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using test::address;
using test::prefix;
WallTime at(int seconds) { return WallTime(std::chrono::seconds(seconds)); }

model::IpamBlockSpec block26() {
  return make_block(prefix("10.0.0.0/26"), model::BlockOwner{model::AffinityType::kHost, "a"}, at(1));
}

TEST(Block, LongestFreeAddressIsGivenFirst) {
  auto block = make_block(prefix("10.0.0.0/30"), std::nullopt, std::nullopt);
  EXPECT_THAT(assign_any(block, 2, {"h", {}}, {}), ElementsAre(0, 1));
  ASSERT_TRUE(release(block, {{address("10.0.0.0")}}, {}).ok());
  EXPECT_THAT(assign_any(block, 9, {"i", {}}, {}), ElementsAre(2, 3, 0));
  EXPECT_THAT(assign_any(block, 1, {"i", {}}, {}), IsEmpty());
  EXPECT_TRUE(check_block(block).ok());
}

TEST(Block, ReservedAddressesAreSkippedAndKeepTheirPlace) {
  auto block = make_block(prefix("10.0.0.0/29"), std::nullopt, std::nullopt);
  const AddressSet reserved({prefix("10.0.0.0/31"), prefix("10.0.0.4/32")});
  EXPECT_THAT(assign_any(block, 3, {"h", {}}, reserved), ElementsAre(2, 3, 5));
  EXPECT_THAT(block.unallocated, ElementsAre(0, 1, 4, 6, 7));
  EXPECT_EQ(count_free(block, reserved), 2U);
  EXPECT_TRUE(check_block(block).ok());
}

TEST(Block, AttributesAreSharedByEqualHoldersAndGoWithTheLastSlot) {
  auto block = block26();
  const Holder one{"one", {{"pod", "p"}}}, other{"one", {{"pod", "q"}}};
  assign_any(block, 2, one, {});
  assign_any(block, 1, other, {});
  assign_any(block, 1, {"two", {}}, {});
  ASSERT_EQ(block.attributes.size(), 3U);
  ASSERT_TRUE(release(block, {{address("10.0.0.0")}}, {}).ok());
  EXPECT_EQ(block.attributes.size(), 3U);
  ASSERT_TRUE(release(block, {{address("10.0.0.1")}}, {}).ok());
  EXPECT_EQ(block.attributes.size(), 2U);
  EXPECT_EQ(*holder_of(block, 2), "one");
  EXPECT_EQ(attribute_at(block, 2)->active_owner.get("pod"), "q");
  EXPECT_EQ(*holder_of(block, 3), "two");
  EXPECT_TRUE(check_block(block).ok());
}

TEST(Block, ReleaseIsRefusedWholeForAnotherHandleOrSequence) {
  auto block = block26();
  block.sequence_number = 7;
  assign_any(block, 2, {"h", {}}, {});
  const auto before = block;
  EXPECT_EQ(release(block, {{address("10.0.0.0"), "h"}, {address("10.0.0.1"), "x"}}, {}).error().code,
            ErrorCode::kConflict);
  EXPECT_EQ(release(block, {{address("10.0.0.0"), "h", 6}}, {}).error().code, ErrorCode::kConflict);
  EXPECT_EQ(block, before);
  const auto done =
      release(block, {{address("10.0.0.0"), "H", 7}, {address("10.0.0.0"), "h"}, {address("10.0.0.9")}}, {});
  ASSERT_TRUE(done.ok());
  EXPECT_THAT(done->not_given, ElementsAre(address("10.0.0.0"), address("10.0.0.9")));
  EXPECT_EQ(done->by_handle.at("h"), 1);
}

TEST(Block, CooledAddressIsNotGivenBeforeItsTime) {
  auto block = make_block(prefix("10.0.0.0/31"), std::nullopt, std::nullopt);
  assign_any(block, 2, {"h", {}}, {});
  const Duration cooldown = std::chrono::seconds(60);
  ASSERT_TRUE(release(block, {{address("10.0.0.0")}}, {cooldown, at(100)}).ok());
  EXPECT_EQ(holder_of(block, 0), nullptr);
  EXPECT_THAT(addresses_in_use(block), ElementsAre(address("10.0.0.1")));
  EXPECT_FALSE(is_empty(block));
  EXPECT_THAT(assign_any(block, 1, {"i", {}}, {}), IsEmpty());
  EXPECT_EQ(assign_one(block, 0, {"i", {}}).error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(release(block, {{address("10.0.0.0")}}, {cooldown, at(101)})->not_given,
              ElementsAre(address("10.0.0.0")));
  EXPECT_EQ(end_cooling(block, {cooldown, at(159)}), 0);
  EXPECT_EQ(end_cooling(block, {cooldown, at(160)}), 1);
  EXPECT_THAT(assign_any(block, 1, {"i", {}}, {}), ElementsAre(0));
  EXPECT_EQ(block.attributes.size(), 2U);
  EXPECT_TRUE(check_block(block).ok());
}

TEST(Block, OneSlotOfAnAttributeCoolsAlone) {
  auto block = block26();
  assign_any(block, 2, {"h", {}}, {});
  EXPECT_EQ(release_handle(block, "nobody", {}, {std::chrono::seconds(9), at(1)}), 0);
  ASSERT_TRUE(release(block, {{address("10.0.0.0")}}, {std::chrono::seconds(9), at(1)}).ok());
  EXPECT_EQ(holder_of(block, 0), nullptr);
  EXPECT_EQ(*holder_of(block, 1), "h");
  EXPECT_EQ(release_handle(block, "h", {}, {}), 1);
}

TEST(Block, WhatCannotBeIsNamed) {
  auto block = make_block(prefix("10.0.0.0/30"), std::nullopt, std::nullopt);
  auto bad = block;
  bad.allocations.pop_back();
  EXPECT_FALSE(check_block(bad).ok());
  bad = block;
  bad.unallocated = {0, 1, 2, 2};
  EXPECT_FALSE(check_block(bad).ok());
  bad = block;
  bad.unallocated.pop_back();
  EXPECT_THAT(check_block(bad).error().message, testing::HasSubstr("slot 3 is lost"));
  bad = block;
  bad.allocations[1] = 0;
  EXPECT_FALSE(check_block(bad).ok());
  bad.attributes.resize(1);
  EXPECT_THAT(check_block(bad).error().message, testing::HasSubstr("given and free"));
}

TEST(Block, RandomWorkKeepsItWhole) {
  SeededRandom random(7);
  auto block = block26();
  std::map<int, std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    ++block.sequence_number;
    const std::string handle = "h" + std::to_string(random.below(20));
    if (random.below(2) == 0) {
      for (const Ordinal ordinal : assign_any(block, random.below(4), {handle, {}}, {})) {
        ASSERT_FALSE(model.contains(ordinal));
        model[ordinal] = handle;
      }
    } else {
      const auto count = std::erase_if(model, [&](const auto& each) { return each.second == handle; });
      ASSERT_EQ(release_handle(block, handle, {}, {}), static_cast<int>(count));
    }
    ASSERT_TRUE(check_block(block).ok());
    ASSERT_EQ(addresses_in_use(block).size(), model.size());
  }
}

TEST(Names, AreCalicosOwn) {
  const model::BlockOwner host{model::AffinityType::kHost, "node-1"};
  EXPECT_EQ(block_name(prefix("10.0.0.64/26")), "10-0-0-64-26");
  EXPECT_EQ(block_name(prefix("fd80:24e2::/122")), "fd80-24e2---122");
  EXPECT_EQ(affinity_name(host, prefix("10.0.0.64/26")), "node-1-10-0-0-64-26");
  EXPECT_EQ(handle_name("k8s-pod-network.ABC"), "k8s-pod-network.abc");
  EXPECT_EQ(tunnel_handle(TunnelKind::kVxlanV6, "n"), "vxlan-v6-tunnel-addr-n");
  const model::BlockOwner longest{model::AffinityType::kHost, std::string(253, 'x')};
  const std::string name = affinity_name(longest, prefix("10.0.0.64/26"));
  EXPECT_EQ(name.size(), 252U);
  EXPECT_NE(name, affinity_name(longest, prefix("10.0.0.128/26")).substr(0, 252));
}

TEST(Reserved, CountsAndCoversAcrossMembers) {
  const AddressSet set({prefix("10.0.0.0/25"), prefix("10.0.0.128/25"), prefix("10.0.0.5/32"), prefix("fd00::/126")});
  EXPECT_TRUE(set.contains(prefix("10.0.0.0/24")));
  EXPECT_FALSE(set.contains(prefix("10.0.0.0/23")));
  EXPECT_EQ(set.count_within(prefix("10.0.0.0/8")), 256U);
  EXPECT_EQ(set.count_within(prefix("fd00::/8")), 4U);
  EXPECT_FALSE(AddressSet().contains(address("10.0.0.1")));
  EXPECT_EQ(AddressSet({prefix("::/0")}).count_within(prefix("fd00::/8")), kCountMax);
}

}  // namespace
}  // namespace margay::ipam
