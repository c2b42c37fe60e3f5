#include "dataplane/route/route.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

namespace margay::route {
namespace {

netlink::MessageView message_of(const netlink::Batch& batch, std::uint16_t flags = 0) {
  const bytes::View bytes = bytes::view_of(batch.request(0));
  nlmsghdr head{};
  std::memcpy(&head, bytes.data(), sizeof(head));
  return netlink::MessageView{head.nlmsg_type, flags, bytes.subspan(sizeof(head))};
}

struct Case {
  const char* why;
  const char* prefix;
  std::uint32_t metric;
  std::uint32_t table;
  Route route;
  const char* text;
};

std::vector<Case> cases() {
  const IpAddress v4 = IpAddress::parse("10.0.0.1").value();
  const IpAddress v6 = IpAddress::parse("fe80::1").value();
  return {
      {"a gateway", "10.9.0.0/26", 1024, 254, {.hops = {{v4, IfIndex(3)}}}, "via 10.0.0.1 dev 3"},
      {"out of an interface", "10.9.0.7/32", 0, 254, {.hops = {{std::nullopt, IfIndex(3)}}}, "dev 3"},
      {"on link", "10.9.0.0/26", 0, 254, {.hops = {{v4, IfIndex(3), true}}}, "via 10.0.0.1 dev 3 onlink"},
      {"a large table", "10.9.0.0/26", 0, 70000, {.hops = {{v4, IfIndex(3)}}}, "via 10.0.0.1 dev 3"},
      {"the default route", "0.0.0.0/0", 0, 254, {.hops = {{v4, IfIndex(3)}}}, "via 10.0.0.1 dev 3"},
      {"IPv6", "2001:db8::/64", 1024, 254, {.hops = {{v6, IfIndex(3)}}}, "via fe80::1 dev 3"},
      {"IPv4 by IPv6", "10.9.0.0/26", 1024, 254, {.hops = {{v6, IfIndex(3)}}}, "via fe80::1 dev 3"},
      {"two ways",
       "10.9.0.0/26",
       1024,
       254,
       {.hops = {{v4, IfIndex(3), false, 1}, {v6, IfIndex(4), true, 200}}},
       "via 10.0.0.1 dev 3 weight 1, via fe80::1 dev 4 onlink weight 200"},
      {"blackhole", "10.9.0.0/26", 1024, 254, {.type = RouteType::kBlackhole}, "blackhole"},
      {"unreachable", "10.9.0.0/26", 1024, 254, {.type = RouteType::kUnreachable}, "unreachable"},
      {"prohibit", "10.9.0.0/26", 1024, 254, {.type = RouteType::kProhibit}, "prohibit"},
      {"throw", "10.9.0.0/26", 1024, 9, {.type = RouteType::kThrow}, "throw"},
      {"a source and an MTU",
       "10.9.0.0/26",
       0,
       254,
       {.hops = {{v4, IfIndex(3)}}, .preferred_source = IpAddress::parse("10.0.0.9").value(), .mtu = 1480},
       "via 10.0.0.1 dev 3 src 10.0.0.9 mtu 1480"},
  };
}

TEST(Route, RequestsReadBackAsTheyWereMeant) {
  for (const Case& row : cases()) {
    const RouteKey key{RouteTableId(row.table), IpPrefix::parse(row.prefix).value(), row.metric};
    netlink::Batch batch;
    add_route_request(batch, key, row.route, 80, Write::kNew);
    const auto read = parse_route(message_of(batch));
    ASSERT_TRUE(read) << row.why;
    EXPECT_EQ(read->key, key) << row.why;
    EXPECT_EQ(read->route, row.route) << row.why;
    EXPECT_EQ(read->protocol, 80) << row.why;
    EXPECT_EQ(read->route.to_string(), row.text) << row.why;
  }
}

TEST(Route, CutOffMessagesAreNoRoutes) {
  netlink::Batch batch;
  add_route_request(batch, RouteKey{kMainTable, IpPrefix::parse("10.9.0.0/26").value(), 5},
                    Route{.hops = {{IpAddress::v4(1), IfIndex(3)}, {IpAddress::v4(2), IfIndex(4)}}}, 80, Write::kNew);
  const netlink::MessageView whole = message_of(batch);
  for (std::size_t size = 0; size < whole.payload.size(); ++size) {
    const auto read = parse_route({whole.type, whole.flags, whole.payload.first(size)});
    EXPECT_EQ(read.has_value(), size >= sizeof(rtmsg)) << size;
  }
}

TEST(Route, OtherMessagesAreNoRoutes) {
  netlink::Batch batch;
  add_route_request(batch, RouteKey{}, Route{.type = RouteType::kBlackhole}, 80, Write::kNew);
  netlink::MessageView message = message_of(batch);
  message.type = RTM_NEWLINK;
  EXPECT_FALSE(parse_route(message));
}

TEST(Route, KeysSayWhatTheyAre) {
  EXPECT_EQ((RouteKey{kMainTable, IpPrefix::parse("10.9.0.0/26").value(), 5}.to_string()),
            "10.9.0.0/26 metric 5 table 254");
}

}  // namespace
}  // namespace margay::route
