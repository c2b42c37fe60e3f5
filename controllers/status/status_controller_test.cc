#include "controllers/status/status_controller.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"
#include "datastore/codec/codec.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::seconds;

TEST(PoolFullness, TurnsAtNineTenthsAndRelaxesLater) {
  struct Case {
    std::uint64_t in_use, available;
    std::optional<bool> was;
    Fullness is;
  };
  constexpr Case kCases[] = {
      {0, 100, std::nullopt, Fullness::kRoom},
      {89, 11, std::nullopt, Fullness::kRoom},
      {90, 10, std::nullopt, Fullness::kNearlyFull},
      {100, 0, std::nullopt, Fullness::kFull},
      {86, 14, true, Fullness::kNearlyFull},
      {86, 14, false, Fullness::kRoom},
      {84, 16, true, Fullness::kRoom},
      {0, 0, std::nullopt, Fullness::kFull},
  };
  for (const Case& each : kCases) {
    const ipam::Usage usage{.capacity = 200, .in_use = each.in_use, .reserved = 100, .available = each.available};
    EXPECT_EQ(fullness_of(usage, each.was), each.is) << each.in_use;
  }
}

class StatusControllerTest : public ::testing::Test {
 protected:
  StatusControllerTest()
      : cluster_({loop_, random_, client_}, [this](bool is_in_sync) { controller_->on_turn(is_in_sync); }),
        controller_(std::in_place, WriterParts{loop_, client_, random_}, cluster_, events_) {
    json::Value pool = json::parse_yaml("spec: {cidr: 10.0.0.0/28, blockSize: 28}")->at(0).value;
    client_.put(watch::resource_of(Kind::kIpPool), {"", "p"}, pool);
    events_.lead(true);
    controller_->lead(true);
    cluster_.start();
  }
  void give(std::size_t count) {
    model::IpamBlock block;
    const IpPrefix cidr = IpPrefix::parse("10.0.0.0/28").value();
    block.metadata.name = ipam::block_name(cidr);
    block.spec = ipam::make_block(cidr, model::BlockOwner{model::AffinityType::kHost, "a"}, std::nullopt);
    EXPECT_EQ(ipam::assign_any(block.spec, count, {"h", {}}, {}).size(), count);
    json::Value object;
    codec::encode(block, object);
    client_.put(watch::resource_of(Kind::kIpamBlock), {"", block.metadata.name}, object);
    loop_.advance(seconds(20));
  }
  // "True FewAddressesLeft", "none"
  std::string condition() {
    const json::Value pool = client_.objects(watch::resource_of(Kind::kIpPool)).begin()->second;
    const json::Value* all = pool.find({"status", "conditions"});
    if (all == nullptr || all->as_array() == nullptr) return "none";
    std::string out = "none";
    for (const json::Value& each : *all->as_array()) {
      if (each.string_at({"type"}) == kNearlyFullCondition) {
        out = concat(each.string_at({"status"}), " ", each.string_at({"reason"}));
      }
    }
    return out;
  }
  std::size_t event_count() { return client_.objects(watch::resource_of(Kind::kEvent)).size(); }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  EventGate events_{{loop_, random_, client_}};
  watch::ClusterWatch cluster_;
  std::optional<StatusController> controller_;
};

TEST_F(StatusControllerTest, APoolSaysWhenItIsNearlyFullAndWhenNoMore) {
  give(3);
  EXPECT_EQ(condition(), "none");
  EXPECT_EQ(event_count(), 0U);
  give(15);
  EXPECT_EQ(condition(), "True FewAddressesLeft");
  EXPECT_EQ(event_count(), 1U);
  give(16);
  EXPECT_EQ(condition(), "True NoAddressLeft");
  give(14);
  EXPECT_EQ(condition(), "True FewAddressesLeft") << "the last bit of room is no turn yet";
  give(2);
  EXPECT_EQ(condition(), "False RoomLeft");
  EXPECT_TRUE(controller_->is_settled());
  const std::int64_t revision = client_.revision();
  loop_.advance(std::chrono::minutes(5));
  EXPECT_EQ(client_.revision(), revision);
}

TEST_F(StatusControllerTest, WhatOthersSayOfThePoolStays) {
  const kube::ResourceType type = watch::resource_of(Kind::kIpPool);
  json::Value pool = client_.objects(type).begin()->second;
  pool["status"] = json::parse_yaml("conditions: [{type: Allocatable, status: 'True', reason: OK}]")->at(0).value;
  client_.put(type, {"", "p"}, pool);
  client_.faults.call_fails = 0.5;
  give(16);
  loop_.advance(seconds(60));
  EXPECT_EQ(condition(), "True NoAddressLeft");
  EXPECT_EQ(client_.objects(type).begin()->second.find({"status", "conditions"})->as_array()->size(), 2U);
}

}  // namespace
}  // namespace margay::controllers
