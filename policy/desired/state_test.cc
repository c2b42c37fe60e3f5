#include "policy/desired/state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"

namespace margay::policy {
namespace {

IpPrefix net(const std::string& text) { return IpPrefix::parse_cidr_or_address(text).value(); }
IpSetMember member(const std::string& text) { return {.net = net(text), .protocol = {}, .port = {}}; }

const ObjectKey kWeb{.kind = model::Kind::kNetworkPolicy, .name_space = "default", .name = "web"};

std::shared_ptr<const Policy> policy_with_set(const IpSetId& id) {
  Policy policy{.id = kWeb, .tier = "default", .selector = "all()", .rules = {}};
  Rule rule;
  rule.source.sets = {id};
  policy.rules = RuleSet{.ingress = {rule}, .egress = {}};
  return std::make_shared<const Policy>(policy);
}

TEST(State, ARuleMustNotReferToASetThatIsNotThere) {
  State state;
  Delta delta;
  delta.policies[kWeb] = policy_with_set("s:a");
  const Status status = state.apply(delta);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("s:a"), std::string::npos);
}

TEST(State, ASetAndThePolicyThatUsesItMayComeInOneDelta) {
  State state;
  Delta delta;
  delta.ip_sets["s:a"] = {.what = IpSetDelta::What::kCreate, .added = {member("10.0.0.0/24")}, .removed = {}};
  delta.policies[kWeb] = policy_with_set("s:a");
  ASSERT_TRUE(state.apply(delta).ok());
  EXPECT_TRUE(state.ip_sets().at("s:a").contains(IpAddress::parse("10.0.0.7").value()));
  EXPECT_FALSE(state.ip_sets().at("s:a").contains(IpAddress::parse("10.0.1.7").value()));

  Delta last;
  last.ip_sets["s:a"] = {.what = IpSetDelta::What::kRemove, .added = {}, .removed = {}};
  EXPECT_FALSE(state.apply(last).ok()) << "the policy still uses it";
}

TEST(State, ASetIsChangedOnlyWhereItIs) {
  State state;
  Delta update;
  update.ip_sets["s:a"] = {.what = IpSetDelta::What::kUpdate, .added = {member("10.0.0.1")}, .removed = {}};
  EXPECT_FALSE(state.apply(update).ok());
  Delta create;
  create.ip_sets["s:a"] = {.what = IpSetDelta::What::kCreate, .added = {}, .removed = {}};
  EXPECT_TRUE(state.apply(create).ok());
  EXPECT_TRUE(state.apply(update).ok());
}

// A queue may have merged a removal with the creation that followed, or a creation with the removal that followed.
TEST(State, ASetThatIsCreatedAgainIsReplacedAndOneThatNeverWasMayGo) {
  State state;
  Delta delta;
  delta.ip_sets["s:a"] = {.what = IpSetDelta::What::kCreate, .added = {member("10.0.0.1")}, .removed = {}};
  ASSERT_TRUE(state.apply(delta).ok());
  delta.ip_sets["s:a"] = {.what = IpSetDelta::What::kRemove, .added = {}, .removed = {}};
  Delta again;
  again.ip_sets["s:a"] = {.what = IpSetDelta::What::kCreate, .added = {member("10.0.0.2")}, .removed = {}};
  delta.merge(again);
  delta.ip_sets["s:b"] = {.what = IpSetDelta::What::kRemove, .added = {}, .removed = {}};
  ASSERT_TRUE(state.apply(delta).ok());
  EXPECT_EQ(state.ip_sets().at("s:a").members(), std::vector{member("10.0.0.2")});
  EXPECT_FALSE(state.ip_sets().contains("s:b"));
}

TEST(IpSetMember, PrintsAsIpsetWrites) {
  EXPECT_EQ(member("10.0.0.0/8").to_string(), "10.0.0.0/8");
  const IpSetMember port{.net = net("10.0.0.1"), .protocol = model::kProtocolTcp, .port = Port(80)};
  EXPECT_EQ(port.to_string(), "10.0.0.1,tcp:80");
}

// Deltas in a row, and the same deltas merged, end in the same members.
TEST(IpSetDelta, MergedChangesDoWhatTheyDidOneAfterTheOther) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    IpSet one_by_one;
    const IpSetDelta first{.what = IpSetDelta::What::kCreate, .added = {member("10.0.0.1")}, .removed = {}};
    one_by_one.apply(first);
    IpSet at_once;
    at_once.apply(first);
    IpSetDelta merged;
    for (int step = 0; step < 10; ++step) {
      const IpSetMember changed = member(concat("10.0.0.", random.below(4)));
      const bool is_there = one_by_one.contains(changed.net.first());
      IpSetDelta delta;
      (is_there ? delta.removed : delta.added).push_back(changed);
      one_by_one.apply(delta);
      merged.merge(delta);
    }
    at_once.apply(merged);
    EXPECT_EQ(at_once.members(), one_by_one.members()) << "seed " << seed;
    for (const IpSetMember& m : merged.added) {
      EXPECT_EQ(std::count(merged.removed.begin(), merged.removed.end(), m), 0) << "seed " << seed;
    }
  }
}

TEST(Delta, TheLaterValueOfAKeyCounts) {
  Delta first;
  first.policies[kWeb] = policy_with_set("s:a");
  Delta later;
  later.policies[kWeb] = nullptr;
  later.is_in_sync = true;
  first.merge(std::move(later));
  EXPECT_EQ(first.policies.at(kWeb), nullptr);
  EXPECT_TRUE(first.is_in_sync);
}

}  // namespace
}  // namespace margay::policy
