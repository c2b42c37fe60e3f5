#include "cni/ipam/allocator.h"

#include "base/ip/test_values.h"
#include "cni/ipam/fake_store.h"
#include "cni/ipam/names.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

model::BlockOwner host(std::string name) { return {model::AffinityType::kHost, std::move(name)}; }
using test::address;
PoolRange range(std::string_view cidr, int length) { return {"p", IpPrefix::parse(cidr).value(), length}; }
Demand v4(std::string_view cidr, int length, std::size_t count = 1) {
  return {.family = IpFamily::kV4, .count = count, .pools = {range(cidr, length)}};
}
Demand v6(std::size_t count = 1) {
  return {.family = IpFamily::kV6, .count = count, .pools = {range("fd00::/120", 122)}};
}
AllocatorConfig config_of(std::string node) { return {.rules = {.owner = host(std::move(node))}}; }

TEST(Allocator, DualStackIsOneRequestAndOneHandle) {
  FakeStore store;
  DirectAllocator node(store, config_of("a"));
  const AssignDone done = node.assign({"h", {{"node", "a"}}}, {v4("10.0.0.0/24", 26), v6()});
  ASSERT_EQ(done.got.size(), 2U);
  EXPECT_EQ(done.got[0].addresses.size(), 1U);
  EXPECT_EQ(done.got[1].addresses.size(), 1U);
  ASSERT_EQ(store.handles().size(), 1U);
  EXPECT_EQ(store.handles().front().block.size(), 2U);
  EXPECT_EQ(node.release("h").count, 2);
  EXPECT_TRUE(store.handles().empty());
  EXPECT_EQ(node.release("h").count, 0);
  EXPECT_TRUE(node.allocator().is_idle());
}

TEST(Allocator, OneAddressOfAHeldBlockTakesTwoWrites) {
  FakeStore store;
  DirectAllocator node(store, config_of("a"));
  node.assign({"first", {}}, {v4("10.0.0.0/24", 26)});
  const auto before = store.writes();
  node.assign({"second", {}}, {v4("10.0.0.0/24", 26)});
  EXPECT_EQ(store.writes() - before, 2);
}

TEST(Allocator, FixedAddressClaimsItsBlock) {
  FakeStore store;
  DirectAllocator node(store, config_of("a")), other(store, config_of("b"));
  Demand fixed = v4("10.0.0.0/24", 26);
  fixed.address = address("10.0.0.70");
  EXPECT_THAT(node.assign({"h", {}}, {fixed}).got[0].addresses, ElementsAre(address("10.0.0.70")));
  EXPECT_THAT(node.allocator().owned_blocks(), ElementsAre(IpPrefix::parse("10.0.0.64/26").value()));
  EXPECT_EQ(other.assign({"i", {}}, {fixed}).got[0].error->code, ErrorCode::kAlreadyExists);
  fixed.address = address("10.0.0.71");
  EXPECT_THAT(other.assign({"i", {}}, {fixed}).got[0].addresses, ElementsAre(address("10.0.0.71")));
  EXPECT_THAT(other.allocator().owned_blocks(), IsEmpty());
  fixed.address = address("192.0.2.1");
  EXPECT_EQ(node.assign({"j", {}}, {fixed}).got[0].error->code, ErrorCode::kNotFound);
}

TEST(Allocator, FixedAddressOfAnothersBlockIsRefusedWhenStrict) {
  FakeStore store;
  DirectAllocator node(store, config_of("a"));
  AllocatorConfig strict = config_of("b");
  strict.rules.strict_affinity = true;
  DirectAllocator other(store, strict);
  Demand fixed = v4("10.0.0.0/24", 26);
  fixed.address = address("10.0.0.70");
  node.assign({"h", {}}, {fixed});
  fixed.address = address("10.0.0.71");
  EXPECT_EQ(other.assign({"i", {}}, {fixed}).got[0].error->code, ErrorCode::kConflict);
}

TEST(Allocator, BorrowedAddressIsReleasedByWhoeverHasTheHandle) {
  FakeStore store;
  DirectAllocator owner(store, config_of("a"));
  owner.assign({"o", {}}, {v4("10.0.0.0/26", 26)});
  DirectAllocator borrower(store, config_of("b"));
  EXPECT_EQ(borrower.assign({"h", {{"node", "b"}}}, {v4("10.0.0.0/26", 26)}).got[0].addresses.size(), 1U);
  DirectAllocator restarted(store, config_of("b")), stranger(store, config_of("c"));
  EXPECT_EQ(restarted.allocator().addresses_of("h").size(), 1U);
  EXPECT_EQ(stranger.release("h").count, 1);
  EXPECT_EQ(restarted.release("h").outcome.ok(), true);
  EXPECT_EQ(addresses_in_use(store.blocks().front()).size(), 1U);
  EXPECT_EQ(store.handles().size(), 1U);
}

TEST(Allocator, SpareBlockIsClaimedBeforeTheLastIsFull) {
  FakeStore store;
  AllocatorConfig config = config_of("a");
  config.spare_min = 8;
  DirectAllocator node(store, config);
  node.assign({"h", {}}, {v4("10.0.0.0/24", 26, 56)});
  EXPECT_EQ(node.allocator().owned_blocks().size(), 1U);
  node.assign({"i", {}}, {v4("10.0.0.0/24", 26)});
  EXPECT_EQ(node.allocator().owned_blocks().size(), 2U);
}

TEST(Allocator, EmptyBlocksGoBackButNotTheLast) {
  FakeStore store;
  AllocatorConfig config = config_of("a");
  config.empty_kept = std::chrono::seconds(60);
  DirectAllocator node(store, config);
  node.assign({"h", {}}, {v4("10.0.0.0/24", 26, 150)});
  EXPECT_EQ(store.blocks().size(), 3U);
  node.release("h");
  node.tick(std::chrono::seconds(1));
  node.tick(std::chrono::seconds(59));
  EXPECT_EQ(store.blocks().size(), 3U);
  node.tick(std::chrono::seconds(1));
  node.tick(std::chrono::seconds(120));
  EXPECT_EQ(store.blocks().size(), 1U);
  EXPECT_EQ(store.affinities().size(), 1U);
}

// One block for two nodes: a had all of it, and has nothing in it any more.
class IdleBlock : public testing::Test {
 protected:
  void SetUp() override {
    idle_.assign({"h", {}}, {v4("10.0.0.0/26", 26)});
    idle_.release("h");
  }
  std::vector<IpAddress> ask(DirectAllocator& node, std::string handle) {
    return node.assign({std::move(handle), {{"node", "b"}}}, {v4("10.0.0.0/26", 26)}).got[0].addresses;
  }
  FakeStore store_;
  DirectAllocator idle_{store_, config_of("a")};
};

TEST_F(IdleBlock, OfAnotherIsTakenWhenThereIsNoOther) {
  DirectAllocator node(store_, config_of("b"));
  node.tick(std::chrono::seconds(61));
  EXPECT_EQ(ask(node, "i").size(), 1U);
  EXPECT_EQ(node.allocator().owned_blocks().size(), 1U);
  ASSERT_EQ(store_.affinities().size(), 1U);
  EXPECT_EQ(store_.affinities().front().node, "b");
  // Who had it learns that from its next write, and borrows.
  EXPECT_EQ(idle_.assign({"j", {{"node", "a"}}}, {v4("10.0.0.0/26", 26)}).got[0].addresses.size(), 1U);
  EXPECT_THAT(idle_.allocator().owned_blocks(), IsEmpty());
  EXPECT_EQ(addresses_in_use(store_.blocks().front()).size(), 2U);
}

TEST_F(IdleBlock, ClaimedJustNowIsLeftAlone) {
  DirectAllocator node(store_, config_of("b"));
  node.tick(std::chrono::seconds(30));
  EXPECT_EQ(ask(node, "i").size(), 1U);
  EXPECT_THAT(node.allocator().owned_blocks(), IsEmpty());
}

TEST_F(IdleBlock, StrictAffinityTakesItToo) {
  AllocatorConfig config = config_of("b");
  config.rules.strict_affinity = true;
  DirectAllocator node(store_, config);
  EXPECT_THAT(ask(node, "i"), IsEmpty());
  node.tick(std::chrono::seconds(61));
  EXPECT_EQ(ask(node, "j").size(), 1U);
  EXPECT_EQ(node.allocator().owned_blocks().size(), 1U);
}

TEST_F(IdleBlock, UsedSinceItWasSeenIsBorrowedFrom) {
  DirectAllocator node(store_, config_of("b"));
  node.tick(std::chrono::seconds(61));
  idle_.assign({"again", {{"node", "a"}}}, {v4("10.0.0.0/26", 26)});
  EXPECT_EQ(ask(node, "i").size(), 1U);
  EXPECT_THAT(node.allocator().owned_blocks(), IsEmpty());
  EXPECT_EQ(idle_.allocator().owned_blocks().size(), 1U);
}

TEST(Allocator, CooldownKeepsAnAddressFromUse) {
  FakeStore store;
  AllocatorConfig config = config_of("a");
  config.rules.cooldown = std::chrono::seconds(30);
  DirectAllocator node(store, config);
  const auto first = node.assign({"h", {}}, {v4("10.0.0.0/31", 31)}).got[0].addresses;
  node.release("h");
  const auto second = node.assign({"i", {}}, {v4("10.0.0.0/31", 31)}).got[0].addresses;
  ASSERT_EQ(second.size(), 1U);
  EXPECT_NE(first, second);
  EXPECT_THAT(node.assign({"j", {}}, {v4("10.0.0.0/31", 31)}).got[0].addresses, IsEmpty());
  node.tick(std::chrono::seconds(31));
  EXPECT_EQ(node.assign({"k", {}}, {v4("10.0.0.0/31", 31)}).got[0].addresses, first);
}

TEST(Allocator, NoPoolFitsSaysWhatToLookAt) {
  FakeStore store;
  DirectAllocator node(store, config_of("a"));
  const auto done = node.assign({"h", {}}, {{.family = IpFamily::kV4}});
  EXPECT_THAT(done.got[0].error->message, testing::HasSubstr("allowedUses"));
}

TEST(Allocator, RequestsWaitForTheListing) {
  Allocator allocator(config_of("a"));
  EXPECT_EQ(allocator.start({}).size(), 1U);
  EXPECT_TRUE(allocator.assign({.id = 1, .holder = {"h", {}}, .demands = {v4("10.0.0.0/24", 26)}}, {}).empty());
  EXPECT_TRUE(allocator.on_listing(Error{ErrorCode::kUnavailable, "away"}, {}).empty());
  Moment later;
  later.steady = *allocator.next_wake();
  EXPECT_TRUE(std::holds_alternative<WantListing>(allocator.on_tick(later).at(0)));
  EXPECT_TRUE(std::holds_alternative<Issue>(allocator.on_listing(Listing{}, later).at(0)));
}

TEST(Allocator, CancelledRequestHasNoAnswerAndLeavesNothing) {
  FakeStore store;
  Allocator allocator(config_of("a"));
  (void)allocator.start({});
  (void)allocator.on_listing(Listing{}, {});
  std::deque<Output> todo;
  const auto collect = [&todo](Outputs outputs) { todo.insert(todo.end(), outputs.begin(), outputs.end()); };
  collect(allocator.assign({.id = 1, .holder = {"h", {}}, .demands = {v4("10.0.0.0/24", 26)}}, {}));
  bool is_cancelled = false;
  while (!todo.empty()) {
    const auto* issue = std::get_if<Issue>(&todo.front());
    ASSERT_NE(issue, nullptr) << "no result is told";
    const Issue one = *issue;
    todo.pop_front();
    const Answer answer = store.execute(one.call);
    const auto* block = std::get_if<model::IpamBlock>(&one.call.object);
    // Its write is done, but not yet answered.
    if (block != nullptr && one.call.verb == Verb::kUpdate && !is_cancelled) {
      is_cancelled = true;
      collect(allocator.cancel(1, {}));
    }
    collect(allocator.on_answer(one.id, answer, {}));
  }
  EXPECT_TRUE(is_cancelled);
  EXPECT_TRUE(is_empty(store.blocks().front()));
  EXPECT_TRUE(store.handles().empty());
}

TEST(Allocator, BlockRemovedBehindItsBackIsMadeAgain) {
  FakeStore store;
  DirectAllocator node(store, config_of("a"));
  node.assign({"h", {}}, {v4("10.0.0.0/26", 26)});
  std::erase_if(store.objects(),
                [](const auto& each) { return std::holds_alternative<model::IpamBlock>(each.second); });
  EXPECT_EQ(node.assign({"i", {}}, {v4("10.0.0.0/26", 26)}).got[0].addresses.size(), 1U);
  EXPECT_EQ(store.blocks().size(), 1U);
}

TEST(Allocator, BlocksOfAnotherSizeInThePoolAreLeftAlone) {
  FakeStore store;
  DirectAllocator old(store, config_of("a"));
  old.assign({"h", {}}, {v4("10.0.0.0/24", 26)});
  DirectAllocator node(store, config_of("b"));
  const auto got = node.assign({"i", {}}, {v4("10.0.0.0/24", 28, 200)}).got[0].addresses;
  EXPECT_EQ(got.size(), 200U);
  std::vector<IpPrefix> blocks;
  for (const auto& block : store.blocks()) blocks.push_back(block.cidr);
  EXPECT_EQ(without_contained(blocks).size(), blocks.size());
}

// Whoever drives it would turn for nothing.
TEST(Allocator, NothingIsDueThatCannotBeDone) {
  Allocator node(config_of("a"));
  const Moment now{TimePoint(std::chrono::seconds(1)), {}};
  (void)node.start(now);
  (void)node.release({.id = 1, .handle = "h"}, now);
  EXPECT_FALSE(node.next_wake()) << "it waits for the listing, not for time";
}

}  // namespace
}  // namespace margay::ipam
