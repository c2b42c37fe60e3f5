#include "cni/ipam/held_block.h"

#include "cni/ipam/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

const model::BlockOwner kOwner{model::AffinityType::kHost, "a"}, kOther{model::AffinityType::kHost, "b"};

Wish assign_for(const std::string& handle, RequestId request) {
  return {.kind = Wish::Kind::kAssign, .request = request, .holder = {handle, {}}};
}
Wish release_of(const std::string& handle, RequestId request) {
  return {.kind = Wish::Kind::kRelease, .request = request, .holder = {handle, {}}};
}

class HeldBlockTest : public testing::Test {
 protected:
  HeldBlockTest() {
    model::IpamBlock block;
    block.metadata.name = "10-0-0-0-30";
    block.spec = make_block(IpPrefix::parse("10.0.0.0/30").value(), kOwner, std::nullopt);
    stored_ = std::get<model::IpamBlock>(store_.execute({Verb::kCreate, block}).value());
  }

  Settled run(HeldBlock& block, const Call& call) { return block.on_answer(store_.execute(call), now_); }
  model::IpamBlockSpec in_store() { return store_.blocks().front(); }
  // Somebody else gives an address away.
  void others_take(const std::string& handle) {
    auto block = std::get<model::IpamBlock>(store_.execute({Verb::kGet, stored_}).value());
    assign_any(block.spec, 1, {handle, {}}, {});
    ++block.spec.sequence_number;
    ASSERT_TRUE(store_.execute({Verb::kUpdate, block}).ok());
  }

  FakeStore store_;
  BlockRules rules_{.owner = kOwner};
  model::IpamBlock stored_;
  Moment now_;
};

TEST_F(HeldBlockTest, WishesDuringAWriteLeaveTogetherInTheNext) {
  HeldBlock block(rules_, stored_);
  EXPECT_TRUE(block.add(assign_for("h1", 1), now_));
  const Call first = *block.next_call(now_);
  EXPECT_TRUE(block.add(assign_for("h2", 2), now_));
  EXPECT_TRUE(block.add(assign_for("h3", 3), now_));
  EXPECT_FALSE(block.next_call(now_));
  EXPECT_EQ(run(block, first).done.size(), 1U);
  EXPECT_EQ(run(block, *block.next_call(now_)).done.size(), 2U);
  EXPECT_FALSE(block.next_call(now_));
  EXPECT_EQ(in_store().sequence_number, 2);
  EXPECT_EQ(addresses_in_use(in_store()).size(), 3U);
}

TEST_F(HeldBlockTest, LostRaceIsReadAndDoneAgain) {
  HeldBlock block(rules_, stored_);
  block.add(assign_for("mine", 1), now_);
  others_take("other");
  EXPECT_TRUE(run(block, *block.next_call(now_)).done.empty());
  EXPECT_EQ(block.next_call(now_)->verb, Verb::kGet);
  EXPECT_TRUE(run(block, {Verb::kGet, stored_}).done.empty());
  const Settled settled = run(block, *block.next_call(now_));
  ASSERT_EQ(settled.done.size(), 1U);
  EXPECT_EQ(settled.done.front().ordinal, 1);
  EXPECT_EQ(*holder_of(in_store(), 0), "other");
}

TEST_F(HeldBlockTest, WhatHasNoRoomAfterALostRaceBounces) {
  HeldBlock block(rules_, stored_);
  for (RequestId i = 1; i <= 4; ++i) EXPECT_TRUE(block.add(assign_for("h", i), now_));
  EXPECT_FALSE(block.add(assign_for("h", 5), now_));
  others_take("other");
  (void)run(block, *block.next_call(now_));
  const Settled settled = run(block, *block.next_call(now_));
  ASSERT_EQ(settled.bounced.size(), 1U);
  EXPECT_EQ(settled.bounced.front().error.code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(run(block, *block.next_call(now_)).done.size(), 3U);
}

TEST_F(HeldBlockTest, WriteWithoutAnswerThatWasDoneIsNotDoneTwice) {
  HeldBlock block(rules_, stored_);
  block.add(assign_for("h", 1), now_);
  const Call write = *block.next_call(now_);
  ASSERT_TRUE(store_.execute(write).ok());
  (void)block.on_answer(Error{ErrorCode::kTimeout, "no answer"}, now_);
  EXPECT_FALSE(block.next_call(now_));
  now_.steady = *block.retry_at();
  const Call read = *block.next_call(now_);
  EXPECT_EQ(read.verb, Verb::kGet);
  EXPECT_EQ(run(block, read).done.size(), 1U);
  EXPECT_FALSE(block.next_call(now_));
  EXPECT_EQ(addresses_in_use(in_store()).size(), 1U);
}

TEST_F(HeldBlockTest, ReleaseAndAssignOfOneHandleKeepTheirOrder) {
  HeldBlock block(rules_, stored_);
  block.add(assign_for("h", 1), now_);
  (void)run(block, *block.next_call(now_));
  block.add(release_of("h", 2), now_);
  block.add(assign_for("h", 3), now_);
  others_take("other");
  (void)run(block, *block.next_call(now_));
  (void)run(block, *block.next_call(now_));
  EXPECT_EQ(run(block, *block.next_call(now_)).done.size(), 2U);
  EXPECT_EQ(addresses_of(in_store(), "h").size(), 1U);
}

TEST_F(HeldBlockTest, CancelledWishLeavesNothingWhereverItIs) {
  HeldBlock block(rules_, stored_);
  block.add(assign_for("first", 1), now_);
  const Call write = *block.next_call(now_);
  block.add(assign_for("second", 2), now_);
  block.cancel(1, now_);
  block.cancel(2, now_);
  EXPECT_EQ(run(block, write).done.front().request, 0U);
  while (const auto call = block.next_call(now_)) (void)run(block, *call);
  EXPECT_TRUE(is_empty(in_store()));
  EXPECT_TRUE(check_block(in_store()).ok());
}

TEST_F(HeldBlockTest, BlockThatIsGoneEndsReleasesAndBouncesTheRest) {
  HeldBlock block(rules_, stored_);
  block.add(release_of("h", 1), now_);
  block.add(assign_for("h", 2), now_);
  store_.objects().clear();
  const Settled settled = run(block, *block.next_call(now_));
  EXPECT_TRUE(settled.is_gone);
  EXPECT_EQ(settled.done.size(), 1U);
  ASSERT_EQ(settled.bounced.size(), 1U);
  EXPECT_EQ(settled.bounced.front().error.code, ErrorCode::kNotFound);
}

TEST_F(HeldBlockTest, StrictAffinityGivesNothingFromAnothersBlock) {
  rules_.strict_affinity = true;
  rules_.owner = kOther;
  HeldBlock known(rules_, stored_);
  EXPECT_EQ(known.room(), 0U);
  EXPECT_FALSE(known.add(assign_for("h", 1), now_));
  HeldBlock unread(rules_, stored_.spec.cidr);
  EXPECT_TRUE(unread.add(assign_for("h", 1), now_));
  EXPECT_EQ(run(unread, *unread.next_call(now_)).bounced.size(), 1U);
}

TEST_F(HeldBlockTest, OnlyNewerNewsIsTakenOver) {
  HeldBlock block(rules_, stored_);
  others_take("other");
  const model::IpamBlock newer = std::get<model::IpamBlock>(store_.execute({Verb::kGet, stored_}).value());
  block.see(newer);
  EXPECT_EQ(block.room(), 3U);
  block.see(stored_);
  EXPECT_EQ(block.room(), 3U);
  block.add(assign_for("h", 1), now_);
  EXPECT_EQ(run(block, *block.next_call(now_)).done.size(), 1U);
}

TEST_F(HeldBlockTest, RefusedWriteIsTold) {
  HeldBlock block(rules_, stored_);
  block.add(assign_for("h", 1), now_);
  (void)block.next_call(now_);
  const Settled settled = block.on_answer(Error{ErrorCode::kPermissionDenied, "no"}, now_);
  ASSERT_EQ(settled.bounced.size(), 1U);
  EXPECT_EQ(settled.bounced.front().error.message, "no");
}

TEST(Backoff, DoublesUpToFiveSeconds) {
  EXPECT_EQ(backoff(1), std::chrono::milliseconds(50));
  EXPECT_EQ(backoff(2), std::chrono::milliseconds(100));
  EXPECT_EQ(backoff(100), std::chrono::seconds(5));
}

}  // namespace
}  // namespace margay::ipam
