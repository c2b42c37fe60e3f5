#include "controllers/runtime/lease_machine.h"

#include <gtest/gtest.h>

#include <string>

namespace margay::controllers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LeaseMachineTest : public ::testing::Test {
 protected:
  // What came out, as words: "read", "write a", "wait", "lead", "lose".
  std::string step(LeaseMachine& machine, const LeaseInput& input) {
    std::string words;
    for (const LeaseOutput& output : machine.step(input, now_, WallTime())) {
      if (!words.empty()) words += ' ';
      if (std::holds_alternative<ReadLease>(output)) words += "read";
      if (std::holds_alternative<WaitForLease>(output)) words += "wait";
      if (std::holds_alternative<BecomeLeader>(output)) words += "lead";
      if (std::holds_alternative<LoseLeadership>(output)) words += "lose";
      if (const auto* write = std::get_if<WriteLease>(&output)) {
        written_ = write->lease;
        words += "write " + write->lease.spec.holder_identity;
      }
    }
    return words;
  }
  model::Lease lease(std::string holder, int version) {
    model::Lease out;
    out.metadata.resource_version = std::to_string(version);
    out.spec.holder_identity = std::move(holder);
    out.spec.lease_duration_seconds = 2;
    return out;
  }
  void lead(LeaseMachine& machine, int version) {
    step(machine, LeaseTick{});
    ASSERT_EQ(step(machine, LeaseRead{std::nullopt}), "write a");
    ASSERT_EQ(step(machine, LeaseWritten{lease("a", version)}), "lead wait");
  }

  TimePoint now_ = TimePoint() + seconds(100);
  model::Lease written_;
  LeaseMachine machine_{LeaseConfig{.identity = "a"}};
};

TEST_F(LeaseMachineTest, ALeaseThatIsMissingIsMade) {
  EXPECT_EQ(step(machine_, LeaseTick{}), "read");
  EXPECT_EQ(step(machine_, LeaseRead{std::nullopt}), "write a");
  EXPECT_EQ(written_.metadata.resource_version, "");
  EXPECT_FALSE(machine_.is_leading(now_)) << "it is not written yet";
  EXPECT_EQ(step(machine_, LeaseWritten{lease("a", 1)}), "lead wait");
  EXPECT_TRUE(machine_.is_leading(now_));
}

TEST_F(LeaseMachineTest, ALeaseIsTakenWhenItDidNotChangeForItsDuration) {
  step(machine_, LeaseTick{});
  EXPECT_EQ(step(machine_, LeaseRead{lease("b", 1)}), "wait");
  now_ += milliseconds(1900);
  EXPECT_EQ(step(machine_, LeaseRead{lease("b", 1)}), "wait");
  now_ += milliseconds(50);
  EXPECT_EQ(step(machine_, LeaseRead{lease("b", 2)}), "wait") << "it was renewed";
  now_ += milliseconds(1999);
  EXPECT_EQ(step(machine_, LeaseRead{lease("b", 2)}), "wait");
  now_ += milliseconds(1);
  EXPECT_EQ(step(machine_, LeaseRead{lease("b", 2)}), "write a");
  EXPECT_EQ(written_.metadata.resource_version, "2") << "so that one of two is refused";
  EXPECT_EQ(written_.spec.lease_transitions, 1);
}

TEST_F(LeaseMachineTest, ALeaseThatWasGivenBackIsTakenAtOnce) {
  step(machine_, LeaseTick{});
  EXPECT_EQ(step(machine_, LeaseRead{lease("", 1)}), "write a");
}

TEST_F(LeaseMachineTest, ALongerDurationOfTheHolderIsRespected) {
  model::Lease theirs = lease("b", 1);
  theirs.spec.lease_duration_seconds = 15;
  step(machine_, LeaseRead{theirs});
  now_ += seconds(14);
  EXPECT_EQ(step(machine_, LeaseRead{theirs}), "wait");
  now_ += seconds(1);
  EXPECT_EQ(step(machine_, LeaseRead{theirs}), "write a");
}

TEST_F(LeaseMachineTest, ALeaderThatCannotWriteStopsBeforeOthersMayTakeIt) {
  lead(machine_, 1);
  now_ += milliseconds(400);
  EXPECT_EQ(step(machine_, LeaseTick{}), "write a");
  EXPECT_EQ(step(machine_, LeaseWriteFailed{false}), "read");
  EXPECT_EQ(step(machine_, LeaseReadFailed{}), "wait");
  EXPECT_TRUE(machine_.is_leading(now_));
  now_ += milliseconds(1100);
  EXPECT_FALSE(machine_.is_leading(now_)) << "whether a timer has told it or not";
  EXPECT_EQ(step(machine_, LeaseDeadline{}), "lose");
}

TEST_F(LeaseMachineTest, TimeCountsFromWhenTheWriteBegan) {
  lead(machine_, 1);
  now_ += milliseconds(400);
  EXPECT_EQ(step(machine_, LeaseTick{}), "write a");
  now_ += milliseconds(1000);
  EXPECT_EQ(step(machine_, LeaseWritten{lease("a", 2)}), "wait");
  now_ += milliseconds(499);
  EXPECT_TRUE(machine_.is_leading(now_));
  now_ += milliseconds(1);
  EXPECT_FALSE(machine_.is_leading(now_));
}

TEST_F(LeaseMachineTest, AnAnswerAfterTheDeadlineDoesNotLead) {
  step(machine_, LeaseTick{});
  step(machine_, LeaseRead{std::nullopt});
  now_ += milliseconds(1500);
  EXPECT_EQ(step(machine_, LeaseWritten{lease("a", 1)}), "wait");
  EXPECT_FALSE(machine_.is_leading(now_));
}

TEST_F(LeaseMachineTest, WhoIsRefusedNoLongerLeads) {
  lead(machine_, 1);
  now_ += milliseconds(400);
  EXPECT_EQ(step(machine_, LeaseTick{}), "write a");
  EXPECT_EQ(step(machine_, LeaseWriteFailed{true}), "lose read");
  EXPECT_EQ(step(machine_, LeaseRead{lease("b", 2)}), "wait");
}

TEST_F(LeaseMachineTest, ALeaderThatStopsGivesItBack) {
  lead(machine_, 7);
  EXPECT_EQ(step(machine_, LeaseStop{}), "lose write ");
  EXPECT_EQ(written_.metadata.resource_version, "7");
  EXPECT_EQ(step(machine_, LeaseTick{}), "") << "and does nothing any more";
}

TEST_F(LeaseMachineTest, WhoDoesNotLeadHasNothingToGiveBack) {
  step(machine_, LeaseTick{});
  step(machine_, LeaseRead{lease("b", 1)});
  EXPECT_EQ(step(machine_, LeaseStop{}), "");
}

}  // namespace
}  // namespace margay::controllers
