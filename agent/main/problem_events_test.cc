#include "agent/main/problem_events.h"

#include <gtest/gtest.h>

#include <set>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "test/support/fake_kube_client.h"

namespace margay::agent {
namespace {

using model::Kind;
using model::ObjectKey;

const kube::ResourceType kEvents{"", "v1", "events", "Event", true};
const kube::ResourceType kPolicies{"projectcalico.org", "v3", "networkpolicies", "NetworkPolicy", true};

FieldErrors error(const std::string& path) { return {{FieldError::Kind::kInvalid, path, "is wrong"}}; }
ObjectKey policy(const std::string& name) { return {Kind::kNetworkPolicy, "default", name}; }

// One node's.
struct Teller {
  Teller(loop::Loop& loop, Random& random, test::FakeKubeClient& client, const std::string& node)
      : recorder({loop, random, client}, "margay-node", node), problems({client, recorder, node}) {}
  events::EventRecorder recorder;
  ProblemEvents problems;
};

class ProblemEventsTest : public testing::Test {
 protected:
  ProblemEventsTest() {
    for (const char* name : {"a", "b"}) client_.put(kPolicies, {"default", name});
  }
  // "default NetworkPolicy a NotHonoured spec: is wrong x1"
  std::multiset<std::string> told() {
    loop_.run_until_idle();
    std::multiset<std::string> out;
    for (const auto& [name, event] : client_.objects(kEvents)) {
      out.insert(concat(name.name_space, " ", event.string_at({"involvedObject", "kind"}), " ",
                        event.string_at({"involvedObject", "name"}), " ", event.string_at({"reason"}), " ",
                        event.string_at({"message"}), " x", *event.find("count")->as_integer()));
    }
    return out;
  }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  Teller teller_{loop_, random_, client_, "node-1"};
};

TEST_F(ProblemEventsTest, AProblemIsToldOnceAndAgainWhenItIsAnother) {
  for (int i = 0; i < 3; ++i) teller_.problems.set_problems({{policy("a"), error("spec")}}, {});
  EXPECT_EQ(told(), (std::multiset<std::string>{"default NetworkPolicy a NotHonoured spec: is wrong x1"}));
  teller_.problems.set_problems({{policy("a"), error("spec.types")}}, {});
  EXPECT_EQ(told().size(), 2U);
  teller_.problems.set_problems({}, {});
  teller_.problems.set_problems({{policy("a"), error("spec.types")}}, {});
  EXPECT_TRUE(told().contains("default NetworkPolicy a NotHonoured spec.types: is wrong x2")) << "it is back";
}

TEST_F(ProblemEventsTest, TheEventNamesTheUidSoThatDescribeShowsIt) {
  teller_.problems.set_problems({}, {{policy("a"), error("spec")}});
  loop_.run_until_idle();
  const json::Value event = client_.objects(kEvents).begin()->second;
  const json::Value object = client_.objects(kPolicies).begin()->second;
  EXPECT_EQ(event.string_at({"involvedObject", "uid"}), object.string_at({"metadata", "uid"}));
  EXPECT_EQ(event.string_at({"involvedObject", "apiVersion"}), "projectcalico.org/v3");
}

TEST_F(ProblemEventsTest, OfManyNodesOneTellsWhatAllSee) {
  Teller second(loop_, random_, client_, "node-2");
  Teller third(loop_, random_, client_, "node-3");
  const std::vector<Teller*> all = {&teller_, &second, &third};
  Problems problems;
  for (int i = 0; i < 24; ++i) {
    const std::string name = concat("p", i);
    client_.put(kPolicies, {"default", name});
    problems[policy(name)] = error("spec");
  }
  for (Teller* teller : all) {
    for (const char* node : {"node-1", "node-2", "node-3"}) teller->problems.set_node(node, true);
    teller->problems.set_problems(problems, {});
  }
  EXPECT_EQ(told().size(), 24U);
  // The first leaves: the others tell what it had told.
  const std::size_t before = told().size();
  for (Teller* teller : {&second, &third}) {
    teller->problems.set_node("node-1", false);
    teller->problems.set_problems(problems, {});
  }
  EXPECT_GT(told().size(), before);
  EXPECT_LT(told().size(), 2 * before) << "those of the others stay theirs";
}

TEST_F(ProblemEventsTest, WhatThisNodeAloneKnowsItTellsItself) {
  for (int i = 0; i < 20; ++i) teller_.problems.set_node(concat("node-", i), true);
  teller_.problems.set_problems({}, {{policy("a"), error("spec")}, {policy("b"), error("spec")}});
  EXPECT_EQ(told().size(), 2U);
}

TEST_F(ProblemEventsTest, AnObjectThatHasGoneIsNotSpokenOf) {
  teller_.problems.set_problems({{policy("gone"), error("spec")}, {policy("b"), error("spec")}}, {});
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(ProblemEventsTest, AServerThatDoesNotAnswerReadsCostsTheUidOnly) {
  client_.on_request = [](std::string_view verb, const kube::ResourceType&) -> std::optional<kube::ApiError> {
    if (verb != "get") return std::nullopt;
    kube::ApiError refused;
    refused.code = ErrorCode::kPermissionDenied;
    return refused;
  };
  teller_.problems.set_problems({{policy("a"), error("spec")}}, {});
  EXPECT_EQ(told().size(), 1U);
}

TEST_F(ProblemEventsTest, AFloodWaitsForTheNextTime) {
  Problems problems;
  for (int i = 0; i < 100; ++i) problems[policy(concat("p", i))] = error("spec");
  teller_.problems.set_problems(problems, {});
  loop_.run_until_idle();
  EXPECT_EQ(client_.requests("get"), static_cast<int>(ProblemEvents::kQueueMax));
  teller_.problems.set_problems({{policy("a"), {{FieldError::Kind::kInvalid, "spec", std::string(5000, 'x')}}}}, {});
  loop_.run_until_idle();
  const json::Value event = client_.objects(kEvents).begin()->second;
  EXPECT_EQ(event.string_at({"message"}).size(), ProblemEvents::kMessageMax);
}

TEST(ProblemsByKey, NamesAreKeys) {
  const ObjectKey node{Kind::kNode, "", "node-1"};
  const Problems found = problems_by_key({{"NetworkPolicy default/a", error("x")},
                                          {"GlobalNetworkPolicy tier.b", error("x")},
                                          {"HostEndpoint h", error("x")},
                                          {"Pod default/web", error("x")},
                                          {"Profile kns.default", error("x")},
                                          {"FelixConfiguration", error("x")},
                                          {"Nonesuch a", error("y")},
                                          {"", error("z")}},
                                         node);
  EXPECT_EQ(found.size(), 5U);
  EXPECT_TRUE(found.contains(policy("a")));
  EXPECT_TRUE(found.contains({Kind::kGlobalNetworkPolicy, "", "tier.b"}));
  EXPECT_TRUE(found.contains({Kind::kHostEndpoint, "", "h"}));
  EXPECT_TRUE(found.contains({Kind::kPod, "default", "web"}));
  EXPECT_EQ(found.at(node).size(), 3U);
}

}  // namespace
}  // namespace margay::agent
