// BlockClaim and BlockReturn: stopped after every call, and begun again.
#include "cni/ipam/claim.h"

#include <functional>

#include "cni/ipam/fake_store.h"
#include "cni/ipam/give_back.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

const model::BlockOwner kA{model::AffinityType::kHost, "a"}, kB{model::AffinityType::kHost, "b"};

IpPrefix cidr() { return IpPrefix::parse("10.0.0.0/26").value(); }

// Does at most `calls` of a machine's calls; true when it came to an end.
template <class Machine>
bool run(FakeStore& store, Machine& machine, int calls = 1000) {
  std::optional<Call> next = machine.start();
  for (; next && calls > 0; --calls) next = machine.step(store.execute(*next));
  return !next;
}

BlockClaim::Outcome claim(FakeStore& store, const model::BlockOwner& owner) {
  BlockClaim machine({owner, cidr(), {}});
  EXPECT_TRUE(run(store, machine));
  return machine.outcome();
}

BlockReturn::Outcome give_back(FakeStore& store, const model::BlockOwner& owner, bool must_be_empty = true) {
  BlockReturn machine({owner, cidr(), must_be_empty});
  EXPECT_TRUE(run(store, machine));
  return machine.outcome();
}

void expect_owned(const FakeStore& store, const model::BlockOwner& owner) {
  ASSERT_EQ(store.blocks().size(), 1U);
  EXPECT_EQ(store.blocks().front().affinity, owner);
  ASSERT_EQ(store.affinities().size(), 1U);
  EXPECT_EQ(store.affinities().front().state, model::BlockAffinityState::kConfirmed);
  EXPECT_EQ(store.affinities().front().node, owner.name);
}

TEST(Claim, TakesThreeWrites) {
  FakeStore store;
  EXPECT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
  EXPECT_EQ(store.writes(), 3);
  expect_owned(store, kA);
}

TEST(Claim, CrashAfterAnyCallIsFinishedByTheNextAttempt) {
  for (int calls = 0; calls <= 3; ++calls) {
    FakeStore store;
    BlockClaim crashed({kA, cidr(), {}});
    (void)run(store, crashed, calls);
    EXPECT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed) << calls;
    expect_owned(store, kA);
  }
}

TEST(Claim, CrashAfterAnyCallLeavesTheBlockToItsFirstOwnerOnly) {
  for (int calls = 0; calls <= 3; ++calls) {
    FakeStore store;
    BlockClaim crashed({kA, cidr(), {}});
    (void)run(store, crashed, calls);
    const bool has_block = calls >= 2;
    EXPECT_EQ(claim(store, kB), has_block ? BlockClaim::Outcome::kTaken : BlockClaim::Outcome::kClaimed) << calls;
    EXPECT_EQ(claim(store, kA), has_block ? BlockClaim::Outcome::kClaimed : BlockClaim::Outcome::kTaken) << calls;
    expect_owned(store, has_block ? kA : kB);
  }
}

TEST(Claim, BlockThatNobodyOwnsIsTakenWithWhatIsInIt) {
  FakeStore store;
  model::IpamBlock block;
  block.metadata.name = "10-0-0-0-26";
  block.spec = make_block(cidr(), std::nullopt, std::nullopt);
  assign_any(block.spec, 1, {"h", {}}, {});
  ASSERT_TRUE(store.execute({Verb::kCreate, block}).ok());
  EXPECT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
  expect_owned(store, kA);
  EXPECT_EQ(addresses_in_use(store.blocks().front()).size(), 1U);
}

TEST(Claim, ObjectsMarkedAsDeletedAreRemovedFirst) {
  FakeStore store;
  ASSERT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
  for (auto& [key, object] : store.objects()) std::visit([](auto& each) { each.spec.deleted = true; }, object);
  EXPECT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
  expect_owned(store, kA);
  EXPECT_FALSE(store.blocks().front().deleted);
}

TEST(Claim, NoAnswerEndsItWithoutAClaimOfKnowing) {
  BlockClaim machine({kA, cidr(), {}});
  (void)machine.start();
  EXPECT_FALSE(machine.step(Error{ErrorCode::kTimeout, "x"}));
  EXPECT_EQ(machine.outcome(), BlockClaim::Outcome::kFailed);
}

TEST(Claim, SomebodyWhoChangesItForEverIsAnError) {
  BlockClaim machine({kA, cidr(), {}});
  std::optional<Call> next = machine.start();
  int calls = 0;
  for (; next; ++calls) {
    next = machine.step(next->verb == Verb::kCreate ? Error{ErrorCode::kAlreadyExists, "x"}
                                                    : Error{ErrorCode::kNotFound, "x"});
  }
  EXPECT_EQ(machine.outcome(), BlockClaim::Outcome::kFailed);
  EXPECT_LE(calls, kAttemptsMax + 1);
}

TEST(Return, EmptyBlockAndAffinityGo) {
  FakeStore store;
  ASSERT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
  EXPECT_EQ(give_back(store, kA), BlockReturn::Outcome::kReturned);
  EXPECT_TRUE(store.objects().empty());
  EXPECT_EQ(give_back(store, kA), BlockReturn::Outcome::kReturned);
}

TEST(Return, BlockInUseIsKeptOrLetGo) {
  FakeStore store;
  ASSERT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
  for (auto& [key, object] : store.objects()) {
    if (auto* block = std::get_if<model::IpamBlock>(&object)) assign_any(block->spec, 1, {"h", {}}, {});
  }
  EXPECT_EQ(give_back(store, kA), BlockReturn::Outcome::kKept);
  expect_owned(store, kA);
  EXPECT_EQ(give_back(store, kA, false), BlockReturn::Outcome::kReturned);
  EXPECT_FALSE(store.blocks().front().affinity);
  EXPECT_TRUE(store.affinities().empty());
}

TEST(Return, CrashAfterAnyCallIsFinishedByTheNextAttempt) {
  for (int calls = 0; calls <= 5; ++calls) {
    FakeStore store;
    ASSERT_EQ(claim(store, kA), BlockClaim::Outcome::kClaimed);
    BlockReturn crashed({kA, cidr(), true});
    (void)run(store, crashed, calls);
    EXPECT_EQ(give_back(store, kA), BlockReturn::Outcome::kReturned) << calls;
    EXPECT_TRUE(store.objects().empty()) << calls;
  }
}

TEST(Return, AnothersBlockStays) {
  FakeStore store;
  ASSERT_EQ(claim(store, kB), BlockClaim::Outcome::kClaimed);
  EXPECT_EQ(give_back(store, kA), BlockReturn::Outcome::kReturned);
  expect_owned(store, kB);
}

}  // namespace
}  // namespace margay::ipam
