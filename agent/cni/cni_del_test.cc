// DEL, and what it leaves for later.
#include "agent/cni/cni_server.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/cni/release_spool.h"
#include "datastore/watch/resource_of.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/support/cni_server_fixture.h"

namespace margay::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

TEST_F(CniServerTest, DelWithTheApiServerAwayIsWrittenDownAndDoneMuchLater) {
  (void)ask("add", "c1");
  advance(seconds(1));
  ASSERT_EQ(stored_addresses(), 1U);
  api_is_away();
  const auto deleted = ask("del", "c1");
  advance(seconds(4));
  EXPECT_EQ(deleted->status, 200);
  EXPECT_THAT(deleted->body, HasSubstr("later"));
  std::vector<std::string> problems;
  EXPECT_EQ(ReleaseSpool(folder_.at("releases")).list(&problems).size(), 1U);
  advance(minutes(10));
  EXPECT_EQ(stored_addresses(), 1U);
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, DelWaitsTwoMillisecondsForTheApiServerAndThenANoteIsEnough) {
  std::vector<std::string> problems;
  ReleaseSpool spool(folder_.at("releases"));
  (void)ask("add", "c1");
  advance(seconds(1));
  const auto at_once = ask("del", "c1");
  advance(milliseconds(1));
  EXPECT_EQ(at_once->body, "{}");
  (void)ask("add", "c2");
  advance(seconds(1));
  client_.faults.answer_delay_max = milliseconds(500);
  const auto later = ask("del", "c2");
  advance(milliseconds(1));
  EXPECT_FALSE(later->is_there());
  advance(milliseconds(1));
  EXPECT_EQ(later->status, 200);
  EXPECT_THAT(later->body, HasSubstr("later"));
  EXPECT_EQ(spool.list(&problems).size(), 1U);
  EXPECT_EQ(stored_addresses(), 1U) << "nobody else is given it";
  advance(seconds(10));
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_TRUE(spool.list(&problems).empty());
}

TEST_F(CniServerTest, AnAddressWhoseReleaseIsOnItsWayIsNotGivenAgain) {
  add_pool("six", "fd00::/128", 128);
  (void)ask("add", "c1");
  advance(seconds(1));
  client_.on_request = [](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (verb != "update") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "no connection"};
  };
  const auto deleted = ask("del", "c1");
  advance(milliseconds(10));
  EXPECT_EQ(deleted->status, 200);
  const auto early = ask("add", "c2");
  advance(seconds(40));
  EXPECT_NE(early->status, 200) << early->body;
  api_is_back();
  advance(minutes(1));
  const auto added = ask("add", "c3");
  advance(seconds(5));
  EXPECT_EQ(added->status, 200) << added->body;
  EXPECT_EQ(stored_addresses(), 2U) << "one of each family";
}

TEST_F(CniServerTest, ANoteOutlivesTheAgentThatAnsweredByIt) {
  (void)ask("add", "c1");
  advance(seconds(1));
  client_.faults.answer_delay_max = minutes(10);
  const auto deleted = ask("del", "c1");
  advance(milliseconds(5));
  EXPECT_EQ(deleted->status, 200);
  client_.faults.answer_delay_max = {};
  begin();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
  std::vector<std::string> problems;
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, WhatPolicySeesOfAContainerGoesTooWhenTheApiServerIsBack) {
  const auto note = [this] {
    const auto pod = client_.objects(watch::resource_of(model::Kind::kPod)).at({"default", "web"});
    return std::string(pod.string_at({"metadata", "annotations", "cni.projectcalico.org/podIP"}));
  };
  const auto endpoints = [this] { return client_.objects(watch::resource_of(model::Kind::kWorkloadEndpoint)).size(); };
  add_pod("web");
  (void)ask("add", "c1", "web");
  (void)ask("add", "c2");
  advance(seconds(1));
  ASSERT_FALSE(note().empty());
  ASSERT_EQ(endpoints(), 1U);
  // Addresses can be released, but nothing else be written.
  client_.on_request = [](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
    if (type.plural == "ipamblocks" || type.plural == "ipamhandles") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kUnavailable, .message = "no connection"};
  };
  const auto first = ask("del", "c1", "web"), second = ask("del", "c2");
  advance(seconds(1));
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(second->status, 200);
  EXPECT_EQ(stored_addresses(), 0U);
  advance(minutes(10));
  EXPECT_FALSE(note().empty());
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(note(), "");
  EXPECT_EQ(endpoints(), 0U);
  std::vector<std::string> problems;
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, NameThatIsUsedAgainWaitsForTheReleaseOfItsLastLife) {
  (void)ask("add", "box");
  advance(seconds(1));
  api_is_away();
  (void)ask("del", "box");
  advance(minutes(1));
  const auto in_vain = ask("add", "box");
  advance(seconds(31));
  EXPECT_EQ(in_vain->status, 504);
  EXPECT_THAT(in_vain->body, HasSubstr("the release of the container's earlier addresses"));
  api_is_back();
  const auto added = ask("add", "box");
  advance(seconds(20));
  EXPECT_EQ(added->status, 200) << added->body;
  advance(minutes(5));
  EXPECT_EQ(stored_addresses(), 1U) << "the new one's";
  EXPECT_EQ(handles(), 1U);
  EXPECT_EQ(client_.objects(watch::resource_of(model::Kind::kWorkloadEndpoint)).size(), 1U);
  // Written down by the plugin, while the agent was away.
  ASSERT_TRUE(ReleaseSpool(folder_.at("releases")).put({"k8s-pod-network", "box", "eth0", "", ""}).ok());
  const auto again = ask("add", "box");
  advance(seconds(20));
  EXPECT_EQ(again->status, 200) << again->body;
  EXPECT_EQ(stored_addresses(), 1U);
  std::vector<std::string> problems;
  EXPECT_TRUE(ReleaseSpool(folder_.at("releases")).list(&problems).empty());
}

TEST_F(CniServerTest, WhatWasWrittenDownSurvivesARestart) {
  (void)ask("add", "c1");
  advance(seconds(1));
  api_is_away();
  (void)ask("del", "c1");
  advance(seconds(5));
  begin();
  api_is_back();
  advance(minutes(1));
  EXPECT_EQ(stored_addresses(), 0U);
}

TEST_F(CniServerTest, DelEndsAnAddUnderWay) {
  client_.faults.answer_delay_max = milliseconds(500);
  const auto added = ask("add", "c1");
  advance(milliseconds(100));
  const auto deleted = ask("del", "c1");
  advance(seconds(20));
  EXPECT_EQ(added->status, 500);
  EXPECT_EQ(deleted->status, 200);
  EXPECT_EQ(stored_addresses(), 0U);
  EXPECT_EQ(handles(), 0U);
}

}  // namespace
}  // namespace margay::agent
