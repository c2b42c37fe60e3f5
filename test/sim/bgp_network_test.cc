// Whole networks of speakers with faults from a seed. A failure prints the seed; the run is the same every time.
#include <gtest/gtest.h>
#include <malloc.h>

#include "base/core/text.h"
#include "test/sim/network.h"

namespace margay::sim {
namespace {

using namespace std::chrono_literals;

// Longer than hold time (30 s), restart time (60 s), idle hold (60 s) and connect retry together.
constexpr Duration kLongEnough = 5min;

std::string shown(const std::vector<std::string>& problems) {
  std::string out = concat(problems.size(), " problems");
  for (std::size_t i = 0; i < problems.size() && i < 10; ++i) out += concat("\n  ", problems[i]);
  return out;
}

TEST(BgpNetwork, AMeshConvergesAfterAnyFaults) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Network network(seed);
    network.full_mesh(12);
    network.run(30s);
    ASSERT_EQ(network.problems(), std::vector<std::string>{}) << "seed " << seed << ", before any fault";
    network.disturb(60);
    network.heal_and_settle(kLongEnough);
    const auto problems = network.problems();
    ASSERT_TRUE(problems.empty()) << "seed " << seed << ": " << shown(problems);
  }
}

TEST(BgpNetwork, ReflectorsConvergeAfterAnyFaults) {
  for (std::uint64_t seed = 11; seed <= 14; ++seed) {
    Network network(seed);
    network.reflected(20, 2);
    network.run(30s);
    ASSERT_EQ(network.problems(), std::vector<std::string>{}) << "seed " << seed << ", before any fault";
    network.disturb(80);
    network.heal_and_settle(kLongEnough);
    const auto problems = network.problems();
    ASSERT_TRUE(problems.empty()) << "seed " << seed << ": " << shown(problems);
  }
}

TEST(BgpNetwork, TwoHundredSpeakersWithTwoReflectors) {
  Network network(21);
  network.reflected(198, 2);
  network.run(30s);
  ASSERT_EQ(shown(network.problems()), shown({}));
  network.disturb(20);
  network.heal_and_settle(kLongEnough);
  const auto problems = network.problems();
  ASSERT_TRUE(problems.empty()) << shown(problems);
}

// 24 hours of peers that come and go: what was allocated after the first hours is all there ever is.
TEST(BgpNetwork, ADayOfFlappingLeavesNoGrowth) {
  Network network(31);
  network.full_mesh(4);
  const auto hours = [&](int count) {
    for (int minute = 0; minute < count * 60; ++minute) {
      network.disturb(1);
      network.run(40s);
    }
    network.heal_and_settle(kLongEnough);
  };
  hours(2);
  [[maybe_unused]] const std::size_t early = mallinfo2().uordblks;
  hours(22);
  [[maybe_unused]] const std::size_t late = mallinfo2().uordblks;
  const auto problems = network.problems();
  ASSERT_TRUE(problems.empty()) << shown(problems);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(late, early + 512 * 1024);
#else
  GTEST_SKIP() << "memory is only counted without sanitizers";
#endif
}

}  // namespace
}  // namespace margay::sim
