// Against the real kernel, in a network namespace of the test's own.
#include "dataplane/link/link_driver.h"

#include <gtest/gtest.h>
#include "dataplane/link/link_bed.h"
#include "dataplane/netlink/failing_netlink.h"

namespace margay::link {
namespace {

InterfaceAddress at(std::string_view text) { return InterfaceAddress::parse(text).value(); }

class LinkDriverTest : public testing::Test, protected LinkBed {
 protected:
  void SetUp() override {
    if (const Status entered = enter(); !entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
  }
  // "10.1.0.1/24", of one interface; without IPv6's own.
  static Lines addresses(const std::string& name) {
    Lines out;
    for (const std::string& line : lines("ip -o addr show dev " + name)) {
      const auto found = line.find("inet");
      if (found == std::string::npos) continue;
      const auto parts = split(std::string_view(line).substr(found), ' ');
      if (!parts[1].starts_with("fe80:")) out.emplace_back(parts[1]);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
};

TEST_F(LinkDriverTest, AnInterfaceOfOursIsUpWithItsMtuAndAddresses) {
  EXPECT_EQ(run("ip link add one type bridge"), "");
  LinkDriver driver(kernel());
  driver.set_link("one", {1400, {at("10.1.0.1/32"), at("2001:db8::1/128")}});
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.1/32", "2001:db8::1/128"}));
  const std::string shown = lines("ip -o link show one")[0];
  EXPECT_NE(shown.find("mtu 1400"), std::string::npos) << shown;
  EXPECT_NE(shown.find(",UP"), std::string::npos) << shown;
  driver.queue_resync();
  driver.allow_removal();
  EXPECT_EQ(changes(driver), 0U);
  LinkDriver next(kernel());
  next.allow_removal();
  next.set_link("one", {1400, {at("10.1.0.1/32"), at("2001:db8::1/128")}});
  EXPECT_EQ(changes(next), 0U) << "after a restart";
}

TEST_F(LinkDriverTest, AddressesThatAreTooManyGoOnceThatIsAllowed) {
  EXPECT_EQ(run("ip link add one type bridge\nip addr add 10.1.0.9/24 dev one\nip addr add 10.1.0.10/24 dev one"), "");
  LinkDriver driver(kernel());
  // Without promotion of secondary addresses the kernel takes the second along with the first.
  driver.set_link("one", {std::nullopt, {at("10.1.0.10/24")}});
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.10/24", "10.1.0.9/24"}));
  driver.allow_removal();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.10/24"}));
}

TEST_F(LinkDriverTest, WhatOthersChangedIsPutRight) {
  EXPECT_EQ(run("ip link add one type bridge"), "");
  LinkDriver driver(kernel());
  driver.allow_removal();
  driver.set_link("one", {1400, {at("10.1.0.1/32")}});
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(run("ip addr del 10.1.0.1/32 dev one\nip addr add 10.2.0.1/32 dev one\nip link set one mtu 1300 down"), "");
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.1/32"}));
  EXPECT_NE(lines("ip -o link show one")[0].find("mtu 1400"), std::string::npos);
}

TEST_F(LinkDriverTest, AnInterfaceThatIsNotThereIsWaitedFor) {
  LinkDriver driver(kernel());
  driver.set_link("one", {std::nullopt, {at("10.1.0.1/32")}});
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(driver.missing(), std::set<std::string>{"one"});
  EXPECT_EQ(run("ip link add one type bridge"), "");
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.1/32"}));
  EXPECT_EQ(run("ip link del one\nip link add one type bridge"), "");
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.1/32"})) << "made again under its name";
}

TEST_F(LinkDriverTest, OneThatIsGivenUpLosesItsAddressesAndOthersAreNotTouched) {
  EXPECT_EQ(run("ip link add one type bridge\nip link add two type bridge\nip addr add 10.2.0.1/24 dev two"), "");
  LinkDriver driver(kernel());
  driver.allow_removal();
  driver.set_link("one", {std::nullopt, {at("10.1.0.1/32")}});
  EXPECT_EQ(apply(driver), Lines{});
  driver.remove_link("one");
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), Lines{});
  EXPECT_EQ(addresses("two"), (Lines{"10.2.0.1/24"}));
  EXPECT_EQ(run("ip addr add 10.3.0.1/24 dev one"), "");
  driver.queue_resync();
  EXPECT_EQ(apply(driver), Lines{});
  EXPECT_EQ(addresses("one"), (Lines{"10.3.0.1/24"})) << "it is not ours any more";
}

TEST_F(LinkDriverTest, AnMtuTheKernelRefusesIsAFailureThatIsTriedAgain) {
  EXPECT_EQ(run("ip link add one type bridge"), "");
  LinkDriver driver(kernel());
  driver.set_link("one", {100'000'000, {at("10.1.0.1/32")}});
  const auto report = driver.apply(kStart);
  EXPECT_EQ(report.failed, 1U);
  EXPECT_TRUE(report.try_again_at);
  EXPECT_EQ(addresses("one"), (Lines{"10.1.0.1/32"}));
}

TEST_F(LinkDriverTest, AFailedCallAnywhereIsMadeGoodByTheNextApply) {
  EXPECT_EQ(run("ip link add one type bridge\nip link add two type bridge"), "");
  netlink::FailingNetlink failing(kernel());
  for (int n = 1; n <= 12; ++n) {
    EXPECT_EQ(run("ip addr add 10.3.0.1/24 dev one\nip link set one down"), "") << n;
    LinkDriver driver(failing);
    driver.allow_removal();
    driver.set_link("two", {std::nullopt, {at("10.2.0.1/32")}});
    EXPECT_EQ(apply(driver), Lines{});
    driver.remove_link("two");
    driver.set_link("one", {1400, {at("10.1.0.1/32"), at("10.1.0.2/32")}});
    failing.fail_call(n);
    static_cast<void>(driver.apply(kStart));
    failing.fail_call(0);
    EXPECT_EQ(apply(driver), Lines{}) << n;
    EXPECT_EQ(addresses("one"), (Lines{"10.1.0.1/32", "10.1.0.2/32"})) << n;
    EXPECT_EQ(addresses("two"), Lines{}) << n;
  }
}

}  // namespace
}  // namespace margay::link
