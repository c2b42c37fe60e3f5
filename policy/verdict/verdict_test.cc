#include "policy/verdict/verdict.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "base/core/text.h"

namespace margay::policy {
namespace {

using model::RuleAction;
using model::TierDefaultAction;

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }
IpPrefix net(const std::string& text) { return IpPrefix::parse_cidr_or_address(text).value(); }
PortRange ports(const std::string& text) { return PortRange::parse(text).value(); }

Packet tcp(const std::string& source, const std::string& destination, std::uint16_t port) {
  Packet out;
  out.source = address(source);
  out.destination = address(destination);
  out.source_port = Port(40000);
  out.destination_port = Port(port);
  return out;
}

// A state with two IP sets: s:web has 10.0.0.1 and 10.1.0.0/16, n:http has (10.0.0.1, TCP, 80).
State with_sets() {
  Delta delta;
  delta.ip_sets["s:web"] = {.what = IpSetDelta::What::kCreate,
                            .kind = IpSetKind::kNets,
                            .added = {{.net = net("10.0.0.1"), .protocol = {}, .port = {}},
                                      {.net = net("10.1.0.0/16"), .protocol = {}, .port = {}}},
                            .removed = {}};
  delta.ip_sets["n:http"] = {.what = IpSetDelta::What::kCreate,
                             .kind = IpSetKind::kPorts,
                             .added = {{.net = net("10.0.0.1"), .protocol = model::kProtocolTcp, .port = Port(80)}},
                             .removed = {}};
  State state;
  EXPECT_TRUE(state.apply(delta).ok());
  return state;
}

struct MatchCase {
  const char* why;
  std::function<void(Rule&)> fill;
  bool matches;
};

// The packet is TCP from 10.0.0.1:40000 to 10.1.2.3:80.
const MatchCase kMatchCases[] = {
    {"an empty rule", [](Rule&) {}, true},
    {"the family", [](Rule& r) { r.ip_version = IpFamily::kV4; }, true},
    {"another family", [](Rule& r) { r.ip_version = IpFamily::kV6; }, false},
    {"the protocol", [](Rule& r) { r.protocol = model::kProtocolTcp; }, true},
    {"another protocol", [](Rule& r) { r.protocol = model::kProtocolUdp; }, false},
    {"not the protocol", [](Rule& r) { r.not_protocol = model::kProtocolTcp; }, false},
    {"not another protocol", [](Rule& r) { r.not_protocol = model::kProtocolUdp; }, true},
    {"ICMP", [](Rule& r) { r.icmp = model::IcmpMatch{.type = 8, .code = {}}; }, false},
    {"not ICMP", [](Rule& r) { r.not_icmp = model::IcmpMatch{.type = 8, .code = {}}; }, true},
    {"one of the nets",
     [](Rule& r) {
       r.source.nets = {net("192.168.0.0/16"), net("10.0.0.0/24")};
     },
     true},
    {"none of the nets",
     [](Rule& r) {
       r.source.nets = {net("192.168.0.0/16"), net("::/0")};
     },
     false},
    {"not in the nets", [](Rule& r) { r.destination.not_nets = {net("10.0.0.0/24")}; }, true},
    {"in what it must not be",
     [](Rule& r) {
       r.destination.not_nets = {net("1.1.1.1"), net("10.1.0.0/16")};
     },
     false},
    {"in the set", [](Rule& r) { r.source.sets = {"s:web"}; }, true},
    {"in a net of the set", [](Rule& r) { r.destination.sets = {"s:web"}; }, true},
    {"in the set it must not be in", [](Rule& r) { r.destination.not_sets = {"s:web"}; }, false},
    {"in set and nets, both", [](Rule& r) { r.source.sets = {"s:web"}, r.source.nets = {net("10.9.0.0/16")}; }, false},
    {"a port of the ranges",
     [](Rule& r) {
       r.destination.ports = {ports("1:2"), ports("79:80")};
     },
     true},
    {"no port of the ranges", [](Rule& r) { r.destination.ports = {ports("81")}; }, false},
    {"the source's port", [](Rule& r) { r.source.ports = {ports("40000")}; }, true},
    {"a port it must not have", [](Rule& r) { r.destination.not_ports = {ports("80")}; }, false},
    {"a named port elsewhere", [](Rule& r) { r.destination.port_sets = {"n:http"}; }, false},
    {"a range or a named port",
     [](Rule& r) { r.destination.port_sets = {"n:http"}, r.destination.ports = {ports("80")}; }, true},
    {"a named port it must not have", [](Rule& r) { r.destination.not_port_sets = {"n:http"}; }, true},
    {"a service elsewhere", [](Rule& r) { r.destination.service_sets = {"n:http"}; }, false},
};

TEST(Verdict, ARuleMatchesWhenEverythingGivenHolds) {
  const State state = with_sets();
  const Packet packet = tcp("10.0.0.1", "10.1.2.3", 80);
  for (const MatchCase& c : kMatchCases) {
    Rule rule;
    c.fill(rule);
    EXPECT_EQ(matches(state, rule, packet), c.matches) << c.why;
  }
}

TEST(Verdict, NamedPortsNeedAddressProtocolAndPort) {
  const State state = with_sets();
  Rule named;
  named.destination.port_sets = {"n:http"};
  Rule service;
  service.destination.service_sets = {"n:http"};
  Packet packet = tcp("10.9.9.9", "10.0.0.1", 80);
  EXPECT_TRUE(matches(state, named, packet) && matches(state, service, packet));
  packet.protocol = model::kProtocolUdp;
  EXPECT_FALSE(matches(state, named, packet) || matches(state, service, packet));
  packet = tcp("10.9.9.9", "10.0.0.1", 81);
  EXPECT_FALSE(matches(state, named, packet) || matches(state, service, packet));
}

TEST(Verdict, PacketsWithoutPortsHaveNone) {
  const State state = with_sets();
  Packet ping = tcp("10.0.0.1", "10.0.0.2", 0);
  ping.protocol = model::kProtocolIcmp;
  ping.icmp_type = 8;
  ping.icmp_code = 0;
  Rule rule;
  rule.destination.ports = {PortRange::all()};
  EXPECT_FALSE(matches(state, rule, ping));
  rule.destination.ports.clear();
  rule.destination.not_ports = {PortRange::all()};
  EXPECT_TRUE(matches(state, rule, ping));
  rule.icmp = model::IcmpMatch{.type = 8, .code = {}};
  EXPECT_TRUE(matches(state, rule, ping));
  rule.icmp->code = 1;
  EXPECT_FALSE(matches(state, rule, ping));
  rule.icmp.reset();
  rule.not_icmp = model::IcmpMatch{.type = 8, .code = 1};
  EXPECT_TRUE(matches(state, rule, ping));
  rule.not_icmp->code = 0;
  EXPECT_FALSE(matches(state, rule, ping));
}

// Policies of one endpoint, for ingress; each of their rules matches.
class World {
 public:
  void add_policy(const std::string& tier, TierDefaultAction default_action, const std::string& name,
                  const std::vector<RuleAction>& actions, bool is_staged = false) {
    Policy policy{.id = {.kind = model::Kind::kNetworkPolicy, .name_space = "ns", .name = name},
                  .tier = tier,
                  .is_staged = is_staged,
                  .selector = "all()",
                  .rules = rules(actions)};
    if (endpoint.policy.normal.empty() || endpoint.policy.normal.back().tier != tier) {
      endpoint.policy.normal.push_back({.tier = tier, .default_action = default_action, .ingress = {}, .egress = {}});
    }
    endpoint.policy.normal.back().ingress.push_back({.id = policy.id, .is_staged = is_staged});
    const ObjectKey id = policy.id;
    delta_.policies[id] = std::make_shared<const Policy>(std::move(policy));
  }

  void add_profile(const std::string& name, const std::vector<RuleAction>& actions, bool is_missing = false) {
    delta_.profiles[name] =
        std::make_shared<const Profile>(Profile{.name = name, .is_missing = is_missing, .rules = rules(actions)});
    endpoint.policy.profiles.push_back(name);
  }

  State state() {
    State out;
    EXPECT_TRUE(out.apply(delta_).ok());
    return out;
  }

  std::string decide() {
    path.clear();
    const State now = state();
    const Decision decision = evaluate(now, endpoint, Direction::kIngress, tcp("10.0.0.1", "10.0.0.2", 80), &path);
    return concat(decision.answer == Answer::kAllow ? "allow: " : "deny: ", decision.to_string());
  }

  Endpoint endpoint;
  std::vector<Step> path;

 private:
  static RuleSet rules(const std::vector<RuleAction>& actions) {
    RuleSet out;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      Rule rule;
      rule.action = actions[i];
      rule.index = static_cast<std::uint32_t>(i);
      out.ingress.push_back(rule);
    }
    return out;
  }

  Delta delta_;
};

TEST(Verdict, WithoutPolicyAndProfileNothingIsAllowed) {
  World world;
  EXPECT_EQ(world.decide(), "deny: no profile allows it");
  world.add_profile("empty", {});
  world.add_profile("kns.ns", {RuleAction::kAllow});
  EXPECT_EQ(world.decide(), "allow: profile kns.ns, ingress rule 0");
}

TEST(Verdict, AMissingProfileDenies) {
  World world;
  world.add_profile("gone", {}, true);
  world.add_profile("kns.ns", {RuleAction::kAllow});
  EXPECT_EQ(world.decide(), "deny: profile gone, which is missing");
}

TEST(Verdict, TheFirstAllowOrDenyDecidesAndLogDoesNot) {
  World world;
  world.add_profile("kns.ns", {RuleAction::kAllow});
  world.add_policy("default", TierDefaultAction::kDeny, "empty", {});
  world.add_policy("default", TierDefaultAction::kDeny, "a", {RuleAction::kLog, RuleAction::kDeny, RuleAction::kAllow});
  world.add_policy("default", TierDefaultAction::kDeny, "b", {RuleAction::kAllow});
  EXPECT_EQ(world.decide(), "deny: tier default, NetworkPolicy/ns/a, ingress rule 1");
  ASSERT_EQ(world.path.size(), 2U);
  EXPECT_EQ(world.path[0].what, "no rule matches");
  EXPECT_EQ(world.path[1].what, "Log");
  EXPECT_EQ(world.path[1].rule, 0U);
}

TEST(Verdict, ATierEndsInItsDefaultAction) {
  World denies;
  denies.add_profile("kns.ns", {RuleAction::kAllow});
  denies.add_policy("default", TierDefaultAction::kDeny, "log only", {RuleAction::kLog});
  EXPECT_EQ(denies.decide(), "deny: end of tier default");
  World passes;
  passes.add_profile("kns.ns", {RuleAction::kAllow});
  passes.add_policy("admin", TierDefaultAction::kPass, "a", {});
  EXPECT_EQ(passes.decide(), "allow: profile kns.ns, ingress rule 0");
}

TEST(Verdict, PassLeavesTheTier) {
  World world;
  world.add_policy("admin", TierDefaultAction::kDeny, "a", {RuleAction::kPass});
  world.add_policy("admin", TierDefaultAction::kDeny, "b", {RuleAction::kDeny});
  world.add_policy("default", TierDefaultAction::kDeny, "c", {RuleAction::kAllow});
  EXPECT_EQ(world.decide(), "allow: tier default, NetworkPolicy/ns/c, ingress rule 0");
  EXPECT_EQ(world.path.front().what, "Pass");
}

TEST(Verdict, StagedPoliciesAreNotedAndNotObeyed) {
  World world;
  world.add_profile("kns.ns", {RuleAction::kAllow});
  world.add_policy("default", TierDefaultAction::kDeny, "staged", {RuleAction::kDeny}, true);
  EXPECT_EQ(world.decide(), "allow: profile kns.ns, ingress rule 0") << "a tier with staged policies only is skipped";
  EXPECT_TRUE(world.path.front().is_staged);
  EXPECT_EQ(world.path.front().what, "would be Deny");
}

TEST(Verdict, BothEndsMustAgree) {
  World open;
  open.add_profile("kns.ns", {RuleAction::kAllow});
  const State state = open.state();
  Endpoint closed;
  const Packet packet = tcp("10.0.0.1", "10.0.0.2", 80);
  EXPECT_EQ(evaluate(state, nullptr, nullptr, packet).answer, Answer::kAllow);
  EXPECT_FALSE(evaluate(state, nullptr, nullptr, packet).decided_by);
  const Verdict in = evaluate(state, nullptr, &open.endpoint, packet);
  EXPECT_EQ(in.answer, Answer::kAllow);
  EXPECT_EQ(in.decided_by->direction, Direction::kIngress);
  const Verdict out = evaluate(state, &open.endpoint, &open.endpoint, packet);
  EXPECT_EQ(out.answer, Answer::kDeny) << "the profile has no egress rule";
  EXPECT_EQ(out.decided_by->direction, Direction::kEgress);
  EXPECT_EQ(evaluate(state, nullptr, &closed, packet).answer, Answer::kDeny);
}

TEST(Verdict, ForwardedPacketsPassAHostWithoutForwardPolicy) {
  World world;
  world.add_policy("default", TierDefaultAction::kDeny, "a", {RuleAction::kDeny});
  const State state = world.state();
  HostPacket packet{.packet = tcp("10.0.0.1", "10.0.0.2", 80), .before_dnat = tcp("10.0.0.1", "10.0.0.2", 80)};
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kDeny);
  packet.is_forwarded = true;
  EXPECT_FALSE(evaluate_host(state, world.endpoint, Direction::kIngress, packet));
  std::swap(world.endpoint.policy.normal, world.endpoint.policy.forward);
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kDeny);
  std::swap(world.endpoint.policy.forward, world.endpoint.policy.pre_dnat);
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kDeny);
  EXPECT_FALSE(evaluate_host(state, world.endpoint, Direction::kEgress, packet)) << "before DNAT is ingress only";
  std::swap(world.endpoint.policy.pre_dnat, world.endpoint.policy.untracked);
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kDeny);
}

TEST(Verdict, UntrackedPolicyAndPolicyBeforeDnatDecideByTheirRulesOnly) {
  World world;
  world.add_policy("default", TierDefaultAction::kDeny, "a", {});
  world.add_profile("open", {RuleAction::kAllow});
  const State state = world.state();
  const HostPacket packet{.packet = tcp("10.0.0.1", "10.0.0.2", 80), .before_dnat = tcp("10.0.0.1", "10.0.0.2", 80)};
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kDeny);
  std::swap(world.endpoint.policy.normal, world.endpoint.policy.untracked);
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kAllow);
  std::swap(world.endpoint.policy.untracked, world.endpoint.policy.pre_dnat);
  EXPECT_EQ(evaluate_host(state, world.endpoint, Direction::kIngress, packet)->answer, Answer::kAllow);
}

}  // namespace
}  // namespace margay::policy
