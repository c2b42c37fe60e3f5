#include "dataplane/route/route_batch.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/core/random.h"
#include "base/core/text.h"
#include "dataplane/route/test_routes.h"

namespace margay::route {
namespace {

using test::by;
using test::net;

// What is wanted after all of it: "prefix" to "address metric"; empty: none.
std::map<std::string, std::string> effect(const RouteBatch& batch) {
  std::map<std::string, std::string> out;
  for (const RouteBatch::Change& change : batch.changes()) {
    std::string& text = out[change.prefix.to_string()];
    text = change.hops == nullptr ? "" : concat(change.hops->at(0).address.to_string(), " ", change.metric);
  }
  return out;
}

TEST(RouteBatch, TheLastChangeOfAPrefixCounts) {
  RouteBatch batch;
  batch.set(net("10.0.0.0/26"), by("10.1.0.1"), 1024);
  batch.set(net("10.0.1.0/26"), by("10.1.0.1"), 1024);
  RouteBatch later;
  later.set(net("10.0.0.0/26"), by("10.1.0.2"), 512);
  later.remove(net("10.0.1.0/26"));
  later.remove(net("10.0.2.0/26"));
  batch.merge(std::move(later));
  EXPECT_EQ(effect(batch), (std::map<std::string, std::string>{
                               {"10.0.0.0/26", "10.1.0.2 512"}, {"10.0.1.0/26", ""}, {"10.0.2.0/26", ""}}));
}

TEST(RouteBatch, EqualSetsOfNextHopsAreHeldOnce) {
  RouteBatch batch;
  batch.set(net("10.0.0.0/26"), by("10.1.0.1"), 1024);
  batch.set(net("10.0.1.0/26"), by("10.1.0.2"), 1024);
  RouteBatch later;
  later.set(net("10.0.2.0/26"), by("10.1.0.1"), 1024);
  batch.merge(std::move(later));
  EXPECT_EQ(batch.changes()[0].hops, batch.changes()[2].hops);
  EXPECT_NE(batch.changes()[0].hops, batch.changes()[1].hops);
}

TEST(RouteBatch, ANewBeginningOvertakesAllBeforeIt) {
  RouteBatch batch;
  batch.set(net("10.0.0.0/26"), by("10.1.0.1"), 1024);
  batch.move_to(RouteTableId(100));
  batch.converge();
  RouteBatch later;
  later.begin_anew();
  later.set(net("10.0.1.0/26"), by("10.1.0.1"), 1024);
  batch.merge(std::move(later));
  EXPECT_TRUE(batch.starts_anew());
  EXPECT_TRUE(batch.is_converged());
  ASSERT_TRUE(batch.table().has_value());
  EXPECT_EQ(*batch.table(), RouteTableId(100));
  EXPECT_EQ(effect(batch), (std::map<std::string, std::string>{{"10.0.1.0/26", "10.1.0.1 1024"}}));
  RouteBatch last;
  last.move_to(std::nullopt);
  batch.merge(std::move(last));
  ASSERT_TRUE(batch.table().has_value());
  EXPECT_EQ(*batch.table(), std::nullopt);
  EXPECT_TRUE(batch.starts_anew());
}

TEST(RouteBatch, WhatNobodyTakesDoesNotGrow) {
  SeededRandom random(3);
  RouteBatch batch;
  std::map<std::string, std::string> expected;
  for (int i = 0; i < 60'000; ++i) {
    const std::string prefix = concat("10.0.", random.below(50), ".0/24");
    const std::string address = concat("10.1.", random.below(200), ".", random.below(200));
    RouteBatch later;
    if (random.below(3) == 0) {
      later.remove(net(prefix));
      expected[prefix] = "";
    } else {
      later.set(net(prefix), by(address), 1024);
      expected[prefix] = concat(address, " 1024");
    }
    batch.merge(std::move(later));
  }
  EXPECT_LE(batch.changes().size(), 5000U);
  EXPECT_EQ(effect(batch), expected);
}

}  // namespace
}  // namespace margay::route
