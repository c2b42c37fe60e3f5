#include "dataplane/ipset/ip_set_message.h"

#include <gtest/gtest.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/core/random.h"
#include "dataplane/ipset/test_sets.h"

namespace margay::ipset {
namespace {

using test::hosts;
using test::kNet4;

constexpr SetSpec kPorts6{SetType::kHashNetPort, IpFamily::kV6};

netlink::MessageView first_of(const netlink::Batch& batch) {
  const std::string_view bytes = batch.request(0);
  nlmsghdr head{};
  std::memcpy(&head, bytes.data(), sizeof(head));
  return {head.nlmsg_type, head.nlmsg_flags, bytes::view_of(bytes.substr(sizeof(head)))};
}

// The members of a message, as they are read back.
std::vector<Member> members_of(const netlink::MessageView& message, const SetSpec& spec) {
  std::vector<Member> out;
  const auto nest = netlink::find_attribute(message.attributes<nfgenmsg>(), IPSET_ATTR_ADT);
  if (!nest) return out;
  netlink::for_each_attribute(nest->bytes(), [&](std::uint16_t, const netlink::Attribute& data) {
    if (const auto found = parse_member(spec, data.bytes())) out.push_back(found->member);
  });
  return out;
}

TEST(IpSetMessages, AMessageTakesAsManyMembersAsItHasRoomFor) {
  const std::vector<Member> all = hosts(5000);
  netlink::Batch batch;
  const std::size_t taken = IpSetMessages().add_members(batch, MemberChange::kAdd, "s", kNet4, all);
  EXPECT_GT(taken, 1000U);
  EXPECT_LT(taken, 5000U);
  EXPECT_LT(batch.size_bytes(), 65536U);
  EXPECT_EQ(members_of(first_of(batch), kNet4),
            std::vector<Member>(all.begin(), all.begin() + static_cast<int>(taken)));
}

TEST(IpSetMessages, MembersReadBackAsTheyWereWritten) {
  const std::vector<Member> all = {{IpPrefix::parse("2001:db8::/33").value(), 6, 443},
                                   {IpPrefix::parse("::/1").value(), 132, 0},
                                   {IpPrefix::parse("2001:db8::7/128").value(), 17, 65535}};
  netlink::Batch batch;
  EXPECT_EQ(IpSetMessages().add_members(batch, MemberChange::kDelete, "s", kPorts6, all), 3U);
  EXPECT_EQ(members_of(first_of(batch), kPorts6), all);
}

TEST(IpSetMessages, HeadersReadBackAsTheyWereWritten) {
  netlink::Batch batch;
  IpSetMessages().add_create(batch, "s", {kPorts6, 7, 1000, 500});
  const auto found = parse_header(first_of(batch));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first, "s");
  EXPECT_EQ(found->second.spec, kPorts6);
  EXPECT_EQ(found->second.member_max, 1000U);
  EXPECT_TRUE(found->second.is_plain);
}

TEST(IpSetMessages, WhatMakesNoSenseIsNoMember) {
  struct Case {
    const char* why;
    SetSpec spec;
    Member member;
  };
  const Member four{IpPrefix::parse("10.0.0.0/8").value()};
  const Member six{IpPrefix::parse("2001:db8::/64").value()};
  const Case cases[] = {{"an address of IPv4 in a set of IPv6", kPorts6, four},
                        {"an address of IPv6 in a set of IPv4", kNet4, six}};
  for (const Case& one : cases) {
    netlink::Batch batch;
    const SetSpec written{SetType::kHashNet, one.member.net.family()};
    static_cast<void>(IpSetMessages().add_members(batch, MemberChange::kAdd, "s", written, {&one.member, 1}));
    EXPECT_TRUE(members_of(first_of(batch), one.spec).empty()) << one.why;
  }
  EXPECT_FALSE(parse_member(kNet4, {})) << "no address";
}

// Whatever bytes come, they are read without harm.
TEST(IpSetMessages, BytesThatWereChangedAreReadWithoutHarm) {
  SeededRandom random(1);
  netlink::Batch batch;
  static_cast<void>(IpSetMessages().add_members(batch, MemberChange::kAdd, "s", kNet4, hosts(20)));
  const std::string_view good = batch.request(0).substr(sizeof(nlmsghdr));
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(good.substr(0, random.below(good.size() + 1)));
    for (std::uint64_t edits = random.below(4); edits > 0 && !bytes.empty(); --edits) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const netlink::MessageView message{0, 0, bytes::view_of(bytes)};
    static_cast<void>(parse_header(message));
    for (const Member& member : members_of(message, kNet4)) EXPECT_TRUE(member.net.is_v4());
  }
}

TEST(IpSetMessages, TheKernelsNumbersHaveWords) {
  EXPECT_EQ(error_of({0, IPSET_ERR_BUSY, "x"}).code, ErrorCode::kUnavailable);
  EXPECT_EQ(error_of({0, IPSET_ERR_TYPE_SPECIFIC, "x"}).code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(error_of({0, IPSET_ERR_FIND_TYPE, "x"}).code, ErrorCode::kUnsupported);
  EXPECT_EQ(error_of({0, ENOENT, "No such file or directory"}).code, ErrorCode::kNotFound);
  EXPECT_NE(error_of({0, 4999, "x"}).message.find("4999"), std::string::npos);
}

}  // namespace
}  // namespace margay::ipset
