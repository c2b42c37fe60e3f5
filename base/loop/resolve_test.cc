#include "base/loop/resolve.h"

#include <memory>

#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::loop {
namespace {

constexpr Endpoint::Kind kTcp = Endpoint::Kind::kTcp;

TEST(Resolve, AnAddressComesOnTheNextTurn) {
  SimLoop loop;
  int calls = 0;
  const auto handle = resolve(loop, {kTcp, "127.0.0.1", 80, ""}, [&](Result<std::vector<SocketAddress>> addresses) {
    ++calls;
    ASSERT_TRUE(addresses.ok());
    EXPECT_EQ(addresses->front().to_string(), "127.0.0.1:80");
  });
  EXPECT_EQ(calls, 0);
  loop.run_until_idle();
  EXPECT_EQ(calls, 1);
}

// The thread of a slow lookup may outlive everything that the callback refers to.
TEST(Resolve, GivingUpEndsWhatTheCallbackOwnsAtOnce) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    SimLoop loop;
    const auto owned = std::make_shared<int>();
    auto handle = resolve(loop, {kTcp, host, 80, ""}, [owned](const Result<std::vector<SocketAddress>>&) {
      FAIL() << "no callback runs after the handle's end";
    });
    EXPECT_GT(owned.use_count(), 1);
    handle.reset();
    EXPECT_EQ(owned.use_count(), 1) << host;
    loop.run_until_idle();
  }
}

}  // namespace
}  // namespace margay::loop
