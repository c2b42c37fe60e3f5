#include "dataplane/sysctl/sysctl_driver.h"

#include <gtest/gtest.h>

#include "base/core/random.h"
#include "base/core/text.h"

namespace margay::sysctl {
namespace {

constexpr TimePoint kStart{};

// The tree in memory: settings exist or not, may be read-only, and count their writes.
class FakeTree final : public SysctlTree {
 public:
  Result<std::string> read(const std::string& path) override {
    const auto at = values.find(path);
    if (at == values.end()) return Error{ErrorCode::kNotFound, "no such setting"};
    return at->second;
  }
  Status write(const std::string& path, std::string_view value) override {
    const auto at = values.find(path);
    if (at == values.end()) return Error{ErrorCode::kNotFound, "no such setting"};
    if (is_read_only) return Error{ErrorCode::kPermissionDenied, "read-only"};
    if (value == "bad") return Error{ErrorCode::kInvalid, "not a number"};
    ++writes;
    at->second = value;
    return ok_status();
  }
  std::map<std::string, std::string> values;
  bool is_read_only = false;
  int writes = 0;
};

const std::string kProxyArp = interface_path("ipv4/conf", "cali1", "proxy_arp");
const std::string kForward = "net/ipv4/ip_forward";

class SysctlDriverTest : public testing::Test {
 protected:
  SysctlDriverTest() { tree_.values = {{kProxyArp, "0"}, {kForward, "0"}}; }
  FakeTree tree_;
  SysctlDriver driver_{tree_};
};

TEST_F(SysctlDriverTest, PathsHaveSlashesSoThatNamesMayHaveDots) {
  EXPECT_EQ(interface_path("ipv4/conf", "eth0.100", "rp_filter"), "net/ipv4/conf/eth0.100/rp_filter");
}

TEST_F(SysctlDriverTest, WhatIsWantedIsWrittenOnce) {
  driver_.set(kProxyArp, "1");
  EXPECT_EQ(driver_.apply(kStart).updated, 1U);
  EXPECT_EQ(tree_.values[kProxyArp], "1");
  EXPECT_EQ(driver_.apply(kStart).updated, 0U);
  driver_.set(kProxyArp, "1");
  driver_.queue_resync();
  EXPECT_TRUE(driver_.apply(kStart).is_in_sync());
  EXPECT_EQ(tree_.writes, 1);
}

TEST_F(SysctlDriverTest, WhatIsAlreadySoIsNotWritten) {
  driver_.set(kProxyArp, "0");
  EXPECT_TRUE(driver_.apply(kStart).is_in_sync());
  EXPECT_EQ(tree_.writes, 0);
  EXPECT_TRUE(driver_.earlier().empty());
}

TEST_F(SysctlDriverTest, TheEarlierValueIsGivenBack) {
  tree_.values[kForward] = "7";
  driver_.set(kForward, "1");
  static_cast<void>(driver_.apply(kStart));
  driver_.set(kForward, "2");
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(driver_.earlier().at(kForward), "7");
  driver_.reset(kForward);
  EXPECT_EQ(driver_.apply(kStart).removed, 1U);
  EXPECT_EQ(tree_.values[kForward], "7");
  EXPECT_TRUE(driver_.earlier().empty());
}

TEST_F(SysctlDriverTest, WhatSomebodyElseHasChosenSinceStays) {
  driver_.set(kForward, "1");
  static_cast<void>(driver_.apply(kStart));
  tree_.values[kForward] = "5";
  driver_.reset(kForward);
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.values[kForward], "5");
}

TEST_F(SysctlDriverTest, AnEarlierLifesValueIsGivenBack) {
  tree_.values[kForward] = "1";  // as the earlier life set it
  driver_.remember(kForward, "0");
  driver_.set(kForward, "1");
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.writes, 0);
  driver_.reset(kForward);
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.values[kForward], "0");
  // Also if this life never wanted it.
  driver_.remember(kProxyArp, "1");
  driver_.reset(kProxyArp);
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.values[kProxyArp], "1");
}

TEST_F(SysctlDriverTest, DriftIsRepairedAtAResync) {
  driver_.set(kForward, "1");
  static_cast<void>(driver_.apply(kStart));
  tree_.values[kForward] = "0";
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.values[kForward], "0") << "nobody said so";
  driver_.queue_resync();
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.values[kForward], "1");
}

TEST_F(SysctlDriverTest, AnInterfaceThatIsNotThereIsNoFailure) {
  tree_.values.erase(kProxyArp);
  driver_.set(kProxyArp, "1");
  EXPECT_TRUE(driver_.apply(kStart).is_in_sync());
  tree_.values[kProxyArp] = "0";
  driver_.note_interface("cali1");
  EXPECT_EQ(driver_.apply(kStart).updated, 1U);
  EXPECT_EQ(tree_.values[kProxyArp], "1");
}

TEST_F(SysctlDriverTest, AnInterfaceMadeAgainIsSetAgain) {
  driver_.set(kProxyArp, "1");
  static_cast<void>(driver_.apply(kStart));
  tree_.values[kProxyArp] = "2";  // another interface of the name
  driver_.note_interface("cali1");
  EXPECT_EQ(driver_.apply(kStart).updated, 1U);
  EXPECT_EQ(tree_.values[kProxyArp], "1");
  EXPECT_EQ(driver_.earlier().at(kProxyArp), "2");
}

TEST_F(SysctlDriverTest, AnInterfaceThatGoesWhileItIsBeingSetIsNoFailure) {
  driver_.set(kProxyArp, "1");
  static_cast<void>(driver_.apply(kStart));
  driver_.set(kProxyArp, "3");
  tree_.values.erase(kProxyArp);
  EXPECT_TRUE(driver_.apply(kStart).is_in_sync());
  driver_.forget_interface("cali1");
  tree_.values[kProxyArp] = "0";
  driver_.queue_resync();
  EXPECT_TRUE(driver_.apply(kStart).is_in_sync());
  EXPECT_EQ(tree_.values[kProxyArp], "0") << "nothing is wanted of it any more";
}

TEST_F(SysctlDriverTest, OtherInterfacesAndSettingsAreNotMeant) {
  driver_.set(kForward, "1");
  driver_.set(interface_path("ipv4/conf", "cali11", "proxy_arp"), "1");
  tree_.values[interface_path("ipv4/conf", "cali11", "proxy_arp")] = "0";
  static_cast<void>(driver_.apply(kStart));
  const int before = tree_.writes;
  driver_.note_interface("cali1");
  driver_.forget_interface("cali1");
  driver_.forget_interface("ip_forward");
  static_cast<void>(driver_.apply(kStart));
  EXPECT_EQ(tree_.writes, before);
  EXPECT_EQ(driver_.earlier().size(), 2U);
}

TEST_F(SysctlDriverTest, WhatCannotBeWrittenIsSaidOnce) {
  tree_.is_read_only = true;
  driver_.set(kProxyArp, "1");
  driver_.set(kForward, "1");
  EXPECT_EQ(driver_.apply(kStart).failed, 2U);
  driver_.set(kForward, "1");
  EXPECT_EQ(driver_.apply(kStart).failed, 0U);
  driver_.set(kForward, "2");
  EXPECT_EQ(driver_.apply(kStart).failed, 1U) << "another value is wanted";
  tree_.is_read_only = false;
  driver_.queue_resync();
  EXPECT_EQ(driver_.apply(kStart).updated, 2U);
  EXPECT_EQ(tree_.values[kForward], "2");
}

TEST_F(SysctlDriverTest, AValueTheKernelRefusesHarmsNoOther) {
  driver_.set(kProxyArp, "bad");
  driver_.set(kForward, "1");
  const auto report = driver_.apply(kStart);
  EXPECT_EQ(report.failed, 1U);
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].object, "setting " + kProxyArp);
  EXPECT_EQ(tree_.values[kForward], "1");
}

// However it went: what is wanted and there is so in the end, and what is wanted no more is as it was.
TEST(SysctlDriver, AnyCourseEndsAsWanted) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    FakeTree tree;
    SysctlDriver driver(tree);
    std::map<std::string, std::string> wanted;
    const auto name = [&] { return concat("cali", random.below(3)); };
    const auto path = [](const std::string& of) { return interface_path("ipv4/conf", of, "x"); };
    for (int step = 0; step < 80; ++step) {
      const std::string one = name();
      switch (random.below(7)) {
        case 0: tree.values[path(one)] = "0", driver.note_interface(one); break;
        case 1: tree.values.erase(path(one)), driver.note_interface(one); break;
        case 2: driver.reset(path(one)), wanted.erase(path(one)); break;
        case 3: tree.is_read_only = !tree.is_read_only; break;
        case 4: driver.queue_resync(); break;
        case 5: static_cast<void>(driver.apply(kStart)); break;
        default:
          wanted[path(one)] = concat(1 + random.below(3));
          driver.set(path(one), wanted[path(one)]);
          break;
      }
    }
    tree.is_read_only = false;
    driver.queue_resync();
    EXPECT_TRUE(driver.apply(kStart).is_in_sync());
    for (const auto& [at, value] : wanted) {
      if (tree.values.contains(at)) {
        EXPECT_EQ(tree.values[at], value) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace margay::sysctl
