#include "agent/cni/pool_conditions.h"

#include <memory>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "datastore/codec/decoded.h"
#include "datastore/watch/resource_of.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/support/fake_kube_client.h"

namespace margay::agent {
namespace {

using std::chrono::seconds;

const kube::ObjectName kPool{"", "four"};

class PoolConditionsTest : public testing::Test {
 protected:
  PoolConditionsTest() {
    put(R"({"spec": {"cidr": "10.0.0.0/24"}, "status": {"conditions": [{"type": "Allocatable", "status": "True",
        "reason": "OK", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})");
  }

  void put(const char* text) {
    client_.put(type_, kPool, json::parse(text).value());
    see();
  }
  // What a watch would bring.
  void see() {
    pool_ = codec::decoded<model::IpPool>(client_.objects(type_).at(kPool)).value();
    facts_.set({model::Kind::kIpPool, "", "four"}, std::make_shared<const model::IpPool>(pool_));
  }
  std::vector<std::string> conditions() {
    std::vector<std::string> out;
    see();
    for (const model::Condition& each : pool_.status.conditions) {
      out.push_back(concat(each.type, ' ', model::to_string(each.status), ' ', each.reason));
    }
    return out;
  }
  std::unique_ptr<PoolConditions> agent() {
    return std::make_unique<PoolConditions>(
        PoolConditions::Parts{.loop = loop_,
                              .random = random_,
                              .client = client_,
                              .facts = facts_,
                              .has_room = [this](const ipam::PoolRange&) { return has_room_; }});
  }
  void exhaust(PoolConditions& conditions) {
    conditions.note_exhausted({ipam::PoolRange::of(pool_)}, "default/web");
    loop_.advance(seconds(1));
  }

  const kube::ResourceType type_ = watch::resource_of(model::Kind::kIpPool);
  loop::SimLoop loop_;
  SeededRandom random_{7};
  test::FakeKubeClient client_{loop_, random_};
  ClusterFacts facts_{"node-1"};
  model::IpPool pool_;
  bool has_room_ = false;
};

TEST_F(PoolConditionsTest, SaidOnceBesideWhatOthersSay) {
  const auto one = agent();
  exhaust(*one);
  EXPECT_THAT(conditions(), testing::ElementsAre("Allocatable True OK", "Exhausted True NoFreeAddress"));
  EXPECT_THAT(pool_.status.conditions.back().message, testing::HasSubstr("default/web on node node-1"));
  exhaust(*one);
  loop_.advance(seconds(100));
  EXPECT_EQ(client_.requests("patch"), 1);
}

TEST_F(PoolConditionsTest, TakenBackByTheFirstOfManyAgents) {
  std::vector<std::unique_ptr<PoolConditions>> agents;
  for (int i = 0; i < 5; ++i) agents.push_back(agent());
  exhaust(*agents[0]);
  see();
  has_room_ = true;
  for (int i = 0; i < 40; ++i) {
    loop_.advance(seconds(1));
    see();
  }
  EXPECT_THAT(conditions(), testing::ElementsAre("Allocatable True OK", "Exhausted False FreeAddresses"));
  EXPECT_LE(client_.requests("patch"), 4);
}

TEST_F(PoolConditionsTest, RoomThatIsGoneAgainIsNoRoom) {
  const auto one = agent();
  exhaust(*one);
  see();
  has_room_ = true;
  loop_.advance(PoolConditions::kPeriod);
  has_room_ = false;
  loop_.advance(seconds(100));
  EXPECT_EQ(conditions().back(), "Exhausted True NoFreeAddress");
}

TEST_F(PoolConditionsTest, OldKnowledgeChangesNothing) {
  const auto one = agent();
  model::IpPool old = pool_;
  put(R"({"spec": {"cidr": "10.0.0.0/24", "disabled": true}})");
  facts_.set({model::Kind::kIpPool, "", "four"}, std::make_shared<const model::IpPool>(old));
  exhaust(*one);
  EXPECT_TRUE(conditions().empty());
  exhaust(*one);
  EXPECT_THAT(conditions(), testing::ElementsAre("Exhausted True NoFreeAddress"));
}

}  // namespace
}  // namespace margay::agent
