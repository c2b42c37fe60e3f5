#include "datastore/store/deferred.h"

#include <optional>
#include <vector>

#include "base/loop/sim_loop.h"
#include "gtest/gtest.h"

namespace margay::store {
namespace {

TEST(Deferred, RunsInOrderAndLeavesWhatCameMeanwhileForTheNextTurn) {
  loop::SimLoop loop;
  Deferred deferred(loop);
  std::vector<int> ran;
  deferred.run([&] {
    ran.push_back(1);
    deferred.run([&] { ran.push_back(3); });
  });
  deferred.run([&] {
    ran.push_back(2);
    loop.post([&] { ran.push_back(-1); });
  });
  EXPECT_TRUE(ran.empty());
  loop.run_until_idle();
  EXPECT_EQ(ran, (std::vector<int>{1, 2, -1, 3}));
}

TEST(Deferred, NothingRunsOnceATaskHasEndedIt) {
  loop::SimLoop loop;
  std::optional<Deferred> deferred;
  deferred.emplace(loop);
  int ran = 0;
  deferred->run([&] {
    ++ran;
    deferred.reset();
  });
  deferred->run([&] { ++ran; });
  loop.run_until_idle();
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace margay::store
