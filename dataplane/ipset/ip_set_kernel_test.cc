// Against the real kernel, in a network namespace of the test's own; what it has is asked of ipset(8).
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/core/text.h"
#include "dataplane/ipset/ip_set_driver.h"
#include "dataplane/ipset/test_sets.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "dataplane/netlink/tool_output.h"

namespace margay::ipset {
namespace {

using netlink::tool_output;
using test::hosts;
using test::kIp4;
using test::kNet4;
using test::kNet6;
using test::kStart;
using test::net;

constexpr SetSpec kIp6{SetType::kHashIp, IpFamily::kV6};
constexpr SetSpec kIpPort4{SetType::kHashIpPort, IpFamily::kV4};
constexpr SetSpec kNetPort4{SetType::kHashNetPort, IpFamily::kV4};
constexpr SetSpec kNetPort6{SetType::kHashNetPort, IpFamily::kV6};

class IpSetKernelTest : public testing::Test {
 protected:
  void SetUp() override {
    auto entered = netlink::ScratchNamespace::enter();
    if (!entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    space_.emplace(std::move(entered).value());
    auto opened = netlink::open_netlink(NETLINK_NETFILTER);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    kernel_ = std::move(opened).value();
    IpSetMessages probe;
    const Status negotiated = probe.negotiate(*kernel_);
    if (!negotiated.ok()) GTEST_SKIP() << negotiated.error().message;
    driver_.emplace(*kernel_, IpSetDriverConfig{.prefixes = {"m4-", "m6-"}});
  }

  void must_apply() {
    const auto report = driver_->apply(kStart);
    for (const auto& failure : report.failures) ADD_FAILURE() << failure.object << ": " << failure.error.message;
    EXPECT_TRUE(report.is_in_sync());
  }

  // The members as ipset(8) saves them, "m4-a 10.0.0.0/8", sorted.
  static std::vector<std::string> members() {
    std::vector<std::string> out;
    const std::string saved = tool_output("ipset save");
    for (const std::string_view line : split(saved, '\n')) {
      if (line.starts_with("add "))
        out.emplace_back(trim(line.substr(4)));
      else if (!line.empty() && !line.starts_with("create "))
        ADD_FAILURE() << line;
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  static std::size_t sets() {
    const std::string names = tool_output("ipset list -n");
    return static_cast<std::size_t>(std::count(names.begin(), names.end(), '\n'));
  }
  // As a driver of a new life sees it.
  std::size_t written_by_a_restart(const std::string& name, const SetSpec& spec, const std::vector<Member>& wanted) {
    IpSetDriver next(*kernel_, IpSetDriverConfig{.prefixes = {"m4-", "m6-"}});
    next.allow_removal();
    next.replace(name, spec, wanted);
    const auto report = next.apply(kStart);
    return report.updated + report.removed + report.failed;
  }

  std::optional<netlink::ScratchNamespace> space_;
  std::unique_ptr<netlink::Netlink> kernel_;
  std::optional<IpSetDriver> driver_;
};

using Lines = std::vector<std::string>;

TEST_F(IpSetKernelTest, EveryTypeReadsBackAsItWasWritten) {
  struct Case {
    const char* why;
    std::string name;
    SetSpec spec;
    std::vector<Member> members;
    Lines lines;
  };
  const Case cases[] = {
      {"networks and hosts", "m4-net", kNet4, {net("10.0.0.0/8"), net("192.0.2.7")}, {"10.0.0.0/8", "192.0.2.7"}},
      {"all of IPv4", "m4-all", kNet4, {net("0.0.0.0/0")}, {"0.0.0.0/1", "128.0.0.0/1"}},
      {"networks of IPv6", "m6-net", kNet6, {net("2001:db8::/32"), net("::1")}, {"2001:db8::/32", "::1"}},
      {"all of IPv6", "m6-all", kNet6, {net("::/0")}, {"8000::/1", "::/1"}},
      {"hosts", "m4-ip", kIp4, {net("192.0.2.7"), net("192.0.2.8")}, {"192.0.2.7", "192.0.2.8"}},
      {"hosts of IPv6", "m6-ip", kIp6, {net("2001:db8::7")}, {"2001:db8::7"}},
      {"ports of TCP, UDP and SCTP",
       "m4-ipport",
       kIpPort4,
       {net("192.0.2.7", 6, 80), net("192.0.2.7", 17, 53), net("192.0.2.7", 132, 9)},
       {"192.0.2.7,sctp:9", "192.0.2.7,tcp:80", "192.0.2.7,udp:53"}},
      {"ports of networks",
       "m4-netport",
       kNetPort4,
       {net("0.0.0.0/0", 6, 80)},
       {"0.0.0.0/1,tcp:80", "128.0.0.0/1,tcp:80"}},
      {"of IPv6", "m6-netport", kNetPort6, {net("2001:db8::/64", 17, 53)}, {"2001:db8::/64,udp:53"}},
      {"nothing", "m4-empty", kNet4, {}, {}},
  };
  Lines expected;
  for (const Case& one : cases) {
    driver_->replace(one.name, one.spec, one.members);
    for (const std::string& line : one.lines) expected.push_back(concat(one.name, " ", line));
  }
  must_apply();
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(members(), expected);
  EXPECT_EQ(sets(), std::size(cases));
  IpSetDriver next(*kernel_, IpSetDriverConfig{.prefixes = {"m4-", "m6-"}});
  next.allow_removal();
  for (const Case& one : cases) next.replace(one.name, one.spec, one.members);
  const auto report = next.apply(kStart);
  EXPECT_EQ(report.updated + report.removed + report.failed, 0U) << "the kernel has what is wanted";
}

TEST_F(IpSetKernelTest, ManyMembersAndTheirChanges) {
  driver_->replace("m4-a", kNet4, hosts(20000));
  must_apply();
  EXPECT_EQ(members().size(), 20000U);
  driver_->update("m4-a", hosts(1000, 50000), hosts(1000));
  must_apply();
  const Lines after = members();
  EXPECT_EQ(after.size(), 20000U);
  EXPECT_FALSE(std::binary_search(after.begin(), after.end(), "m4-a 10.0.0.0"));
  EXPECT_TRUE(std::binary_search(after.begin(), after.end(), "m4-a 10.0.195.80"));
  std::vector<Member> wanted = hosts(19000, 1000);
  for (const Member& member : hosts(1000, 50000)) wanted.push_back(member);
  EXPECT_EQ(written_by_a_restart("m4-a", kNet4, wanted), 0U);
}

TEST_F(IpSetKernelTest, AWholeSetIsSwappedWhileARuleRefersToIt) {
  driver_->allow_removal();
  driver_->replace("m4-a", kNet4, hosts(2000));
  must_apply();
  EXPECT_EQ(tool_output("ipset create keeper list:set\nipset add keeper m4-a"), "");
  driver_->replace("m4-a", kNet4, hosts(2000, 100000));
  must_apply();
  EXPECT_EQ(sets(), 2U);
  EXPECT_EQ(members().size(), 2001U);
  EXPECT_EQ(written_by_a_restart("m4-a", kNet4, hosts(2000, 100000)), 0U);
}

TEST_F(IpSetKernelTest, ASetThatIsReferredToGoesLater) {
  driver_->allow_removal();
  driver_->replace("m4-a", kNet4, hosts(2));
  must_apply();
  EXPECT_EQ(tool_output("ipset create keeper list:set\nipset add keeper m4-a"), "");
  driver_->remove("m4-a");
  const auto report = driver_->apply(kStart);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_EQ(driver_->failures().at("m4-a").code, ErrorCode::kUnavailable) << driver_->failures().at("m4-a").message;
  EXPECT_EQ(tool_output("ipset del keeper m4-a"), "");
  must_apply();
  EXPECT_EQ(sets(), 1U);
}

TEST_F(IpSetKernelTest, AnotherTypeTakesThePlace) {
  driver_->replace("m4-a", kNet4, {net("192.0.2.7")});
  must_apply();
  EXPECT_EQ(tool_output("ipset create keeper list:set\nipset add keeper m4-a"), "");
  driver_->replace("m4-a", kIpPort4, {net("192.0.2.7", 6, 80)});
  EXPECT_EQ(driver_->apply(kStart).failed, 1U);
  EXPECT_EQ(members(), (Lines{"keeper m4-a", "m4-a 192.0.2.7"}));
  EXPECT_EQ(tool_output("ipset destroy keeper"), "");
  must_apply();
  EXPECT_EQ(members(), (Lines{"m4-a 192.0.2.7,tcp:80"}));
}

TEST_F(IpSetKernelTest, WhatOthersDidIsPutRight) {
  driver_->allow_removal();
  driver_->replace("m4-a", kNet4, {net("10.0.0.0/8"), net("192.0.2.0/24")});
  driver_->replace("m4-b", kNet4, {net("10.0.0.0/8")});
  driver_->replace("m4-c", kNet4, {net("10.0.0.0/8")});
  must_apply();
  EXPECT_EQ(tool_output("ipset add m4-a 203.0.113.0/24\nipset del m4-a 10.0.0.0/8"), "");
  EXPECT_EQ(tool_output("ipset -exist add m4-a 192.0.2.0/24 nomatch"), "");
  EXPECT_EQ(tool_output("ipset destroy m4-b\nipset create m4-d hash:net\nipset create theirs hash:net"), "");
  EXPECT_EQ(tool_output("ipset destroy m4-c\nipset create m4-c hash:net timeout 600\nipset add m4-c 10.0.0.0/8"), "");
  driver_->queue_resync();
  must_apply();
  EXPECT_EQ(members(), (Lines{"m4-a 10.0.0.0/8", "m4-a 192.0.2.0/24", "m4-b 10.0.0.0/8", "m4-c 10.0.0.0/8"}));
  EXPECT_EQ(sets(), 4U);
}

TEST_F(IpSetKernelTest, ASetOutgrowsItsRoom) {
  driver_.emplace(*kernel_, IpSetDriverConfig{.prefixes = {"m4-"}, .member_max = 100});
  driver_->replace("m4-a", kNet4, hosts(100));
  must_apply();
  driver_->update("m4-a", hosts(100, 100), {});
  must_apply();
  EXPECT_EQ(members().size(), 200U);
  EXPECT_NE(tool_output("ipset list -t m4-a").find("maxelem 256"), std::string::npos)
      << tool_output("ipset list -t m4-a");
}

TEST_F(IpSetKernelTest, TheMemberTheKernelRefusesIsNamed) {
  std::vector<Member> wanted = hosts(3000);
  wanted.push_back(net("0.0.0.0"));  // hash:ip cannot have it
  driver_->replace("m4-a", kIp4, wanted);
  EXPECT_EQ(driver_->apply(kStart).failed, 1U);
  EXPECT_NE(driver_->failures().at("m4-a").message.find("0.0.0.0/32"), std::string::npos)
      << driver_->failures().at("m4-a").message;
  EXPECT_EQ(members().size(), 3000U);
}

TEST_F(IpSetKernelTest, ThousandSetsComeAndGo) {
  driver_->allow_removal();
  for (int i = 0; i < 1000; ++i) driver_->replace(concat("m4-", i), kNet4, hosts(3, static_cast<std::uint32_t>(i)));
  must_apply();
  EXPECT_EQ(members().size(), 3000U);
  EXPECT_EQ(sets(), 1000U);
  for (int i = 0; i < 1000; ++i) driver_->remove(concat("m4-", i));
  for (int turn = 0; turn < 100 && !driver_->apply(kStart).is_in_sync(); ++turn) {
  }
  EXPECT_EQ(sets(), 0U);
}

TEST_F(IpSetKernelTest, AMillionMembers) {
  driver_->allow_removal();
  driver_->replace("m4-a", kNet4, hosts(1'100'000));
  must_apply();
  EXPECT_NE(tool_output("ipset list -t m4-a").find("Number of entries: 1100000"), std::string::npos);
  driver_->queue_resync();
  EXPECT_EQ(driver_->apply(kStart).updated, 0U);
}

}  // namespace
}  // namespace margay::ipset
