// Replicas that come, die and are cut off from a server that is slow and fails: never two lead at once, and soon after
// one is gone another does.
#include "controllers/runtime/leader_election.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/loop/sim_loop.h"
#include "datastore/watch/resource_of.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const kube::ObjectName kLease{"kube-system", "margay-controllers"};

class Replicas {
 public:
  explicit Replicas(std::uint64_t seed) : random_(seed), client_(loop_, random_) {}

  void add() {
    const std::string identity = "replica-" + std::to_string(next_++);
    auto replica = std::make_unique<Replica>();
    Replica& at = *replica;
    at.election = std::make_unique<LeaderElection>(
        LeaderElection::Parts{loop_, client_}, kLease, LeaseConfig{.identity = identity},
        LeaderElection::Events{[&at] { ++at.elected; }, [&at] { ++at.lost; }});
    at.election->start();
    replicas_.push_back(std::move(replica));
  }
  // Without a word, as by SIGKILL.
  void kill(std::size_t index) { replicas_.erase(replicas_.begin() + static_cast<std::ptrdiff_t>(index)); }
  [[nodiscard]] std::size_t leading() const {
    return static_cast<std::size_t>(std::count_if(replicas_.begin(), replicas_.end(),
                                                  [](const auto& replica) { return replica->election->is_leading(); }));
  }
  [[nodiscard]] std::size_t leader() const {
    for (std::size_t i = 0; i < replicas_.size(); ++i) {
      if (replicas_[i]->election->is_leading()) return i;
    }
    return replicas_.size();
  }
  [[nodiscard]] std::size_t size() const { return replicas_.size(); }
  // Looks at every millisecond; how long nobody led at the longest.
  Duration watch(Duration span) {
    Duration longest{}, here{};
    for (Duration gone{}; gone < span; gone += milliseconds(1)) {
      loop_.advance(milliseconds(1));
      EXPECT_LE(leading(), 1U);
      for (const auto& replica : replicas_) {
        EXPECT_LE(replica->elected - replica->lost, 1);
        EXPECT_GE(replica->elected, replica->lost);
      }
      here = leading() == 1 ? Duration{} : here + milliseconds(1);
      longest = std::max(longest, here);
    }
    return longest;
  }

  struct Replica {
    std::unique_ptr<LeaderElection> election;
    int elected = 0, lost = 0;
  };
  loop::SimLoop loop_;
  SeededRandom random_;
  test::FakeKubeClient client_;
  std::vector<std::unique_ptr<Replica>> replicas_;
  int next_ = 0;
};

TEST(LeaderElection, OneOfThreeLeadsAndStays) {
  Replicas replicas(1);
  for (int i = 0; i < 3; ++i) replicas.add();
  replicas.watch(seconds(1));
  const std::size_t leader = replicas.leader();
  ASSERT_LT(leader, replicas.size());
  EXPECT_EQ(replicas.watch(seconds(30)), Duration{});
  EXPECT_EQ(replicas.leader(), leader);
  EXPECT_EQ(replicas.replicas_[leader]->elected, 1);
}

TEST(LeaderElection, AfterAKillAnotherLeadsWithinThreeSeconds) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Replicas replicas(seed);
    replicas.client_.faults.answer_delay_max = milliseconds(20);
    replicas.add();
    replicas.add();
    replicas.watch(milliseconds(900 + static_cast<int>(replicas.random_.below(900))));
    ASSERT_LT(replicas.leader(), replicas.size());
    replicas.kill(replicas.leader());
    EXPECT_LT(replicas.watch(seconds(4)), seconds(3)) << "seed " << seed;
  }
}

TEST(LeaderElection, WhoStopsInOrderIsFollowedAtOnce) {
  Replicas replicas(3);
  replicas.add();
  replicas.add();
  replicas.watch(seconds(1));
  const std::size_t leader = replicas.leader();
  bool is_done = false;
  replicas.replicas_[leader]->election->stop([&] { is_done = true; });
  EXPECT_LT(replicas.watch(seconds(2)), milliseconds(500));
  EXPECT_TRUE(is_done);
  EXPECT_NE(replicas.leader(), leader);
}

TEST(LeaderElection, NeverTwoWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Replicas replicas(seed);
    replicas.client_.faults.call_fails = 0.1;
    replicas.client_.faults.answer_delay_max = milliseconds(900);
    for (int i = 0; i < 3; ++i) replicas.add();
    for (int round = 0; round < 12; ++round) {
      replicas.watch(milliseconds(static_cast<int>(replicas.random_.below(3000))));
      if (replicas.size() > 1 && replicas.random_.below(2) == 0) {
        replicas.kill(replicas.random_.below(replicas.size()));
      } else {
        replicas.add();
      }
    }
    replicas.client_.faults = {};
    replicas.watch(seconds(5));
    EXPECT_EQ(replicas.leading(), 1U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace margay::controllers
