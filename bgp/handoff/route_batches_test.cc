#include "bgp/handoff/route_batches.h"

#include <gtest/gtest.h>

namespace margay::bgp {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
IpPrefix net(std::string_view text) { return IpPrefix::parse(text).value(); }

TEST(BatchSink, RoutesKeepTheirHopsInOrderAndTheirPriority) {
  std::vector<route::RouteBatch> sent;
  BatchSink sink([&](route::RouteBatch batch) { sent.push_back(std::move(batch)); });
  rib::BestRoute route;
  route.next_hops = {NextHop{ip("10.0.0.2"), std::nullopt}, NextHop{ip("10.0.0.1"), std::nullopt}};
  route.priority = 512;
  rib::BestRoute linked;
  linked.next_hops = {NextHop{ip("fd00::2"), ip("fe80::2")}};
  sink.apply({{net("10.1.0.0/26"), route}, {net("fd01::/64"), linked}, {net("10.2.0.0/26"), std::nullopt}});
  ASSERT_EQ(sent.size(), 1U);
  const auto& changes = sent[0].changes();
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0].prefix, net("10.1.0.0/26"));
  EXPECT_EQ(changes[0].metric, 512U);
  ASSERT_NE(changes[0].hops, nullptr);
  EXPECT_EQ(*changes[0].hops, (route::HopSet{{ip("10.0.0.2")}, {ip("10.0.0.1")}}));
  ASSERT_NE(changes[1].hops, nullptr);
  EXPECT_EQ(*changes[1].hops, (route::HopSet{{ip("fd00::2"), ip("fe80::2")}}));
  EXPECT_EQ(changes[1].metric, 1024U);
  EXPECT_EQ(changes[2].hops, nullptr) << "no route any more";
  EXPECT_FALSE(sent[0].is_converged());
}

TEST(BatchSink, NothingIsSentForNothingAndConvergenceIsSaid) {
  int batches = 0, converged = 0;
  BatchSink sink([&](const route::RouteBatch& batch) {
    ++batches;
    converged += batch.is_converged() ? 1 : 0;
  });
  sink.apply({});
  EXPECT_EQ(batches, 0);
  sink.converged();
  EXPECT_EQ(batches, 1);
  EXPECT_EQ(converged, 1);
}

}  // namespace
}  // namespace margay::bgp
