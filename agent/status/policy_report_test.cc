#include "agent/status/policy_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/core/text.h"
#include "base/loop/sim_loop.h"
#include "test/support/fake_kube_client.h"

namespace margay::status {
namespace {

using model::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

const kube::ResourceType kReports{"coordination.k8s.io", "v1", "leases", "Lease", true};

void note(PolicyProgress& progress, const std::string& name, std::uint64_t version, std::int64_t generation,
          Kind kind = Kind::kNetworkPolicy) {
  model::ObjectMeta metadata;
  metadata.resource_version = concat(version);
  metadata.generation = generation;
  progress.note({kind, "default", name}, &metadata);
}

TEST(PolicyProgress, IsWhatTheWrittenBatchesCarry) {
  PolicyProgress progress;
  note(progress, "a", 10, 1);
  progress.sent(1);
  note(progress, "b", 12, 1);
  note(progress, "g", 11, 1, Kind::kGlobalNetworkPolicy);
  progress.sent(2);
  EXPECT_EQ(progress.in_kernel(), model::ProgrammedPolicies{});
  progress.written(1);
  EXPECT_EQ(progress.in_kernel(), (model::ProgrammedPolicies{.network = 10}));
  EXPECT_TRUE(progress.is_news());
  progress.mark_told();
  // None of this node's business: no batch carries it.
  note(progress, "c", 14, 1);
  progress.sent(2);
  EXPECT_FALSE(progress.is_news());
  progress.written(2);
  EXPECT_EQ(progress.in_kernel(), (model::ProgrammedPolicies{.network = 14, .global = 11}));
  EXPECT_TRUE(progress.is_news());
}

TEST(PolicyProgress, WhatIsNoOtherSpecIsNoNews) {
  PolicyProgress progress;
  note(progress, "a", 10, 1);
  progress.sent(1);
  progress.written(1);
  progress.mark_told();
  note(progress, "a", 11, 1);
  progress.sent(1);
  progress.written(1);
  EXPECT_EQ(progress.in_kernel().network, 11U);
  EXPECT_FALSE(progress.is_news());
  note(progress, "a", 12, 2);
  progress.sent(1);
  progress.written(1);
  EXPECT_TRUE(progress.is_news());
  progress.mark_told();
  progress.note({Kind::kNetworkPolicy, "default", "a"}, nullptr);
  note(progress, "a", 14, 1);
  progress.sent(1);
  progress.written(1);
  EXPECT_TRUE(progress.is_news()) << "another object of that name";
}

TEST(PolicyProgress, VersionsThatAreNoNumbersAndOtherKindsSayNothing) {
  PolicyProgress progress;
  note(progress, "t", 5, 1, Kind::kTier);
  model::ObjectMeta metadata;
  metadata.resource_version = "abc";
  progress.note({Kind::kNetworkPolicy, "default", "a"}, &metadata);
  progress.sent(1);
  progress.written(1);
  EXPECT_EQ(progress.in_kernel(), model::ProgrammedPolicies{});
  EXPECT_FALSE(progress.is_news());
}

class PolicyReportTest : public ::testing::Test {
 protected:
  void program(std::uint64_t version, std::int64_t generation, const std::string& name = "a") {
    note(progress, name, version, generation);
    progress.sent(1);
    progress.written(1);
    report.look(progress);
  }
  std::string told() {
    const auto all = client.objects(kReports);
    const auto found = all.find({"kube-node-lease", "margay-node.n1"});
    if (found == all.end()) return "nothing";
    return std::string(found->second.string_at({"metadata", "annotations", "margay.dev/programmed-policies"}));
  }
  int writes() const { return client.requests("patch") + client.requests("create"); }

  loop::SimLoop loop;
  SeededRandom random{1};
  test::FakeKubeClient client{loop, random};
  PolicyProgress progress;
  PolicyReport report{{loop, random, client}, "n1"};
};

TEST_F(PolicyReportTest, TheLeaseIsMadeThenChanged) {
  report.set_node_uid("u1");
  program(10, 1);
  loop.advance(seconds(10));
  EXPECT_EQ(told(), "networkpolicies=10 globalnetworkpolicies=0");
  const json::Value lease = client.objects(kReports).begin()->second;
  EXPECT_EQ(lease.string_at({"spec", "holderIdentity"}), "n1");
  EXPECT_EQ(lease.string_at({"metadata", "labels", "margay.dev/report"}), "policies");
  EXPECT_THAT(json::dump(lease), testing::HasSubstr(R"("uid":"u1")"));
  const int before = client.requests("create");
  program(12, 2);
  loop.advance(seconds(10));
  EXPECT_EQ(told(), "networkpolicies=12 globalnetworkpolicies=0");
  EXPECT_EQ(client.requests("create"), before);
}

TEST_F(PolicyReportTest, AThousandChangesInAMinuteAreFewWrites) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    program(10 + i, static_cast<std::int64_t>(i + 1));
    loop.advance(std::chrono::milliseconds(60));
  }
  EXPECT_LE(writes(), 26) << "one each two and a half seconds at most, and the first twice";
  loop.advance(seconds(10));
  EXPECT_EQ(told(), "networkpolicies=1009 globalnetworkpolicies=0");
}

TEST_F(PolicyReportTest, AStatusThatIsWrittenAfterAReportBringsNoReportSoon) {
  program(10, 1);
  loop.advance(seconds(10));
  const int before = writes();
  program(11, 1);
  loop.advance(seconds(29));
  EXPECT_EQ(writes(), before);
  loop.advance(minutes(2));
  EXPECT_EQ(writes(), before + 1);
  EXPECT_EQ(told(), "networkpolicies=11 globalnetworkpolicies=0");
  loop.advance(minutes(60));
  EXPECT_EQ(writes(), before + 1) << "nothing has moved";
}

TEST_F(PolicyReportTest, NewsDoesNotWaitForTheSlowPause) {
  program(10, 1);
  loop.advance(seconds(30));
  program(11, 1);
  program(12, 2);
  loop.advance(seconds(8));
  EXPECT_EQ(told(), "networkpolicies=12 globalnetworkpolicies=0");
}

TEST_F(PolicyReportTest, WhatFailsIsTriedAgainLessAndLess) {
  client.faults.call_fails = 1;
  program(10, 1);
  loop.advance(minutes(60));
  EXPECT_LE(writes(), 40);
  EXPECT_GE(writes(), 8);
  client.faults.call_fails = 0;
  program(12, 2);
  loop.advance(minutes(10));
  EXPECT_EQ(told(), "networkpolicies=12 globalnetworkpolicies=0");
}

}  // namespace
}  // namespace margay::status
