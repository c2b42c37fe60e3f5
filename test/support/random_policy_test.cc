// The policy engine against the naive evaluator, over thousands of random
// changes.
#include "test/support/random_policy.h"

#include <gtest/gtest.h>

#include <string>

#include "base/core/text.h"

namespace margay::test {
namespace {

std::string text_of(const policy::Packet& packet) {
  return concat(packet.source.to_string(), ":", packet.source_port.value(), " to ", packet.destination.to_string(), ":",
                packet.destination_port.value(), " ", packet.protocol.to_string());
}

// Counts the answers, so that a world in which nothing ever passes, or
// everything, fails the test.
struct Answers {
  std::size_t allowed = 0;
  std::size_t denied = 0;
};

void compare(const PolicyPair& pair, const policy::Packet& packet, const std::string& where, Answers& answers) {
  const policy::Verdict verdict = pair.verdict(packet);
  const bool is_allowed = verdict.answer == policy::Answer::kAllow;
  ++(is_allowed ? answers.allowed : answers.denied);
  EXPECT_EQ(is_allowed, pair.naive_allows(packet))
      << where << ": " << text_of(packet) << ": the engine says "
      << (verdict.decided_by ? verdict.decided_by->to_string() : "nobody decides");
}

void run(std::uint64_t seed, Answers& answers) {
  SeededRandom random(seed);
  RandomPolicy world(random);
  PolicyPair pair;
  for (int batch = 0; batch < 60; ++batch) {
    for (std::uint64_t n = 1 + random.below(6); n > 0; --n) world.change(pair);
    const std::string where = concat("seed ", seed, " batch ", batch);
    const Status status = pair.flush();
    ASSERT_TRUE(status.ok()) << where << ": " << status.error().message;
    for (int n = 0; n < 25; ++n) compare(pair, world.packet(), where, answers);
    if (testing::Test::HasFailure()) return;
  }
  // The objects alone decide: put into a new engine they mean the same.
  PolicyPair anew;
  for (const auto& [key, value] : world.objects()) anew.put(key, value);
  ASSERT_TRUE(anew.flush().ok());
  for (int n = 0; n < 50; ++n) {
    const policy::Packet packet = world.packet();
    EXPECT_EQ(anew.verdict(packet).answer, pair.verdict(packet).answer) << "seed " << seed << ": " << text_of(packet);
  }
  ASSERT_EQ(anew.state().ip_sets().size(), pair.state().ip_sets().size()) << "seed " << seed;
  for (const auto& [id, set] : anew.state().ip_sets()) {
    ASSERT_TRUE(pair.state().ip_sets().contains(id)) << "seed " << seed << " " << id.view();
    EXPECT_EQ(set.members(), pair.state().ip_sets().at(id).members()) << "seed " << seed << " " << id.view();
  }
}

TEST(RandomPolicy, EngineAndNaiveEvaluatorAgreeAfterEveryBatch) {
  Answers answers;
  for (std::uint64_t seed = 1; seed <= 30 && !testing::Test::HasFailure(); ++seed) run(seed, answers);
  EXPECT_GT(answers.allowed, answers.denied / 20);
  EXPECT_GT(answers.denied, answers.allowed / 20);
}

}  // namespace
}  // namespace margay::test
