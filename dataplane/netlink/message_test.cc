#include "dataplane/netlink/message.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <map>

namespace margay::netlink {
namespace {

// The message of request `index`, as the receiving side would see it.
MessageView view_of(const Batch& batch, std::size_t index) {
  const bytes::View bytes = bytes::view_of(batch.request(index));
  nlmsghdr head{};
  std::memcpy(&head, bytes.data(), sizeof(head));
  EXPECT_EQ(head.nlmsg_len, bytes.size());
  return MessageView{head.nlmsg_type, head.nlmsg_flags, bytes.subspan(sizeof(head))};
}

TEST(Message, WhatIsPutInIsReadBack) {
  Batch batch;
  {
    Request request = batch.add(RTM_NEWROUTE, NLM_F_CREATE);
    rtmsg head{};
    head.rtm_dst_len = 26;
    request.header(head);
    request.u8(1, 7);
    request.u16(2, 700);
    request.u32(3, 70000);
    request.u64(4, 7'000'000'000);
    request.be16(5, 700);
    request.be32(6, 70000);
    request.text(7, "cali0");
    request.address(8, IpAddress::v4(0x0a000001));
    request.flag(9);
  }
  const MessageView message = view_of(batch, 0);
  EXPECT_EQ(message.type, RTM_NEWROUTE);
  EXPECT_EQ(message.flags, NLM_F_REQUEST | NLM_F_CREATE);
  EXPECT_EQ(message.header<rtmsg>()->rtm_dst_len, 26);
  std::map<int, Attribute> found;
  for_each_attribute(message.attributes<rtmsg>(), [&](std::uint16_t type, const Attribute& at) { found[type] = at; });
  EXPECT_EQ(found.at(1).u8(), 7);
  EXPECT_EQ(found.at(2).u16(), 700);
  EXPECT_EQ(found.at(3).u32(), 70000U);
  EXPECT_EQ(found.at(4).u64(), 7'000'000'000U);
  EXPECT_EQ(found.at(5).be16(), 700);
  EXPECT_EQ(found.at(6).be32(), 70000U);
  EXPECT_EQ(found.at(7).text(), "cali0");
  EXPECT_EQ(found.at(8).address(), IpAddress::v4(0x0a000001));
  EXPECT_TRUE(found.at(9).bytes().empty());
  EXPECT_EQ(found.size(), 9U);
}

TEST(Message, NestsHoldTheirAttributes) {
  Batch batch;
  {
    Request request = batch.add(RTM_NEWLINK, 0);
    const std::size_t outer = request.begin_nest(18, true);
    request.text(1, "veth");
    const std::size_t inner = request.begin_nest(2);
    request.u32(1, 5);
    request.end_nest(inner);
    request.end_nest(outer);
    request.u32(4, 1500);
  }
  const bytes::View all = view_of(batch, 0).payload;
  const auto outer = find_attribute(all, 18);
  ASSERT_TRUE(outer);
  EXPECT_EQ(find_attribute(outer->bytes(), 1)->text(), "veth");
  EXPECT_EQ(find_attribute(find_attribute(outer->bytes(), 2)->bytes(), 1)->u32(), 5U);
  EXPECT_EQ(find_attribute(all, 4)->u32(), 1500U);
}

TEST(Message, RequestsOfABatchStandApart) {
  Batch batch;
  batch.add(RTM_GETLINK, 0).u32(1, 1);
  batch.add(RTM_GETADDR, 0).text(2, "xyz");
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(view_of(batch, 0).type, RTM_GETLINK);
  EXPECT_EQ(view_of(batch, 1).type, RTM_GETADDR);
  EXPECT_EQ(find_attribute(view_of(batch, 1).payload, 2)->text(), "xyz");
  batch.clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.size_bytes(), 0U);
}

TEST(Message, CutOffAttributesEndTheWalk) {
  Batch batch;
  {
    Request request = batch.add(RTM_NEWROUTE, 0);
    request.u32(1, 1);
    request.u32(2, 2);
  }
  const bytes::View whole = view_of(batch, 0).payload;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    int count = 0;
    for_each_attribute(whole.first(size), [&](std::uint16_t, const Attribute&) { ++count; });
    EXPECT_EQ(count, size >= 8 ? 1 : 0) << size;
  }
}

TEST(Message, AttributesThatLieAboutTheirLengthEndTheWalk) {
  for (const int length : {0, 1, 3, 9, 0xffff}) {
    const nlattr lie{static_cast<std::uint16_t>(length), 1};
    std::string bytes(reinterpret_cast<const char*>(&lie), sizeof(lie));
    bytes.append(4, 'x');
    int count = 0;
    for_each_attribute(bytes::view_of(bytes), [&](std::uint16_t, const Attribute&) { ++count; });
    EXPECT_EQ(count, 0) << length;
  }
}

TEST(Message, ShortNumbersAreAbsent) {
  const std::string three("abc");
  const Attribute attribute(bytes::view_of(three));
  EXPECT_EQ(attribute.u32(), std::nullopt);
  EXPECT_EQ(attribute.be32(), std::nullopt);
  EXPECT_EQ(attribute.u64(), std::nullopt);
  EXPECT_EQ(attribute.address(), std::nullopt);
  EXPECT_TRUE(attribute.u16().has_value());
  EXPECT_EQ((MessageView{0, 0, bytes::view_of(three)}).header<rtmsg>(), std::nullopt);
}

}  // namespace
}  // namespace margay::netlink
