#include "controllers/status/programmed_controller.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

const kube::ResourceType kTallyPolicies = watch::resource_of(Kind::kNetworkPolicy);

class ProgrammedControllerTest : public ::testing::Test {
 protected:
  ProgrammedControllerTest() {
    for (const char* node : {"a", "b", "bare"}) {
      client_.put(watch::resource_of(Kind::kNode), {"", node}, json::Object{});
    }
    start();
    loop_.advance(seconds(5));
  }
  void start() {
    controller_.reset();
    cluster_.emplace(watch::WatchEnvironment{loop_, random_, client_},
                     [this](bool is_in_sync) { controller_->on_turn(is_in_sync); });
    controller_.emplace(WriterParts{loop_, client_, random_}, *cluster_);
    controller_->lead(true);
    cluster_->start();
  }
  // The version it has now.
  std::uint64_t put_policy(std::int64_t generation, const std::string& name = "p") {
    json::Value object = json::parse_yaml("spec: {selector: all()}")->at(0).value;
    object["metadata"]["generation"] = generation;
    const auto known = client_.objects(kTallyPolicies);
    const auto found = known.find({"default", name});
    if (found != known.end() && found->second.find("status") != nullptr) {
      object["status"] = *found->second.find("status");
    }
    const json::Value stored = client_.put(kTallyPolicies, {"default", name}, std::move(object));
    loop_.advance(seconds(2));
    return version_of(stored);
  }
  static std::uint64_t version_of(const json::Value& object) {
    return parse_number<std::uint64_t>(object.string_at({"metadata", "resourceVersion"})).value();
  }
  void report(const std::string& node, std::uint64_t version) {
    json::Value lease =
        json::parse_yaml(concat("metadata: {labels: {margay.dev/report: policies}, annotations: "
                                "{margay.dev/programmed-policies: 'networkpolicies=",
                                version, " globalnetworkpolicies=0'}}\nspec: {holderIdentity: ", node, "}"))
            ->at(0)
            .value;
    client_.put(watch::resource_of(Kind::kLease), {"kube-node-lease", model::report_name(node)}, std::move(lease));
    loop_.advance(seconds(3));
  }
  // "True 1 OnAllNodes: on all 2 nodes", "none"
  std::string condition(const std::string& name = "p") {
    const json::Value policy = client_.objects(kTallyPolicies).at({"default", name});
    const json::Value* all = policy.find({"status", "conditions"});
    if (all == nullptr || all->as_array() == nullptr) return "none";
    for (const json::Value& each : *all->as_array()) {
      if (each.string_at({"type"}) != kProgrammedCondition) continue;
      return concat(each.string_at({"status"}), " ", *each.find("observedGeneration")->as_integer(), " ",
                    each.string_at({"reason"}), ": ", each.string_at({"message"}));
    }
    return "none";
  }
  int writes() const { return client_.requests("patch"); }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  std::optional<watch::ClusterWatch> cluster_;
  std::optional<ProgrammedController> controller_;
};

TEST_F(ProgrammedControllerTest, IsSaidWhenAllNodesHaveIt) {
  const std::uint64_t version = put_policy(1);
  loop_.advance(minutes(5));
  EXPECT_EQ(condition(), "none") << "no node says anything";
  report("a", version);
  EXPECT_EQ(condition(), "True 1 OnAllNodes: on all 1 nodes") << "b and bare have no agent of ours, as far as is known";
  report("b", version - 1);
  EXPECT_EQ(condition(), "True 1 OnAllNodes: on all 1 nodes") << "a node that joins later changes nothing";
  const std::uint64_t next = put_policy(2);
  report("a", next);
  EXPECT_EQ(condition(), "True 1 OnAllNodes: on all 1 nodes");
  report("b", next + 7);
  EXPECT_EQ(condition(), "True 2 OnAllNodes: on all 2 nodes");
  EXPECT_EQ(writes(), 2);
}

TEST_F(ProgrammedControllerTest, WhoIsLateIsNamedAfterAWhileAndNotAllTheTime) {
  const std::uint64_t version = put_policy(1);
  report("b", 1);
  report("a", version);
  report("b", version);
  const std::uint64_t next = put_policy(2);
  report("a", next);
  loop_.advance(seconds(100));
  EXPECT_EQ(condition(), "True 1 OnAllNodes: on all 2 nodes");
  loop_.advance(seconds(30));
  EXPECT_EQ(condition(), "False 2 NodesAreLate: on 1 of 2 nodes; not on b");
  const int before = writes();
  loop_.advance(minutes(60));
  EXPECT_EQ(writes(), before);
  report("b", next);
  EXPECT_EQ(condition(), "True 2 OnAllNodes: on all 2 nodes");
}

TEST_F(ProgrammedControllerTest, ANodeThatGoesIsNotWaitedFor) {
  const std::uint64_t version = put_policy(1);
  report("a", version);
  report("b", version - 1);
  put_policy(2);
  client_.erase(watch::resource_of(Kind::kNode), {"", "b"});
  report("a", version + 100);
  EXPECT_EQ(condition(), "True 2 OnAllNodes: on all 1 nodes");
}

TEST_F(ProgrammedControllerTest, OneWriteAPolicyHoweverManyNodesAndReports) {
  for (int i = 0; i < 50; ++i) {
    client_.put(watch::resource_of(Kind::kNode), {"", concat("n", i)}, json::Object{});
    report(concat("n", i), 1);
  }
  std::uint64_t version = 0;
  for (int i = 0; i < 20; ++i) version = put_policy(1, concat("p", i));
  for (int i = 0; i < 50; ++i) report(concat("n", i), version);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(condition(concat("p", i)), "True 1 OnAllNodes: on all 50 nodes");
  // Fifty nodes in turn take more than the patience here: late, then there.
  EXPECT_LE(writes(), 40);
  const int before = writes();
  for (int i = 0; i < 50; ++i) report(concat("n", i), version + 1000);
  EXPECT_EQ(writes(), before);
}

TEST_F(ProgrammedControllerTest, TheNextLifeWritesNothingAndOthersConditionsStay) {
  const std::uint64_t version = put_policy(1);
  json::Value object = client_.objects(kTallyPolicies).at({"default", "p"});
  object["status"]["conditions"] = json::Array{json::Object{{"type", "Other"}, {"status", "True"}}};
  client_.put(kTallyPolicies, {"default", "p"}, object);
  report("a", version);
  report("b", version);
  const json::Value stored = client_.objects(kTallyPolicies).at({"default", "p"});
  EXPECT_EQ(stored.find({"status", "conditions"})->as_array()->size(), 2U);
  const int before = writes();
  start();
  loop_.advance(minutes(10));
  EXPECT_EQ(writes(), before);
}

TEST_F(ProgrammedControllerTest, ConflictsAreTriedAgain) {
  client_.on_request = [&, left = 3](std::string_view verb,
                                     const kube::ResourceType&) mutable -> std::optional<kube::ApiError> {
    if (verb != "patch" || left-- <= 0) return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kConflict, .message = "changed"};
  };
  const std::uint64_t version = put_policy(1);
  report("a", version);
  loop_.advance(seconds(30));
  EXPECT_EQ(condition(), "True 1 OnAllNodes: on all 1 nodes");
}

TEST_F(ProgrammedControllerTest, WithoutLeadingNothingIsWritten) {
  controller_->lead(false);
  const std::uint64_t version = put_policy(1);
  report("a", version);
  loop_.advance(minutes(1));
  EXPECT_EQ(writes(), 0);
  controller_->lead(true);
  loop_.advance(seconds(5));
  EXPECT_EQ(condition(), "True 1 OnAllNodes: on all 1 nodes");
}

}  // namespace
}  // namespace margay::controllers
