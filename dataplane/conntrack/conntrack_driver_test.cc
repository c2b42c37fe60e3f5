// Against the real kernel, in a network namespace of the test's own; conntrack(8) makes the entries and lists them.
#include "dataplane/conntrack/conntrack_driver.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <optional>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "dataplane/netlink/failing_netlink.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::conntrack {
namespace {

constexpr TimePoint kStart{};
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

class ConntrackDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    kernel_ = netlink::open_netlink(NETLINK_NETFILTER).value();
    failing_.emplace(*kernel_);
    driver_.emplace(*failing_);
    if (count("ipv4") != 0) GTEST_SKIP() << "conntrack(8) cannot be run, or this kernel keeps no connections";
  }

  // A connection; `reply_from` where the destination was rewritten.
  static void connect(const std::string& from, const std::string& to, const std::string& port,
                      const std::string& reply_from = "") {
    const std::string said = netlink::tool_output({"conntrack",
                                                   "-I",
                                                   "-p",
                                                   "udp",
                                                   "-t",
                                                   "600",
                                                   "-s",
                                                   from,
                                                   "-d",
                                                   to,
                                                   "--sport",
                                                   port,
                                                   "--dport",
                                                   "53",
                                                   "-r",
                                                   reply_from.empty() ? to : reply_from,
                                                   "-q",
                                                   from,
                                                   "--reply-port-src",
                                                   "53",
                                                   "--reply-port-dst",
                                                   port});
    EXPECT_NE(said.find("1 flow entries have been created"), std::string::npos) << said;
  }
  // Entries of a family that conntrack(8) lists; -1 if it does not run.
  static int count(const std::string& family) {
    const std::string said = netlink::tool_output({"conntrack", "-L", "-f", family});
    if (said.find("flow entries have been shown") == std::string::npos) return -1;
    int lines = 0;
    for (const std::string_view line : split(said, '\n')) lines += line.find("src=") != std::string_view::npos ? 1 : 0;
    return lines;
  }

  std::optional<netlink::ScratchNamespace> space_;
  std::unique_ptr<netlink::Netlink> kernel_;
  std::optional<netlink::FailingNetlink> failing_;
  std::optional<ConntrackDriver> driver_;
};

TEST_F(ConntrackDriverTest, EntriesGoWhereverTheAddressStands) {
  struct Case {
    const char* why;
    const char* address;
  };
  const Case cases[] = {{"source", "10.0.0.1"},
                        {"destination", "10.0.0.2"},
                        {"source of replies: the destination after NAT", "10.0.0.3"}};
  for (const Case& one : cases) {
    connect("10.0.0.1", "10.0.0.2", "1000", "10.0.0.3");
    connect("10.0.0.8", "10.0.0.9", "1000");
    driver_->flush(ip(one.address));
    const auto report = driver_->apply(kStart);
    EXPECT_TRUE(report.is_in_sync()) << one.why;
    EXPECT_EQ(report.removed, 1U) << one.why;
    EXPECT_EQ(count("ipv4"), 1) << one.why;
    driver_->flush(ip("10.0.0.8"));
    EXPECT_EQ(driver_->apply(kStart).removed, 1U);
  }
}

TEST_F(ConntrackDriverTest, ManyAddressesCostOneWalkAFamily) {
  for (int i = 1; i <= 20; ++i) connect(concat("10.0.0.", i), "192.0.2.1", "1000");
  connect("2001:db8::1", "2001:db8::2", "1000");
  connect("2001:db8::3", "2001:db8::4", "1000");
  for (int i = 1; i <= 15; ++i) driver_->flush(ip(concat("10.0.0.", i)));
  driver_->flush(ip("2001:db8::4"));
  EXPECT_EQ(driver_->apply(kStart).removed, 16U);
  EXPECT_EQ(failing_->dumps(), 2);
  EXPECT_EQ(count("ipv4"), 5);
  EXPECT_EQ(count("ipv6"), 1);
  EXPECT_TRUE(driver_->apply(kStart).is_in_sync());
  EXPECT_EQ(failing_->dumps(), 2) << "nothing to do costs nothing";
}

TEST_F(ConntrackDriverTest, AnAddressWithoutConnectionsIsDone) {
  connect("10.0.0.1", "10.0.0.2", "1000");
  driver_->flush(ip("10.0.0.7"));
  EXPECT_TRUE(driver_->apply(kStart).is_in_sync());
  EXPECT_TRUE(driver_->due().empty());
  EXPECT_EQ(count("ipv4"), 1);
}

TEST_F(ConntrackDriverTest, WhatFailedIsTriedAgain) {
  for (int n = 1; n <= 2; ++n) {
    connect("10.0.0.1", "10.0.0.2", "1000");
    driver_->flush(ip("10.0.0.1"));
    failing_->fail_call(n);
    const auto report = driver_->apply(kStart);
    EXPECT_EQ(report.failed, 1U);
    ASSERT_TRUE(report.try_again_at);
    EXPECT_GT(*report.try_again_at, kStart);
    EXPECT_EQ(driver_->due().size(), 1U);
    EXPECT_EQ(driver_->apply(kStart).removed, 1U);
    EXPECT_EQ(count("ipv4"), 0);
  }
}

}  // namespace
}  // namespace margay::conntrack
