#include "datastore/events/event_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "test/support/fake_kube_client.h"

namespace margay::events {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const kube::ResourceType kEvents{"", "v1", "events", "Event", true};

class EventRecorderTest : public ::testing::Test {
 protected:
  News news(std::string name, std::string message) {
    News out;
    out.about.api_version = "v1";
    out.about.kind = "Node";
    out.about.name = std::move(name);
    out.reason = "NodeAddressChanged";
    out.message = std::move(message);
    out.is_warning = true;
    return out;
  }
  // "default Node node-1 Warning NodeAddressChanged: message x2"
  std::vector<std::string> events() {
    std::vector<std::string> out;
    for (const auto& [name, event] : client.objects(kEvents)) {
      out.push_back(concat(name.name_space, " ", event.string_at({"involvedObject", "kind"}), " ",
                           event.string_at({"involvedObject", "name"}), " ", event.string_at({"type"}), " ",
                           event.string_at({"reason"}), ": ", event.string_at({"message"}), " x",
                           *event.find("count")->as_integer()));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  loop::SimLoop loop;
  SeededRandom random{1};
  test::FakeKubeClient client{loop, random};
  EventRecorder recorder{{loop, random, client}, "margay-node", "node-1"};
};

TEST_F(EventRecorderTest, WhatIsSaidAgainIsCounted) {
  recorder.record(news("node-1", "a"));
  loop.run_until_idle();
  EXPECT_THAT(events(), ElementsAre("default Node node-1 Warning NodeAddressChanged: a x1"));
  loop.advance(std::chrono::minutes(1));
  recorder.record(news("node-1", "a"));
  recorder.record(news("node-1", "a"));
  recorder.record(news("node-1", "b"));
  loop.run_until_idle();
  EXPECT_THAT(events(), ElementsAre("default Node node-1 Warning NodeAddressChanged: a x3",
                                    "default Node node-1 Warning NodeAddressChanged: b x1"));
}

TEST_F(EventRecorderTest, AnEventTheServerForgotIsMadeAnew) {
  recorder.record(news("node-1", "a"));
  loop.run_until_idle();
  ASSERT_TRUE(client.erase(kEvents, client.objects(kEvents).begin()->first));
  recorder.record(news("node-1", "a"));
  loop.run_until_idle();
  EXPECT_THAT(events(), ElementsAre("default Node node-1 Warning NodeAddressChanged: a x2"));
}

TEST_F(EventRecorderTest, AFloodIsHeldBackAndLetThroughSlowly) {
  for (int i = 0; i < 100; ++i) {
    recorder.record(news(concat("node-", i), "a"));
    loop.run_until_idle();
  }
  EXPECT_EQ(events().size(), static_cast<std::size_t>(EventRecorder::kBurst));
  EXPECT_EQ(recorder.dropped(), 100U - EventRecorder::kBurst);
  loop.advance(EventRecorder::kInterval);
  recorder.record(news("node-x", "a"));
  recorder.record(news("node-y", "a"));
  loop.run_until_idle();
  EXPECT_EQ(events().size(), static_cast<std::size_t>(EventRecorder::kBurst + 1));
}

TEST_F(EventRecorderTest, AServerThatIsAwayCostsNothing) {
  client.on_request = [](std::string_view, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "away"};
  };
  recorder.record(news("node-1", "a"));
  loop.run_until_idle();
  EXPECT_THAT(events(), IsEmpty());
  client.on_request = nullptr;
  recorder.record(news("node-1", "a"));
  loop.run_until_idle();
  EXPECT_THAT(events(), ElementsAre("default Node node-1 Warning NodeAddressChanged: a x2"));
}

TEST_F(EventRecorderTest, OnlySoManySeriesAreRemembered) {
  for (int i = 0; i < 2000; ++i) {
    recorder.record(news(concat("node-", i), "a"));
    loop.advance(EventRecorder::kInterval);
  }
  EXPECT_EQ(events().size(), 2000U);
  EXPECT_EQ(recorder.dropped(), 0U);
  recorder.record(news("node-0", "a"));
  loop.run_until_idle();
  EXPECT_EQ(events().size(), 2001U) << "it was forgotten";
}

}  // namespace
}  // namespace margay::events
