#include "agent/render/conditions.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/core/text.h"

namespace margay::render {
namespace {

using model::IcmpMatch;
using policy::Rule;

IpPrefix net(std::string_view text) { return IpPrefix::parse_cidr_or_address(text).value(); }
PortRange port(std::string_view text) { return PortRange::parse(text).value(); }

// "matches | any: a, b | none: c", or "never".
std::string conditions_text(const std::optional<Conditions>& conditions) {
  if (!conditions) return "never";
  std::string out = conditions->matches;
  for (const Block& block : conditions->blocks) {
    out += concat(" | ", block.is_negated ? "none: " : "any: ", join(block.matches, ", "));
  }
  return out;
}

struct Case {
  const char* why;
  std::function<void(Rule&)> fill;
  const char* v4;
  const char* v6;
};

const Case kCases[] = {
    {"nothing asked", [](Rule&) {}, "", ""},
    {"a family", [](Rule& r) { r.ip_version = IpFamily::kV6; }, "never", ""},
    {"a protocol by name", [](Rule& r) { r.protocol = model::kProtocolTcp; }, "-p tcp", "-p tcp"},
    {"ICMPv6 by iptables' name", [](Rule& r) { r.protocol = model::kProtocolIcmpV6; }, "-p ipv6-icmp", "-p ipv6-icmp"},
    {"a protocol by number", [](Rule& r) { r.protocol = model::Protocol(47); }, "-p 47", "-p 47"},
    {"protocol 0 would be all", [](Rule& r) { r.protocol = model::Protocol(0); }, "never", "never"},
    {"not a protocol", [](Rule& r) { r.not_protocol = model::kProtocolUdp; }, "! -p udp", "! -p udp"},
    {"the protocol it must not be", [](Rule& r) { r.protocol = r.not_protocol = model::kProtocolUdp; }, "never",
     "never"},
    {"a protocol and not another",
     [](Rule& r) { r.protocol = model::kProtocolTcp, r.not_protocol = model::kProtocolUdp; }, "-p tcp", "-p tcp"},
    {"an ICMP type is of the family's ICMP", [](Rule& r) { r.icmp = IcmpMatch{.type = 8, .code = {}}; },
     "-p icmp -m icmp --icmp-type 8", "-p ipv6-icmp -m icmp6 --icmpv6-type 8"},
    {"type and code", [](Rule& r) { r.icmp = IcmpMatch{.type = 3, .code = 1}; }, "-p icmp -m icmp --icmp-type 3/1",
     "-p ipv6-icmp -m icmp6 --icmpv6-type 3/1"},
    {"a type of the other family's protocol",
     [](Rule& r) { r.protocol = model::kProtocolIcmp, r.icmp = IcmpMatch{.type = 8, .code = {}}; },
     "-p icmp -m icmp --icmp-type 8", "never"},
    {"a type no packet has", [](Rule& r) { r.icmp = IcmpMatch{.type = 255, .code = {}}; }, "never", "never"},
    {"not a type: other protocols match", [](Rule& r) { r.not_icmp = IcmpMatch{.type = 8, .code = {}}; },
     " | none: -p icmp -m icmp --icmp-type 8", " | none: -p ipv6-icmp -m icmp6 --icmpv6-type 8"},
    {"not a type of ICMP",
     [](Rule& r) { r.protocol = model::kProtocolIcmp, r.not_icmp = IcmpMatch{.type = 8, .code = 0}; },
     "-p icmp -m icmp ! --icmp-type 8/0", "-p icmp"},
    {"not a type, of TCP",
     [](Rule& r) { r.protocol = model::kProtocolTcp, r.not_icmp = IcmpMatch{.type = 8, .code = {}}; }, "-p tcp",
     "-p tcp"},
    {"a network is of one family", [](Rule& r) { r.source.nets = {net("10.0.0.0/8")}; }, "-s 10.0.0.0/8", "never"},
    {"several networks",
     [](Rule& r) {
       r.destination.nets = {net("10.0.0.0/8"), net("10.1.2.3"), net("fd00::/8")};
     },
     " | any: -d 10.0.0.0/8, -d 10.1.2.3/32", "-d fd00::/8"},
    {"everything is no question",
     [](Rule& r) {
       r.source.nets = {net("0.0.0.0/0"), net("10.0.0.0/8")};
     },
     "", "never"},
    {"not a network: the other family matches", [](Rule& r) { r.source.not_nets = {net("10.0.0.0/8")}; },
     "! -s 10.0.0.0/8", ""},
    {"not several networks",
     [](Rule& r) {
       r.source.not_nets = {net("10.0.0.0/8"), net("11.0.0.0/8")};
     },
     " | none: -s 10.0.0.0/8, -s 11.0.0.0/8", ""},
    {"one network and not another of the same end",
     [](Rule& r) { r.source.nets = {net("10.0.0.0/8")}, r.source.not_nets = {net("10.1.0.0/16")}; },
     "-s 10.0.0.0/8 | none: -s 10.1.0.0/16", "never"},
    {"several networks and not another",
     [](Rule& r) {
       r.source.nets = {net("10.0.0.0/8"), net("11.0.0.0/8")};
       r.source.not_nets = {net("10.1.0.0/16")};
     },
     "! -s 10.1.0.0/16 | any: -s 10.0.0.0/8, -s 11.0.0.0/8", "never"},
    {"not everything", [](Rule& r) { r.source.not_nets = {net("::/0")}; }, "", "never"},
    {"sets, all of them",
     [](Rule& r) {
       r.source.sets = {"s:a", "s:b"}, r.destination.not_sets = {"s:c"};
     },
     "-m set --match-set margay4s:a src -m set --match-set margay4s:b src -m set ! --match-set margay4s:c dst",
     "-m set --match-set margay6s:a src -m set --match-set margay6s:b src -m set ! --match-set margay6s:c dst"},
    {"services", [](Rule& r) { r.destination.service_sets = {"svc:a"}; }, "-m set --match-set margay4svc:a dst,dst",
     "-m set --match-set margay6svc:a dst,dst"},
    {"ports of a protocol",
     [](Rule& r) {
       r.protocol = model::kProtocolUdp, r.destination.ports = {port("53"), port("8000:8010")};
     },
     "-p udp -m multiport --dports 53,8000:8010", "-p udp -m multiport --dports 53,8000:8010"},
    {"ports of both ends",
     [](Rule& r) {
       r.protocol = model::kProtocolTcp;
       r.source.ports = {port("1")};
       r.destination.ports = {port("2")};
     },
     "-p tcp -m multiport --sports 1 -m multiport --dports 2",
     "-p tcp -m multiport --sports 1 -m multiport --dports 2"},
    {"ports of any protocol that has them", [](Rule& r) { r.destination.ports = {port("80")}; },
     " | any: -p tcp -m multiport --dports 80, -p udp -m multiport --dports 80, -p sctp -m multiport --dports 80",
     " | any: -p tcp -m multiport --dports 80, -p udp -m multiport --dports 80, -p sctp -m multiport --dports 80"},
    {"ports of a protocol without",
     [](Rule& r) { r.protocol = model::Protocol(47), r.destination.ports = {port("80")}; }, "never", "never"},
    {"ports or a named port",
     [](Rule& r) {
       r.protocol = model::kProtocolTcp;
       r.destination.ports = {port("80")};
       r.destination.port_sets = {"n:http"};
     },
     "-p tcp | any: -p tcp -m multiport --dports 80, -m set --match-set margay4n:http dst,dst",
     "-p tcp | any: -p tcp -m multiport --dports 80, -m set --match-set margay6n:http dst,dst"},
    {"a named port", [](Rule& r) { r.protocol = model::kProtocolTcp, r.source.port_sets = {"n:a"}; },
     "-p tcp -m set --match-set margay4n:a src,src", "-p tcp -m set --match-set margay6n:a src,src"},
    {"not ports", [](Rule& r) { r.protocol = model::kProtocolTcp, r.destination.not_ports = {port("80")}; },
     "-p tcp -m multiport ! --dports 80", "-p tcp -m multiport ! --dports 80"},
    {"not ports: protocols without match",
     [](Rule& r) { r.protocol = model::Protocol(47), r.destination.not_ports = {port("80")}; }, "-p 47", "-p 47"},
    {"not ports of any protocol but one",
     [](Rule& r) { r.not_protocol = model::kProtocolTcp, r.source.not_ports = {port("80")}; },
     "! -p tcp | none: -p udp -m multiport --sports 80, -p sctp -m multiport --sports 80",
     "! -p tcp | none: -p udp -m multiport --sports 80, -p sctp -m multiport --sports 80"},
    {"not named ports",
     [](Rule& r) {
       r.destination.not_port_sets = {"n:a", "n:b"};
     },
     "-m set ! --match-set margay4n:a dst,dst -m set ! --match-set margay4n:b dst,dst",
     "-m set ! --match-set margay6n:a dst,dst -m set ! --match-set margay6n:b dst,dst"},
};

TEST(Conditions, SayWhatTheRuleAsks) {
  for (const Case& c : kCases) {
    Rule rule;
    c.fill(rule);
    EXPECT_EQ(conditions_text(conditions_of(rule, IpFamily::kV4)), c.v4) << c.why;
    EXPECT_EQ(conditions_text(conditions_of(rule, IpFamily::kV6)), c.v6) << c.why;
  }
}

TEST(Conditions, FifteenPlacesForPortsInOneMatchAndARangeTakesTwo) {
  Rule rule;
  rule.protocol = model::kProtocolTcp;
  for (std::uint16_t n = 1; n <= 15; ++n) rule.destination.ports.push_back(PortRange(Port(n)));
  EXPECT_EQ(conditions_text(conditions_of(rule, IpFamily::kV4)),
            "-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15");
  rule.destination.ports.back() = port("15:16");
  EXPECT_EQ(conditions_text(conditions_of(rule, IpFamily::kV4)),
            "-p tcp | any: -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14, "
            "-p tcp -m multiport --dports 15:16");
  std::swap(rule.destination.ports, rule.destination.not_ports);
  EXPECT_EQ(conditions_text(conditions_of(rule, IpFamily::kV4)),
            "-p tcp -m multiport ! --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14 -m multiport ! --dports 15:16");
}

TEST(Conditions, WhatMustBeTrueStandsBeforeWhatMustNot) {
  Rule rule;
  rule.source.not_nets = {net("10.0.0.0/8"), net("11.0.0.0/8")};
  rule.destination.nets = {net("12.0.0.0/8"), net("13.0.0.0/8")};
  EXPECT_EQ(conditions_text(conditions_of(rule, IpFamily::kV4)),
            " | any: -d 12.0.0.0/8, -d 13.0.0.0/8 | none: -s 10.0.0.0/8, -s 11.0.0.0/8");
}

TEST(Conditions, ACodeWithoutATypeCannotBeAsked) {
  Rule rule;
  EXPECT_TRUE(problems_of(rule, "spec.ingress[0]").empty());
  rule.icmp = IcmpMatch{.type = {}, .code = 1};
  rule.not_icmp = IcmpMatch{.type = {}, .code = 2};
  const FieldErrors problems = problems_of(rule, "spec.ingress[0]");
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].path, "spec.ingress[0].icmp");
  EXPECT_EQ(problems[1].path, "spec.ingress[0].notICMP");
}

}  // namespace
}  // namespace margay::render
