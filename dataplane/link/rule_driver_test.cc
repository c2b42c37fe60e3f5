// Against the real kernel, in a network namespace of the test's own.
#include "dataplane/link/rule_driver.h"

#include <gtest/gtest.h>
#include "dataplane/link/link_bed.h"
#include "dataplane/netlink/failing_netlink.h"

namespace margay::link {
namespace {

class RuleDriverTest : public testing::Test, protected LinkBed {
 protected:
  void SetUp() override {
    if (const Status entered = enter(); !entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
  }
  // Rules with priorities below the kernel's own.
  static Lines rules(const std::string& family) {
    Lines out;
    for (const std::string& line : lines("ip " + family + " rule show")) {
      if (!line.starts_with("0:") && !line.starts_with("3276")) out.push_back(line);
    }
    for (std::string& line : out) line[line.find('\t')] = ' ';
    return out;
  }
};

TEST_F(RuleDriverTest, RulesAreAddedReadBackAndRemoved) {
  const PolicyRule marked{.priority = 99, .table = RouteTableId(1), .mark = 0x10, .mask = 0xf0, .is_inverted = true};
  const PolicyRule from{.priority = 100,
                        .table = RouteTableId(1000),
                        .source = IpPrefix::parse("10.1.0.0/16").value(),
                        .destination = IpPrefix::parse("10.2.0.0/16").value()};
  const PolicyRule six{.family = IpFamily::kV6, .priority = 101, .table = RouteTableId(254)};
  RuleDriver driver(kernel(), {});
  driver.allow_removal();
  for (const PolicyRule& rule : {marked, from, six}) driver.set_rule(rule);
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(rules("-4"), (Lines{"100: from 10.1.0.0/16 to 10.2.0.0/16 lookup 1000 proto 80",
                                "99: not from all fwmark 0x10/0xf0 lookup 1 proto 80"}));
  EXPECT_EQ(rules("-6"), (Lines{"101: from all lookup main proto 80"}));
  driver.queue_resync();
  EXPECT_EQ(changes(driver), 0U);
  driver.remove_rule(marked);
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(rules("-4").size(), 1U);
}

TEST_F(RuleDriverTest, RulesOfOthersStayAndOldOnesOfOursGoWhenAllowed) {
  EXPECT_EQ(run("ip rule add priority 50 fwmark 7 lookup 7\nip rule add priority 51 fwmark 8 lookup 8 protocol 80"),
            "");
  RuleDriver driver(kernel(), {});
  EXPECT_EQ(changes(driver), 0U);
  driver.allow_removal();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(rules("-4"), (Lines{"50: from all fwmark 0x7 lookup 7"}));
}

TEST_F(RuleDriverTest, OneThatSomebodyTookAwayComesBack) {
  RuleDriver driver(kernel(), {.protocol = 81, .ipv6 = false});
  driver.set_rule({.priority = 99, .table = RouteTableId(1)});
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(run("ip rule del priority 99"), "");
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(rules("-4"), (Lines{"99: from all lookup 1 proto 81"}));
}

TEST_F(RuleDriverTest, AFailedCallAnywhereIsMadeGoodByTheNextApply) {
  netlink::FailingNetlink failing(kernel());
  for (int n = 1; n <= 6; ++n) {
    EXPECT_EQ(run("ip rule add priority 51 fwmark 8 lookup 8 protocol 80"), "") << n;
    RuleDriver driver(failing, {});
    driver.allow_removal();
    driver.set_rule({.priority = 99, .table = RouteTableId(1)});
    failing.fail_call(n);
    static_cast<void>(driver.apply(kStart));
    failing.fail_call(0);
    EXPECT_EQ(apply(driver), Lines{}) << n;
    EXPECT_EQ(rules("-4"), (Lines{"99: from all lookup 1 proto 80"})) << n;
  }
}

TEST(PolicyRule, SaysWhatItIs) {
  const PolicyRule rule{.priority = 99, .table = RouteTableId(1), .mark = 0x1a, .mask = 0xff, .is_inverted = true};
  EXPECT_EQ(rule.to_string(), "rule 99: not mark 0x1a/0xff table 1 (IPv4)");
}

}  // namespace
}  // namespace margay::link
