#include "dataplane/link/interface_table.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>
#include <functional>

namespace margay::link {
namespace {

using Names = std::set<std::string>;

class InterfaceTableTest : public testing::Test {
 protected:
  using Fill = std::function<void(netlink::Request&)>;

  Names note(const netlink::Batch& batch) {
    const std::string_view bytes = batch.request(0);
    nlmsghdr head{};
    std::memcpy(&head, bytes.data(), sizeof(head));
    Names changed;
    table_.note({head.nlmsg_type, head.nlmsg_flags, bytes::view_of(bytes.substr(sizeof(head)))}, changed);
    return changed;
  }

  Names link(
      std::uint16_t type, int index, std::string_view name, unsigned flags = 0, int family = AF_UNSPEC,
      const Fill& fill = [](netlink::Request&) {}) {
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(type, 0);
      ifinfomsg head{};
      head.ifi_family = static_cast<std::uint8_t>(family);
      head.ifi_index = index;
      head.ifi_flags = flags;
      request.header(head);
      if (!name.empty()) request.text(IFLA_IFNAME, name);
      fill(request);
    }
    return note(batch);
  }
  Names add(int index, std::string_view name, unsigned flags = 0) { return link(RTM_NEWLINK, index, name, flags); }
  Names remove(int index, std::string_view name) { return link(RTM_DELLINK, index, name); }

  Names address(std::uint16_t type, std::uint32_t index, std::string_view text, std::uint32_t flags = 0) {
    const InterfaceAddress value = InterfaceAddress::parse(text).value();
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(type, 0);
      ifaddrmsg head{};
      head.ifa_index = index;
      head.ifa_family = value.address.is_v4() ? AF_INET : AF_INET6;
      head.ifa_prefixlen = static_cast<std::uint8_t>(value.length);
      request.header(head);
      request.address(IFA_ADDRESS, value.address);
      request.u32(IFA_FLAGS, flags);
    }
    return note(batch);
  }

  InterfaceTable table_;
};

TEST_F(InterfaceTableTest, WhatIsToldIsKnown) {
  const Names changed = link(RTM_NEWLINK, 5, "eth0", IFF_UP | IFF_LOWER_UP, AF_UNSPEC, [](netlink::Request& request) {
    request.u32(IFLA_MTU, 1450);
    request.bytes(IFLA_ADDRESS, Mac::parse("02:00:00:00:00:07")->bytes());
    request.u32(IFLA_MASTER, 9);
    const std::size_t info = request.begin_nest(IFLA_LINKINFO);
    request.text(IFLA_INFO_KIND, "veth");
    request.end_nest(info);
  });
  EXPECT_EQ(changed, Names{"eth0"});
  const Interface* found = table_.find("eth0");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found, table_.find(IfIndex(5)));
  EXPECT_TRUE(found->is_up && found->is_running && !found->is_loopback);
  EXPECT_EQ(found->mtu, 1450U);
  EXPECT_EQ(found->mac->to_string(), "02:00:00:00:00:07");
  EXPECT_EQ(found->kind, "veth");
  EXPECT_EQ(found->master, IfIndex(9));
}

TEST_F(InterfaceTableTest, SayingTheSameAgainIsNoChange) {
  EXPECT_EQ(add(5, "eth0", IFF_UP), Names{"eth0"});
  EXPECT_EQ(add(5, "eth0", IFF_UP), Names{});
  EXPECT_EQ(address(RTM_NEWADDR, 5, "10.0.0.1/24"), Names{"eth0"});
  EXPECT_EQ(address(RTM_NEWADDR, 5, "10.0.0.1/24"), Names{});
  EXPECT_EQ(address(RTM_DELADDR, 5, "10.0.0.9/24"), Names{});
}

TEST_F(InterfaceTableTest, ARenameChangesTwoNames) {
  add(5, "eth0");
  address(RTM_NEWADDR, 5, "10.0.0.1/24");
  EXPECT_EQ(add(5, "cali1"), (Names{"eth0", "cali1"}));
  EXPECT_EQ(table_.find("eth0"), nullptr);
  ASSERT_NE(table_.find("cali1"), nullptr);
  EXPECT_EQ(table_.find("cali1")->addresses.size(), 1U) << "it keeps its addresses";
}

TEST_F(InterfaceTableTest, TwoThatChangeTheirNamesAreBothKnown) {
  add(5, "a");
  add(6, "b");
  add(5, "t");
  add(6, "a");
  add(5, "b");
  EXPECT_EQ(table_.find("a")->index, IfIndex(6));
  EXPECT_EQ(table_.find("b")->index, IfIndex(5));
  EXPECT_EQ(table_.interfaces().size(), 2U);
}

TEST_F(InterfaceTableTest, OneThatIsMadeAgainHasAnotherIndexAndNothingOfTheOld) {
  add(5, "cali1");
  address(RTM_NEWADDR, 5, "10.0.0.1/24");
  EXPECT_EQ(remove(5, "cali1"), Names{"cali1"});
  EXPECT_EQ(add(8, "cali1"), Names{"cali1"});
  EXPECT_EQ(table_.find("cali1")->index, IfIndex(8));
  EXPECT_TRUE(table_.find("cali1")->addresses.empty());
  EXPECT_EQ(table_.find(IfIndex(5)), nullptr);
  EXPECT_EQ(remove(5, "cali1"), Names{}) << "late news of the old one";
  EXPECT_NE(table_.find("cali1"), nullptr);
}

TEST_F(InterfaceTableTest, ANameThatIsTakenOverWithoutNewsOfTheOldOneIsTheNewOnes) {
  add(5, "cali1");
  EXPECT_EQ(add(8, "cali1"), Names{"cali1"});
  EXPECT_EQ(table_.find(IfIndex(5)), nullptr);
  EXPECT_EQ(table_.find("cali1")->index, IfIndex(8));
}

TEST_F(InterfaceTableTest, APortThatLeavesABridgeHasNotGone) {
  add(5, "veth1");
  EXPECT_EQ(link(RTM_DELLINK, 5, "veth1", 0, AF_BRIDGE), Names{});
  EXPECT_NE(table_.find("veth1"), nullptr);
  link(RTM_NEWLINK, 5, "veth1", 0, AF_UNSPEC, [](netlink::Request& request) { request.u32(IFLA_MASTER, 9); });
  EXPECT_EQ(table_.find("veth1")->master, IfIndex(9));
  EXPECT_EQ(add(5, "veth1"), Names{"veth1"});
  EXPECT_EQ(table_.find("veth1")->master, IfIndex());
}

TEST_F(InterfaceTableTest, AnAddressThatIsADuplicateIsNone) {
  add(5, "eth0");
  EXPECT_EQ(address(RTM_NEWADDR, 5, "2001:db8::1/64", IFA_F_TENTATIVE), Names{"eth0"});
  EXPECT_EQ(address(RTM_NEWADDR, 5, "2001:db8::1/64", IFA_F_DADFAILED), Names{"eth0"});
  EXPECT_TRUE(table_.find("eth0")->addresses.empty());
}

TEST_F(InterfaceTableTest, WhatMakesNoSenseIsPassedOver) {
  EXPECT_EQ(add(5, ""), Names{});
  EXPECT_EQ(address(RTM_NEWADDR, 77, "10.0.0.1/24"), Names{});
  netlink::Batch batch;
  { const netlink::Request request = batch.add(RTM_NEWLINK, 0); }  // no header
  EXPECT_EQ(note(batch), Names{});
  batch.clear();
  { const netlink::Request request = batch.add(RTM_NEWADDR, 0); }
  EXPECT_EQ(note(batch), Names{});
  EXPECT_TRUE(table_.interfaces().empty());
}

TEST_F(InterfaceTableTest, TheDifferenceNamesAllThatIsNotTheSame) {
  InterfaceTable before = table_;
  add(5, "a");
  add(6, "b");
  before = table_;
  add(6, "b", IFF_UP);
  remove(5, "a");
  add(7, "c");
  EXPECT_EQ(before.difference(table_), (Names{"a", "b", "c"}));
  EXPECT_EQ(table_.difference(before), (Names{"a", "b", "c"}));
  EXPECT_EQ(table_.difference(table_), Names{});
}

}  // namespace
}  // namespace margay::link
