// Against the real kernel, in a network namespace of the test's own with two bridges.
#include "dataplane/link/neighbour_driver.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "base/loop/asio_loop.h"
#include "dataplane/link/link_bed.h"
#include "dataplane/netlink/failing_netlink.h"

namespace margay::link {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
Mac mac(std::string_view text) { return Mac::parse(text).value(); }

class NeighbourDriverTest : public testing::Test, protected LinkBed {
 protected:
  void SetUp() override {
    if (const Status entered = enter(); !entered.ok()) GTEST_SKIP() << "needs root: " << entered.error().message;
    EXPECT_EQ(run("ip link add one type bridge\nip link set one up\nip link add two type bridge\nip link set two up"),
              "");
    one_ = index_of("one");
    two_ = index_of("two");
    driver_.emplace(kernel());
  }
  IfIndex one_, two_;
  std::optional<NeighbourDriver> driver_;
};

TEST_F(NeighbourDriverTest, NeighboursOfBothFamiliesAreSetChangedAndRemoved) {
  driver_->allow_removal();
  driver_->own(one_, NeighbourKind::kNeighbour);
  driver_->set_neighbour(one_, ip("10.1.0.5"), mac("02:00:00:00:00:05"));
  driver_->set_neighbour(one_, ip("2001:db8::5"), mac("02:00:00:00:00:05"));
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(lines("ip neigh show nud permanent"), (Lines{"10.1.0.5 dev one lladdr 02:00:00:00:00:05 PERMANENT",
                                                         "2001:db8::5 dev one lladdr 02:00:00:00:00:05 PERMANENT"}));
  driver_->queue_resync();
  EXPECT_EQ(changes(*driver_), 0U);
  driver_->set_neighbour(one_, ip("10.1.0.5"), mac("02:00:00:00:00:06"));
  driver_->remove({NeighbourKind::kNeighbour, one_, ip("2001:db8::5"), {}});
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(lines("ip neigh show nud permanent"), (Lines{"10.1.0.5 dev one lladdr 02:00:00:00:00:06 PERMANENT"}));
}

TEST_F(NeighbourDriverTest, OnlyPermanentOnesOfOurInterfacesAreRemovedAndOnlyWhenAllowed) {
  EXPECT_EQ(run("ip neigh add 10.1.0.7 lladdr 02:00:00:00:00:07 dev one nud permanent\n"
                "ip neigh add 10.1.0.8 lladdr 02:00:00:00:00:08 dev one nud reachable\n"
                "ip neigh add 10.2.0.7 lladdr 02:00:00:00:00:07 dev two nud permanent"),
            "");
  driver_->own(one_, NeighbourKind::kNeighbour);
  EXPECT_EQ(changes(*driver_), 0U);
  driver_->allow_removal();
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(lines("ip neigh show nud permanent"), (Lines{"10.2.0.7 dev two lladdr 02:00:00:00:00:07 PERMANENT"}));
  EXPECT_EQ(lines("ip neigh show 10.1.0.8").size(), 1U);
}

TEST_F(NeighbourDriverTest, ProxiesAreSetAndRemoved) {
  driver_->allow_removal();
  driver_->own(one_, NeighbourKind::kProxy);
  driver_->set_proxy(one_, ip("2001:db8::1"));
  driver_->set_proxy(one_, ip("169.254.1.1"));
  EXPECT_EQ(apply(*driver_), Lines{});
  Lines shown = lines("ip neigh show proxy");
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_TRUE(shown[0].starts_with("169.254.1.1 dev one"));
  EXPECT_TRUE(shown[1].starts_with("2001:db8::1 dev one"));
  driver_->queue_resync();
  EXPECT_EQ(changes(*driver_), 0U);
  EXPECT_EQ(run("ip neigh add proxy 2001:db8::9 dev one\nip neigh add proxy 2001:db8::9 dev two"), "");
  driver_->remove({NeighbourKind::kProxy, one_, ip("169.254.1.1"), {}});
  driver_->queue_resync();
  EXPECT_EQ(apply(*driver_), Lines{});
  shown = lines("ip neigh show proxy");
  ASSERT_EQ(shown.size(), 2U);
  EXPECT_TRUE(shown[0].starts_with("2001:db8::1 dev one"));
  EXPECT_TRUE(shown[1].starts_with("2001:db8::9 dev two"));
}

TEST_F(NeighbourDriverTest, ForwardingEntriesOfAVxlanDevice) {
  const std::string made =
      netlink::tool_output("ip link add vx type vxlan id 4096 dstport 4789 nolearning local 127.0.0.1");
  if (!made.empty()) GTEST_SKIP() << "this kernel has no VXLAN: " << made;
  EXPECT_EQ(run("ip link set vx up"), "");
  const IfIndex vxlan = index_of("vx");
  driver_->allow_removal();
  driver_->own(vxlan, NeighbourKind::kForwarding);
  driver_->own(vxlan, NeighbourKind::kNeighbour);
  driver_->set_forwarding(vxlan, mac("02:00:00:00:00:0a"), ip("192.0.2.10"));
  driver_->set_forwarding(vxlan, mac("02:00:00:00:00:0b"), ip("192.0.2.11"));
  driver_->set_neighbour(vxlan, ip("10.9.0.1"), mac("02:00:00:00:00:0a"));
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(lines("bridge fdb show dev vx"), (Lines{"02:00:00:00:00:0a dst 192.0.2.10 self permanent",
                                                    "02:00:00:00:00:0b dst 192.0.2.11 self permanent"}));
  driver_->queue_resync();
  EXPECT_EQ(changes(*driver_), 0U);
  driver_->set_forwarding(vxlan, mac("02:00:00:00:00:0a"), ip("192.0.2.12"));
  driver_->remove({NeighbourKind::kForwarding, vxlan, {}, mac("02:00:00:00:00:0b")});
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(lines("bridge fdb show dev vx"), (Lines{"02:00:00:00:00:0a dst 192.0.2.12 self permanent"}));
}

TEST_F(NeighbourDriverTest, AnInterfaceThatHasGoneIsGivenUpWithoutAWord) {
  driver_->allow_removal();
  driver_->own(one_, NeighbourKind::kNeighbour);
  driver_->set_neighbour(one_, ip("10.1.0.5"), mac("02:00:00:00:00:05"));
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(run("ip link del one"), "");
  driver_->set_neighbour(one_, ip("10.1.0.6"), mac("02:00:00:00:00:06"));
  EXPECT_EQ(driver_->apply(kStart).failed, 1U);
  driver_->disown(one_);
  EXPECT_EQ(apply(*driver_), Lines{});
  EXPECT_EQ(driver_->desired_count() + driver_->actual_count(), 0U);
}

TEST_F(NeighbourDriverTest, WhatOthersChangeIsHeardAndPutRight) {
  loop::AsioLoop loop;
  bool is_due = false;
  driver_->allow_removal();
  driver_->own(one_, NeighbourKind::kNeighbour);
  driver_->set_neighbour(one_, ip("10.1.0.5"), mac("02:00:00:00:00:05"));
  EXPECT_EQ(apply(*driver_), Lines{});
  auto monitor =
      netlink::open_monitor(loop, NETLINK_ROUTE, {RTNLGRP_NEIGH},
                            {[&](const netlink::MessageView& message) { is_due |= driver_->note_event(message); },
                             [] { ADD_FAILURE() << "nothing was lost"; }},
                            kernel().port());
  ASSERT_TRUE(monitor.ok());
  const char* edits[] = {"ip neigh del 10.1.0.5 dev one",
                         "ip neigh change 10.1.0.5 dev one lladdr 02:00:00:00:00:99 nud permanent",
                         "ip neigh change 10.1.0.5 dev one lladdr 02:00:00:00:00:05 nud reachable",
                         "ip neigh add 10.1.0.77 dev one lladdr 02:00:00:00:00:05 nud permanent",
                         "ip link set one down\nip link set one up"};
  for (const char* edit : edits) {
    is_due = false;
    EXPECT_EQ(run(edit), "");
    EXPECT_TRUE(loop.run_until([&] { return is_due; }, std::chrono::seconds(10))) << edit;
    EXPECT_EQ(apply(*driver_), Lines{});
    EXPECT_EQ(lines("ip neigh show nud permanent"), (Lines{"10.1.0.5 dev one lladdr 02:00:00:00:00:05 PERMANENT"}))
        << edit;
  }
}

TEST_F(NeighbourDriverTest, AFailedCallAnywhereIsMadeGoodByTheNextApply) {
  netlink::FailingNetlink failing(kernel());
  for (int n = 1; n <= 8; ++n) {
    EXPECT_EQ(run("ip neigh replace 10.1.0.7 lladdr 02:00:00:00:00:07 dev one nud permanent"), "") << n;
    NeighbourDriver driver(failing);
    driver.allow_removal();
    driver.own(one_, NeighbourKind::kNeighbour);
    driver.own(one_, NeighbourKind::kProxy);
    driver.set_neighbour(one_, ip("10.1.0.5"), mac("02:00:00:00:00:05"));
    driver.set_proxy(one_, ip("2001:db8::1"));
    failing.fail_call(n);
    static_cast<void>(driver.apply(kStart));
    failing.fail_call(0);
    EXPECT_EQ(apply(driver), Lines{}) << n;
    EXPECT_EQ(lines("ip neigh show nud permanent"), (Lines{"10.1.0.5 dev one lladdr 02:00:00:00:00:05 PERMANENT"}))
        << n;
    EXPECT_EQ(lines("ip neigh show proxy").size(), 1U) << n;
  }
}

}  // namespace
}  // namespace margay::link
