#include "bgp/rib/decision.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "bgp/rib/rib_fixture.h"

namespace margay::bgp::rib {
namespace {

// A path that is no better and no worse than another of these, but for the last steps.
Candidate plain() {
  Candidate candidate;
  candidate.is_external = true;
  candidate.local_pref = 100;
  candidate.path_length = 2;
  candidate.neighbour_asn = 65001;
  candidate.med = 10;
  candidate.router_id = 5;
  candidate.peer_address = address_of("10.0.0.5");
  return candidate;
}

struct Case {
  const char* why;
  DecisionStep step;
  std::function<void(Candidate&)> worsen;  // the second of two equal paths
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases = {
      {"what import refused is no candidate", DecisionStep::kUnusable, [](Candidate& c) { c.is_usable = false; }},
      {"long-lived stale loses to all", DecisionStep::kStale, [](Candidate& c) { c.is_long_lived_stale = true; }},
      {"lower LOCAL_PREF", DecisionStep::kLocalPref, [](Candidate& c) { c.local_pref = 99; }},
      {"longer path", DecisionStep::kAsPathLength, [](Candidate& c) { c.path_length = 3; }},
      {"EGP after IGP", DecisionStep::kOrigin, [](Candidate& c) { c.origin = Origin::kEgp; }},
      {"incomplete after IGP", DecisionStep::kOrigin, [](Candidate& c) { c.origin = Origin::kIncomplete; }},
      {"higher MED of one neighbour", DecisionStep::kMed, [](Candidate& c) { c.med = 11; }},
      {"internal", DecisionStep::kExternal, [](Candidate& c) { c.is_external = false; }},
      {"higher router ID", DecisionStep::kRouterId, [](Candidate& c) { c.router_id = 6; }},
      {"longer cluster list", DecisionStep::kClusterListLength, [](Candidate& c) { c.cluster_list_length = 1; }},
      {"higher peer address", DecisionStep::kPeerAddress,
       [](Candidate& c) { c.peer_address = address_of("10.0.0.6"); }},
      {"IPv6 peer after IPv4", DecisionStep::kPeerAddress,
       [](Candidate& c) { c.peer_address = address_of("2001:db8::1"); }},
      {"higher path ID", DecisionStep::kPathId, [](Candidate& c) { c.path_id = 1; }},
  };
  return kCases;
}

TEST(Decision, EachStepAloneTellsTwoPathsApart) {
  for (const Case& c : cases()) {
    for (const std::size_t worse : {0U, 1U}) {
      std::array paths = {plain(), plain()};
      c.worsen(paths[worse]);
      run_step(c.step, paths, {});
      EXPECT_EQ(paths[worse].lost_at, c.step) << c.why;
      EXPECT_EQ(paths[1 - worse].lost_at, DecisionStep::kNone) << c.why;
    }
  }
}

TEST(Decision, AStepLeavesEqualPathsAlone) {
  for (const Case& c : cases()) {
    std::array paths = {plain(), plain()};
    run_step(c.step, paths, {});
    EXPECT_EQ(paths[0].lost_at, DecisionStep::kNone) << c.why;
    EXPECT_EQ(paths[1].lost_at, DecisionStep::kNone) << c.why;
  }
}

// The earlier difference decides, whatever comes after it.
TEST(Decision, StepsAreTakenInOrder) {
  for (std::size_t early = 0; early < cases().size(); ++early) {
    for (std::size_t late = early + 1; late < cases().size(); ++late) {
      if (cases()[early].step == cases()[late].step) continue;
      std::array paths = {plain(), plain()};
      cases()[early].worsen(paths[0]);
      cases()[late].worsen(paths[1]);
      EXPECT_EQ(decide(paths, {}), std::optional<std::size_t>(1)) << cases()[early].why << ", " << cases()[late].why;
      EXPECT_EQ(paths[0].lost_at, cases()[early].step) << cases()[early].why << ", " << cases()[late].why;
    }
  }
}

TEST(Decision, OurOwnRouteBeatsLearntOnesOfEqualPreference) {
  std::array paths = {plain(), plain()};
  paths[1].is_local = true;
  paths[1].path_length = 9;
  EXPECT_EQ(decide(paths, {}), std::optional<std::size_t>(1));
  EXPECT_EQ(paths[0].lost_at, DecisionStep::kLocalRoute);
  paths[0].local_pref = 101;
  EXPECT_EQ(decide(paths, {}), std::optional<std::size_t>(0));
}

TEST(Decision, NothingUsableHasNoBest) {
  std::array paths = {plain()};
  paths[0].is_usable = false;
  EXPECT_EQ(decide(paths, {}), std::nullopt);
  EXPECT_EQ(decide({}, {}), std::nullopt);
}

// RFC 4271 §9.1.2.2 c: without groups, the result depends on the order in which pairs are compared.
TEST(Decision, MedIsComparedWithinOneNeighbourOnly) {
  std::array paths = {plain(), plain(), plain()};
  paths[0].med = 50, paths[0].router_id = 1;                                  // best router ID, loses to path 1
  paths[1].med = 20, paths[1].router_id = 9;                                  // of the same neighbour
  paths[2].med = 90, paths[2].router_id = 4, paths[2].neighbour_asn = 65002;  // another one's
  EXPECT_EQ(decide(paths, {}), std::optional<std::size_t>(2));
  EXPECT_EQ(paths[0].lost_at, DecisionStep::kMed);
  EXPECT_EQ(paths[1].lost_at, DecisionStep::kRouterId);
  EXPECT_EQ(decide(paths, {.always_compare_med = true}), std::optional<std::size_t>(1));
  EXPECT_EQ(paths[2].lost_at, DecisionStep::kMed);
}

// RFC 4456 §9 puts the cluster list after the router ID: it is no reason not to use both ways.
TEST(Decision, ALongerClusterListStillTies) {
  std::array paths = {plain(), plain()};
  paths[1].cluster_list_length = 1;
  ASSERT_EQ(decide(paths, {}), std::optional<std::size_t>(0));
  EXPECT_TRUE(ties(paths[1], paths[0], {}));
}

// With each path compared to each this takes ten thousand million steps, and no test waits for that.
TEST(Decision, ManyPathsOfOneNeighbourAreNoBurden) {
  std::vector<Candidate> paths(200'000, plain());
  paths.back().med = 9;
  EXPECT_EQ(decide(paths, {}), std::optional(paths.size() - 1));
  EXPECT_EQ(paths[0].lost_at, DecisionStep::kMed);
}

TEST(Decision, TiesUpToTheRouterIdMayBeUsedTogether) {
  std::array paths = {plain(), plain(), plain(), plain()};
  paths[1].router_id = 6;
  paths[2].med = 11;
  paths[3].router_id = 7, paths[3].neighbour_asn = 65009;
  ASSERT_EQ(decide(paths, {}), std::optional<std::size_t>(0));
  EXPECT_TRUE(ties(paths[1], paths[0], {}));
  EXPECT_FALSE(ties(paths[2], paths[0], {}));
  EXPECT_FALSE(ties(paths[3], paths[0], {})) << "another neighbour AS";
  EXPECT_TRUE(ties(paths[3], paths[0], {.multipath_relax = true}));
}

TEST(Decision, OrderOfPathsDoesNotMatter) {
  SeededRandom random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Candidate> paths(1 + random.below(5), plain());
    for (std::size_t i = 0; i < paths.size(); ++i) {
      Candidate& c = paths[i];
      c.path = static_cast<std::uint32_t>(i);
      c.is_usable = random.below(5) != 0;
      c.local_pref = 100 + static_cast<std::uint32_t>(random.below(2));
      c.neighbour_asn = 65001 + static_cast<std::uint32_t>(random.below(2));
      c.med = static_cast<std::uint32_t>(random.below(3));
      c.is_external = random.below(2) != 0;
      c.router_id = static_cast<std::uint32_t>(random.below(3));
      c.path_id = static_cast<std::uint32_t>(i);
    }
    const auto by_path = [](const Candidate& a, const Candidate& b) { return a.path < b.path; };
    std::sort(paths.begin(), paths.end(), by_path);
    const auto first = decide(paths, {});
    const std::optional<std::uint32_t> best = first ? std::optional(paths[*first].path) : std::nullopt;
    do {
      const auto again = decide(paths, {});
      ASSERT_EQ(again.has_value(), best.has_value());
      if (best) {
        ASSERT_EQ(paths[*again].path, *best) << "round " << round;
      }
    } while (std::next_permutation(paths.begin(), paths.end(), by_path));
  }
}

TEST(Decision, EveryStepHasAName) {
  for (int step = 0; step <= static_cast<int>(DecisionStep::kPathId); ++step) {
    EXPECT_FALSE(to_string(static_cast<DecisionStep>(step)).empty());
  }
}

}  // namespace
}  // namespace margay::bgp::rib
