#include "dataplane/route/route_pool.h"

#include <gtest/gtest.h>

#include <optional>

namespace margay::route {
namespace {

Route out_of(std::uint32_t interface) { return Route{.hops = {RouteHop{std::nullopt, IfIndex(interface)}}}; }

TEST(RoutePool, EqualRoutesAreOne) {
  RoutePool pool;
  const RoutePool::Ref a = pool.put(out_of(1));
  const RoutePool::Ref b = pool.put(out_of(2));
  const RoutePool::Ref c = pool.put(out_of(1));
  EXPECT_TRUE(a == c);
  EXPECT_EQ(&*a, &*c);
  EXPECT_FALSE(a == b);
  EXPECT_EQ(*b, out_of(2));
  EXPECT_EQ(pool.size(), 2U);
}

TEST(RoutePool, TheLastReferenceEndsARoute) {
  RoutePool pool;
  RoutePool::Ref a = pool.put(out_of(1));
  std::optional<RoutePool::Ref> copy = a;
  const RoutePool::Ref moved = std::move(a);
  copy.reset();
  EXPECT_EQ(pool.size(), 1U);
  EXPECT_EQ(*moved, out_of(1));
  copy = pool.put(out_of(2));
  EXPECT_EQ(pool.size(), 2U);
  copy = moved;
  EXPECT_EQ(pool.size(), 1U);
  // What was put last and has gone is not taken for what is put now.
  EXPECT_EQ(*pool.put(out_of(2)), out_of(2));
  EXPECT_EQ(pool.size(), 1U);
}

TEST(RoutePool, KnowsWhichLinksItsRoutesLeaveBy) {
  RoutePool pool;
  {
    const RoutePool::Ref a = pool.put(out_of(1));
    EXPECT_TRUE(pool.uses(IfIndex(1)));
    EXPECT_FALSE(pool.uses(IfIndex(2)));
    const RoutePool::Ref chosen_by_kernel = pool.put(out_of(0));
    EXPECT_TRUE(pool.uses(IfIndex(2)));
  }
  EXPECT_FALSE(pool.uses(IfIndex(1)));
}

}  // namespace
}  // namespace margay::route
