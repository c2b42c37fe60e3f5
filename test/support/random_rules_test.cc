// Random policy: what the rendered chains do with packets is what the verdict says, and what is rendered after any
// sequence of changes is what is rendered from their end.
#include <gtest/gtest.h>

#include <string>

#include "agent/render/iptables_renderer.h"
#include "base/core/text.h"
#include "test/support/iptables_node.h"
#include "test/support/random_rules.h"
#include "test/support/rendered_policy.h"

namespace margay::test {
namespace {

constexpr std::uint64_t kSeeds = 40;
constexpr int kBatches = 25;
constexpr int kPackets = 60;

model::FelixConfigurationSpec open_settings() {
  model::FelixConfigurationSpec out = policy_only_settings();
  out.host.default_endpoint_to_host_action = model::EndpointToHostAction::kAccept;
  // Workloads that send what only tunnels send are not the matter here.
  out.host.allow_ipip_packets_from_workloads = true;
  out.host.allow_vxlan_packets_from_workloads = true;
  return out;
}

std::string packet_text(const NodePacket& packet) {
  return concat(packet.in, ' ', packet.source.to_string(), ':', packet.source_port, " -> ", packet.out, ' ',
                packet.destination.to_string(), ':', packet.destination_port, " protocol ",
                static_cast<int>(packet.protocol), packet.before_dnat ? " DNAT" : "");
}

struct Fates {
  std::size_t passed = 0;
  std::size_t dropped = 0;
};

void compare_fates(RandomRules& rules, const IptablesNode& node, const std::string& where, Fates& answers) {
  for (int n = 0; n < kPackets; ++n) {
    const NodePacket packet = rules.packet();
    const bool expected = rules.passes(packet);
    const Walked walked = node.walk(packet);
    ++(expected ? answers.passed : answers.dropped);
    ASSERT_EQ(walked.passes(), expected) << where << ": " << packet_text(packet) << ": " << walked.where << '\n'
                                         << node.dump();
  }
}

void run_rules(std::uint64_t seed, Fates& answers) {
  SeededRandom random(seed);
  RandomRules rules(random);
  render::IptablesRenderer renderer(render::KernelFeatures{});
  renderer.set_settings(open_settings());
  IptablesNode node;
  for (int batch = 0; batch < kBatches && !testing::Test::HasFatalFailure(); ++batch) {
    const std::string where = concat("seed ", seed, " batch ", batch);
    renderer.apply(rules.next());
    // What comes in one go and what comes in two is the same.
    if (random.below(3) == 0) renderer.apply(rules.next());
    for (const std::string& wrong : node.apply(renderer.take())) ADD_FAILURE() << where << ": " << wrong;
    ASSERT_TRUE(renderer.take().tables.empty()) << where;
    compare_fates(rules, node, where, answers);
  }
  render::IptablesRenderer anew(render::KernelFeatures{});
  anew.apply(rules.whole());
  anew.set_settings(open_settings());
  IptablesNode other;
  for (const std::string& wrong : other.apply(anew.take())) ADD_FAILURE() << "seed " << seed << ": " << wrong;
  EXPECT_EQ(other.dump(), node.dump()) << "seed " << seed;
}

TEST(RandomRules, PacketsFareAsTheVerdictSaysAndTheWayToAStateDoesNotShow) {
  Fates answers;
  for (std::uint64_t seed = 1; seed <= kSeeds && !testing::Test::HasFailure(); ++seed) run_rules(seed, answers);
  EXPECT_GT(answers.passed, answers.dropped / 20);
  EXPECT_GT(answers.dropped, answers.passed / 20);
}

}  // namespace
}  // namespace margay::test
