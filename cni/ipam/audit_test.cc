#include "cni/ipam/audit.h"

#include "cni/ipam/fake_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

class AuditTest : public testing::Test {
 protected:
  AuditTest() : node_(store_, {.rules = {.owner = {model::AffinityType::kHost, "a"}}}) {
    pool_.spec.cidr = IpPrefix::parse("10.0.0.0/24").value();
    pool_.metadata.name = "p";
    give("h1", "web");
    give("h2", "db");
  }

  IpAddress give(const std::string& handle, const std::string& pod) {
    Demand demand{.family = IpFamily::kV4, .pools = {PoolRange::of(pool_)}};
    const Holder holder{handle, {{"node", "a"}, {"namespace", "n"}, {"pod", pod}}};
    const IpAddress out = node_.assign(holder, {demand}).got.at(0).addresses.at(0);
    users_[out] = {"pod n/" + pod, handle};
    return out;
  }

  AuditReport run() {
    blocks_ = store_.blocks();
    affinities_ = store_.affinities();
    handles_ = store_.handles();
    AuditInput input;
    input.pools = {&pool_};
    for (const auto& each : blocks_) input.blocks.push_back(&each);
    for (const auto& each : affinities_) input.affinities.push_back(&each);
    for (const auto& each : handles_) input.handles.push_back(&each);
    input.users = users_;
    return audit(input);
  }
  std::vector<FindingKind> kinds() {
    std::vector<FindingKind> out;
    for (const AuditFinding& finding : run().findings) out.push_back(finding.kind);
    return out;
  }
  template <class T>
  void drop() {
    std::erase_if(store_.objects(), [](const auto& each) { return std::holds_alternative<T>(each.second); });
  }

  FakeStore store_;
  DirectAllocator node_;
  model::IpPool pool_;
  std::map<IpAddress, AddressUser> users_;
  std::vector<model::IpamBlockSpec> blocks_;
  std::vector<model::BlockAffinitySpec> affinities_;
  std::vector<model::IpamHandleSpec> handles_;
};

TEST_F(AuditTest, NothingIsWrongWhereNothingIs) {
  const AuditReport report = run();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.allocations, 2U);
  EXPECT_EQ(report.by_node.at("a"), 2U);
}

TEST_F(AuditTest, LeakSaysHowToReleaseItSafely) {
  const IpAddress leaked = give("h3", "gone");
  users_.erase(leaked);
  const AuditReport report = run();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].address, leaked);
  EXPECT_EQ(report.findings[0].handle, "h3");
  EXPECT_TRUE(report.findings[0].sequence.has_value());
  EXPECT_THAT(report.findings[0].what, testing::HasSubstr("pod n/gone"));
}

TEST_F(AuditTest, UsersWithoutAllocationInsideAndOutsideOfPools) {
  users_[ip("10.0.0.250")] = {"pod n/x", ""};
  users_[ip("192.0.2.1")] = {"pod n/y", ""};
  EXPECT_THAT(kinds(), ElementsAre(FindingKind::kUnknownAddress, FindingKind::kOutsidePools));
}

TEST_F(AuditTest, HandlesThatAreEmptyOrMissing) {
  drop<model::IpamHandle>();
  EXPECT_THAT(kinds(), ElementsAre(FindingKind::kMissingHandle, FindingKind::kMissingHandle));
  model::IpamHandle empty;
  empty.metadata.name = empty.spec.handle_id = "none";
  ASSERT_TRUE(store_.execute({Verb::kCreate, empty}).ok());
  EXPECT_THAT(kinds(),
              ElementsAre(FindingKind::kEmptyHandle, FindingKind::kMissingHandle, FindingKind::kMissingHandle));
}

TEST_F(AuditTest, WrongHandle) {
  users_.begin()->second.handle = "another";
  EXPECT_THAT(kinds(), ElementsAre(FindingKind::kWrongHandle));
}

TEST_F(AuditTest, AffinitiesAndBlocksThatDoNotBelongTogether) {
  drop<model::BlockAffinity>();
  EXPECT_THAT(kinds(), ElementsAre(FindingKind::kLostAffinity));
  model::BlockAffinity dangling;
  dangling.metadata.name = "b";
  dangling.spec = {.state = model::BlockAffinityState::kConfirmed,
                   .node = "b",
                   .type = std::nullopt,
                   .cidr = IpPrefix::parse("10.0.0.192/26").value()};
  ASSERT_TRUE(store_.execute({Verb::kCreate, dangling}).ok());
  EXPECT_THAT(kinds(), ElementsAre(FindingKind::kLostAffinity, FindingKind::kDanglingAffinity));
  pool_.spec.cidr = IpPrefix::parse("10.9.0.0/24").value();
  EXPECT_EQ(kinds().back(), FindingKind::kBlockOutsidePools);
}

TEST_F(AuditTest, BlockThatContradictsItself) {
  for (auto& [key, object] : store_.objects()) {
    if (auto* block = std::get_if<model::IpamBlock>(&object)) block->spec.unallocated.pop_back();
  }
  EXPECT_EQ(run().findings.back().kind, FindingKind::kBadBlock);
}

}  // namespace
}  // namespace margay::ipam
