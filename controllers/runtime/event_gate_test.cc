#include "controllers/runtime/event_gate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "datastore/watch/resource_of.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using std::chrono::minutes;

class EventGateTest : public ::testing::Test {
 protected:
  void warn(const std::string& name, std::string_view text) {
    gate_.warn({model::Kind::kNetworkPolicy, "default", name}, {}, "PolicyNotHonoured", text);
    loop_.advance(std::chrono::seconds(1));
  }
  std::size_t written() { return client_.objects(watch::resource_of(model::Kind::kEvent)).size(); }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  EventGate gate_{{loop_, random_, client_}, "replica-1"};
};

TEST_F(EventGateTest, WhoDoesNotLeadIsSilentAndSaysItOnceItLeads) {
  warn("a", "no");
  EXPECT_EQ(written(), 0U);
  gate_.lead(true);
  loop_.advance(minutes(1));
  ASSERT_EQ(written(), 1U);
  const json::Value event = client_.objects(watch::resource_of(model::Kind::kEvent)).begin()->second;
  EXPECT_EQ(event.string_at({"involvedObject", "kind"}), "NetworkPolicy");
  EXPECT_EQ(event.string_at({"involvedObject", "namespace"}), "default");
  EXPECT_EQ(event.string_at({"reason"}), "PolicyNotHonoured");
  EXPECT_EQ(event.string_at({"reportingComponent"}), "margay-controllers");
  gate_.lead(false);
  warn("b", "no");
  EXPECT_EQ(written(), 1U);
}

TEST_F(EventGateTest, TheSameIsSaidOnceUntilItIsForgotten) {
  gate_.lead(true);
  for (int i = 0; i < 5; ++i) warn("a", "no");
  EXPECT_EQ(client_.requests("create") + client_.requests("patch"), 1);
  warn("a", "something else");
  EXPECT_EQ(client_.requests("create") + client_.requests("patch"), 2);
  gate_.forget({model::Kind::kNetworkPolicy, "default", "a"});
  warn("a", "something else");
  EXPECT_EQ(client_.requests("create") + client_.requests("patch"), 3);
}

TEST_F(EventGateTest, WhatTheLimitsHoldBackIsSaidLater) {
  gate_.lead(true);
  const int count = 2 * events::EventRecorder::kBurst;
  for (int i = 0; i < count; ++i) warn(concat("p", i), "no");
  EXPECT_LT(written(), static_cast<std::size_t>(count));
  loop_.advance(count * events::EventRecorder::kInterval);
  EXPECT_EQ(written(), static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace margay::controllers
