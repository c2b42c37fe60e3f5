#include "dataplane/iptables/backend.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/iptables/fake_tables.h"
#include "dataplane/iptables/test_tables.h"

namespace margay::iptables {
namespace {

using test::kFilter;
constexpr TableId kMangle6{IpFamily::kV6, Table::kMangle};

class BackendTest : public testing::Test {
 protected:
  void put(Backend backend, const TableId& table, const char* lines) {
    ASSERT_EQ(kernel_.edit(table, lines, backend), "");
  }
  BackendChoice choose(BackendMode mode = BackendMode::kAuto) {
    auto choice = choose_backend(kernel_, mode);
    EXPECT_TRUE(choice.ok());
    return choice.ok() ? *choice : BackendChoice{};
  }
  FakeTables kernel_;
};

TEST_F(BackendTest, EmptyMachineIsNft) {
  EXPECT_EQ(choose().backend, Backend::kNft);
  EXPECT_TRUE(choose().leftovers.empty());
}

TEST_F(BackendTest, WhereOthersHaveMoreRulesIsChosen) {
  put(Backend::kLegacy, kFilter, "-A FORWARD -j LOG\n-A INPUT -j LOG");
  put(Backend::kNft, kFilter, "-A FORWARD -j LOG");
  EXPECT_EQ(choose().backend, Backend::kLegacy);
  EXPECT_EQ(choose().why, "iptables-legacy has 2 rules of others, the other one 1");
}

TEST_F(BackendTest, OursDoNotCountAmongThem) {
  put(Backend::kLegacy, kFilter, ":margay-a - -\n-A margay-a -j DROP\n-A margay-a -j LOG\n-A margay-a -j LOG");
  put(Backend::kNft, kFilter, "-A FORWARD -j LOG");
  const BackendChoice choice = choose();
  EXPECT_EQ(choice.backend, Backend::kNft);
  EXPECT_EQ(choice.leftovers, std::set<TableId>{kFilter});
}

TEST_F(BackendTest, WhereOursWereDecidesBetweenEquals) {
  put(Backend::kLegacy, kMangle6, ":margay-a - -\n-A margay-a -j DROP");
  EXPECT_EQ(choose().backend, Backend::kLegacy);
  EXPECT_TRUE(choose().leftovers.empty());
}

TEST_F(BackendTest, KubeletsMarkDecidesBeforeNumbers) {
  put(Backend::kNft, kFilter, "-A FORWARD -j LOG\n-A INPUT -j LOG");
  put(Backend::kLegacy, {IpFamily::kV4, Table::kMangle}, ":KUBE-IPTABLES-HINT - -");
  EXPECT_EQ(choose().backend, Backend::kLegacy);
}

TEST_F(BackendTest, WhatIsAskedForIsTakenAndTheOtherOnesRestIsNamed) {
  put(Backend::kNft, kMangle6, ":margay-a - -\n-A FORWARD -j LOG");
  const BackendChoice choice = choose(BackendMode::kLegacy);
  EXPECT_EQ(choice.backend, Backend::kLegacy);
  EXPECT_EQ(choice.leftovers, std::set<TableId>{kMangle6});
}

TEST_F(BackendTest, OneThatDoesNotWorkIsNotChosen) {
  put(Backend::kNft, kFilter, "-A FORWARD -j LOG");
  kernel_.remove_programs(Backend::kNft);
  EXPECT_EQ(choose().backend, Backend::kLegacy);
  const auto forced = choose_backend(kernel_, BackendMode::kNft);
  ASSERT_FALSE(forced.ok());
  EXPECT_EQ(forced.error().code, ErrorCode::kUnsupported);
  kernel_.remove_programs(Backend::kLegacy);
  EXPECT_FALSE(choose_backend(kernel_, BackendMode::kAuto).ok());
}

TEST_F(BackendTest, LeftoversGoAndNothingElse) {
  put(Backend::kLegacy, kFilter, ":margay-a - -\n-A margay-a -j DROP\n-A FORWARD -j LOG");
  ASSERT_TRUE(remove_leftovers(kernel_, Backend::kLegacy, {kFilter}).ok());
  EXPECT_FALSE(kernel_.table(kFilter, Backend::kLegacy).contains("margay-a"));
  EXPECT_EQ(kernel_.table(kFilter, Backend::kLegacy)["FORWARD"].rules, std::vector<std::string>{"-j LOG"});
  // A second time there is nothing to do.
  const int restores = kernel_.restores();
  ASSERT_TRUE(remove_leftovers(kernel_, Backend::kLegacy, {kFilter}).ok());
  EXPECT_EQ(kernel_.restores(), restores);
}

TEST_F(BackendTest, LeftoversThatStayAreAnError) {
  put(Backend::kLegacy, kFilter, ":margay-a - -\n-A FORWARD -j margay-a");
  const Status removed = remove_leftovers(kernel_, Backend::kLegacy, {kFilter});
  ASSERT_FALSE(removed.ok());
  EXPECT_NE(removed.error().message.find("margay-a"), std::string::npos) << removed.error().message;
}

}  // namespace
}  // namespace margay::iptables
