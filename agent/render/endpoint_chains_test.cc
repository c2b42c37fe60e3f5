// The text of endpoints' chains, as the order of checks is specified.
#include <gtest/gtest.h>

#include "agent/render/names.h"
#include "test/support/render_fixture.h"

namespace margay::render {
namespace {

using namespace test::fixture;

// Lines of one chain of IPv4, without "-A <chain> ".
std::string lines(const Node& node, Table table, const std::string& chain) {
  const std::string all = node.node.text({IpFamily::kV4, table}, chain);
  const std::string head = concat("-A ", chain, ' ');
  std::string out;
  for (const std::string_view line : split(all, '\n')) {
    if (!line.empty()) out += concat(line.substr(head.size()), '\n');
  }
  return out;
}

const std::string kKnown =
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-m conntrack --ctstate INVALID -j DROP\n";
const std::string kClear = "-j MARK --set-xmark 0x0/0x30000\n";
const std::string kIn = policy_chain(Direction::kIngress, policy_key("p"));
const std::string kOut = policy_chain(Direction::kEgress, policy_key("p"));

// One tier with one policy.
std::string tier_lines(const std::string& chain, bool denies = true) {
  return concat("-j MARK --set-xmark 0x0/0x20000\n", "-m mark --mark 0x0/0x20000 -j ", chain, '\n',
                "-m mark --mark 0x10000/0x10000 -j RETURN\n", denies ? "-m mark --mark 0x0/0x20000 -j DROP\n" : "");
}

std::string profile_lines(const std::string& chain) {
  return concat("-j ", chain, "\n-m mark --mark 0x10000/0x10000 -j RETURN\n-j DROP\n");
}

TEST(EndpointChains, OfAWorkload) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  auto endpoint = workload(1);
  endpoint->policy.normal = {tier({"p"})};
  delta.endpoints[workload_key("w1")] = endpoint;
  node.put(delta);
  EXPECT_EQ(lines(node, Table::kFilter, "margay-tw-cali1"),
            kKnown + kClear + tier_lines(kIn) + profile_lines("margay-pri-open"));
  EXPECT_EQ(lines(node, Table::kFilter, "margay-fw-cali1"), kKnown +
                                                                "! -s 10.0.0.1/32 -j DROP\n"
                                                                "-p udp -m multiport --dports 4789 -j DROP\n"
                                                                "-p 4 -j DROP\n" +
                                                                kClear + tier_lines(kOut) +
                                                                profile_lines("margay-pro-open"));
}

TEST(EndpointChains, ATierThatPassesAndOneWithoutPolicyInADirection) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  auto endpoint = workload(1);
  endpoint->policy.normal = {tier({"p"})};
  endpoint->policy.normal.front().default_action = model::TierDefaultAction::kPass;
  endpoint->policy.normal.front().egress = {{.id = policy_key("staged"), .is_staged = true}};
  delta.endpoints[workload_key("w1")] = endpoint;
  node.put(delta);
  EXPECT_EQ(lines(node, Table::kFilter, "margay-tw-cali1"),
            kKnown + kClear + tier_lines(kIn, false) + profile_lines("margay-pri-open"));
  EXPECT_TRUE(lines(node, Table::kFilter, "margay-fw-cali1").ends_with(kClear + profile_lines("margay-pro-open")))
      << "staged policies are not there";
}

TEST(EndpointChains, OfAHostEndpointByTable) {
  Node node;
  policy::Delta delta;
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  auto endpoint = host("eth0");
  for (auto* tiers :
       {&endpoint->policy.normal, &endpoint->policy.forward, &endpoint->policy.untracked, &endpoint->policy.pre_dnat}) {
    *tiers = {tier({"p"})};
  }
  delta.endpoints[host_key("h")] = endpoint;
  node.put(delta);
  const std::string failsafe_in = "-j margay-failsafe-in\n";
  const std::string failsafe_out = "-j margay-failsafe-out\n";
  EXPECT_EQ(lines(node, Table::kFilter, "margay-fh-eth0"),
            kKnown + failsafe_in + kClear + tier_lines(kIn) + "-j DROP\n");
  EXPECT_EQ(lines(node, Table::kFilter, "margay-th-eth0"),
            kKnown + failsafe_out + kClear + tier_lines(kOut) + "-j DROP\n");
  EXPECT_EQ(lines(node, Table::kFilter, "margay-fhfw-eth0"),
            kKnown + kClear + tier_lines(kIn) + "-j MARK --set-xmark 0x10000/0x10000\n");
  EXPECT_EQ(lines(node, Table::kMangle, "margay-fh-eth0"), failsafe_in + kClear + tier_lines(kIn, false));
  EXPECT_EQ(lines(node, Table::kMangle, "margay-th-eth0"), lines(node, Table::kFilter, "margay-th-eth0"));
  EXPECT_EQ(lines(node, Table::kRaw, "margay-fh-eth0"),
            failsafe_in + kClear + "-j MARK --set-xmark 0x0/0x20000\n-m mark --mark 0x0/0x20000 -j " + kIn +
                "\n-m mark --mark 0x10000/0x10000 -j CT --notrack\n-m mark --mark 0x10000/0x10000 -j RETURN\n");
}

TEST(EndpointChains, OneForAllIsLastAndLeavesLoopbackAndWorkloads) {
  Node node;
  policy::Delta delta;
  delta.endpoints[host_key("all")] = host("*");
  delta.endpoints[host_key("h")] = host("eth0");
  node.put(delta);
  EXPECT_EQ(lines(node, Table::kFilter, "margay-from-hep"),
            "-i eth0 -g margay-fh-eth0\n"
            "-i lo -j RETURN\n"
            "-i cali+ -j RETURN\n"
            "-g margay-fh-_any\n");
  EXPECT_EQ(lines(node, Table::kRaw, "margay-from-hep"), "") << "nobody has untracked policy";
}

TEST(EndpointChains, OneThatNamesTheInterfaceTakesItFromTheOneForAll) {
  Node node;
  policy::Delta delta;
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kDeny});
  auto all = host("*");
  all->policy.untracked = {tier({"p"})};
  delta.endpoints[host_key("all")] = all;
  delta.endpoints[host_key("h")] = host("eth0");
  node.put(delta);
  EXPECT_EQ(lines(node, Table::kRaw, "margay-from-hep"),
            "-i eth0 -j RETURN\n"
            "-i lo -j RETURN\n"
            "-i cali+ -j RETURN\n"
            "-g margay-fh-_any\n");
}

}  // namespace
}  // namespace margay::render
