// Two machines in a bad network: whatever happened, they end with one session, over one connection, in bounded time.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "bgp/fsm/pair_sim.h"

namespace margay::bgp::fsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::array<PeerConfig, 2> pair_of(std::uint64_t seed) {
  SeededRandom random(seed);
  std::array<PeerConfig, 2> configs = {external_config(), external_config()};
  const bool is_internal = random.below(2) == 0;
  const bool has_equal_ids = !is_internal && random.below(4) == 0;
  const bool has_restart = random.below(2) == 0;
  for (PeerConfig& config : configs) {
    config.timers.hold = seconds(30);
    if (!has_restart) continue;
    config.capabilities.graceful_restart = GracefulRestart{};
    config.capabilities.graceful_restart->notification = random.below(2) == 0;
    config.capabilities.graceful_restart->forwarding[afi_safi(Family::kIpv4Unicast)] = true;
  }
  configs[1].local_asn = is_internal ? configs[0].local_asn : Asn(65001);
  configs[1].capabilities.four_octet_asn = configs[1].local_asn;
  configs[0].remote_asn = configs[1].local_asn;
  configs[1].remote_asn = configs[0].local_asn;
  if (!has_equal_ids) configs[random.below(2)].router_id = RouterId(0x0a000002);
  if (random.below(4) == 0) configs[random.below(2)].passive = true;
  return configs;
}

// --- without faults ---

TEST(Pair, ConvergesAtOnceWhoeverStartsFirst) {
  for (std::uint64_t seed = 1; seed <= 250; ++seed) {
    PairSim sim(pair_of(seed), {.happen = false}, seed);
    sim.start(static_cast<int>(seed % 2));
    sim.run_for(milliseconds(seed % 700));  // collisions in both orders and at every distance
    sim.start(static_cast<int>((seed + 1) % 2));
    ASSERT_TRUE(sim.run_until_converged(seconds(10))) << "seed " << seed << "\n" << sim.trace();
    sim.run_for(minutes(10));
    EXPECT_TRUE(sim.is_converged()) << "seed " << seed;
    for (const int side : {0, 1}) {
      EXPECT_EQ(sim.node(side).peer().times_established(), 1U) << "seed " << seed << "\n" << sim.trace();
      EXPECT_EQ(sim.node(side).open_connections().size(), 1U) << "seed " << seed;
    }
  }
}

// --- with faults ---

// Sorted times from the last fault to one session.
std::vector<Duration> times_to_converge(PairSim::Faults faults, std::uint64_t seeds, Duration limit) {
  std::vector<Duration> times;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    PairSim sim(pair_of(seed), faults, seed);
    sim.start(0);
    sim.start(1);
    sim.run_for(minutes(20));
    sim.set_faults(false);
    const std::optional<Duration> time = sim.run_until_converged(limit);
    EXPECT_TRUE(time) << "seed " << seed << "\n" << sim.trace();
    if (!time) break;
    times.push_back(*time);
    sim.run_for(minutes(3));
    EXPECT_TRUE(sim.is_converged()) << "seed " << seed << "\n" << sim.trace();
    for (const int side : {0, 1}) EXPECT_EQ(sim.node(side).open_connections().size(), 1U) << "seed " << seed;
  }
  std::sort(times.begin(), times.end());
  return times;
}

TEST(Pair, ConvergesInBoundedTimeAfterAnyFaults) {
  // An OPEN that never comes: 4 minutes; the idle hold: 1; the hold time: 0.5; retries.
  const std::vector<Duration> times = times_to_converge({}, 60, minutes(7));
  ASSERT_EQ(times.size(), 60U);
  EXPECT_LT(times[times.size() / 2], seconds(30));
}

TEST(Pair, ConvergesSoonWhenBothSidesLearnOfTheirFaults) {
  // The longest idle hold, and an attempt.
  const std::vector<Duration> times = times_to_converge({.half_open = false}, 60, seconds(70));
  ASSERT_EQ(times.size(), 60U);
  EXPECT_LT(times[times.size() / 2], seconds(30));
}

// --- a long time ---

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr bool kCountsMemory = true;
#else
constexpr bool kCountsMemory = false;  // the allocator of the sanitizer knows nothing of mallinfo
#endif

TEST(Pair, ADayOfFlappingLeavesNoGrowth) {
  PairSim sim(pair_of(3), {}, 3);
  sim.start(0);
  sim.start(1);
  std::vector<std::size_t> bytes_in_use;
  for (int hour = 0; hour < 24; ++hour) {
    sim.set_faults(true);
    sim.run_for(minutes(50));
    sim.set_faults(false);
    ASSERT_TRUE(sim.run_until_converged(minutes(7))) << "hour " << hour << "\n" << sim.trace();
    EXPECT_LE(sim.links(), 6U) << "of them at most two at each side, and what is not known to be dead yet";
    EXPECT_LE(sim.events(), 20U);
    bytes_in_use.push_back(mallinfo2().uordblks);
  }
  constexpr std::size_t kSlack = 64 * 1024;  // texts of errors, and what the simulator keeps of its story
  if (kCountsMemory) {
    EXPECT_LE(bytes_in_use.back(), bytes_in_use[2] + kSlack);
  }
}

// --- the same again ---

TEST(Pair, SameSeedSameStory) {  // invariant 1
  std::array<std::string, 2> traces;
  for (std::string& trace : traces) {
    PairSim sim(pair_of(7), {}, 7);
    sim.start(0);
    sim.start(1);
    sim.run_for(minutes(30));
    trace = sim.trace();
  }
  EXPECT_EQ(traces[0], traces[1]);
  EXPECT_GT(traces[0].size(), 1000U);
}

}  // namespace
}  // namespace margay::bgp::fsm
