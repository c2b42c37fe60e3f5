#include "agent/render/rules.h"

#include <gtest/gtest.h>

#include <map>

#include "base/core/text.h"

namespace margay::render {
namespace {

using model::RuleAction;
using policy::Rule;

const RuleOwner kOwner{.text = "NetworkPolicy default/a ingress",
                       .tier = "t",
                       .kind = "NetworkPolicy",
                       .name = "a",
                       .full_name = "default/a"};

Settings rule_settings(const model::FelixConfigurationSpec& spec = {}) {
  FieldErrors problems;
  return settings_of(spec, KernelFeatures{}, problems);
}

RuleContext rule_context(const Settings& with, Table table = Table::kFilter, bool is_profile = false) {
  return {.family = IpFamily::kV4, .table = table, .settings = with, .owner = kOwner, .is_profile = is_profile};
}

// One line a rule.
std::string rendered(const Rule& rule, const Settings& with, Table table = Table::kFilter, bool is_profile = false) {
  std::string out;
  for (const iptables::Rule& each : render_rules({rule}, rule_context(with, table, is_profile))) {
    out += concat(each.spec, '\n');
    EXPECT_EQ(each.comment, concat("NetworkPolicy default/a ingress[", rule.index, ']'));
  }
  return out;
}

Rule tcp(RuleAction action) {
  Rule rule;
  rule.action = action;
  rule.protocol = model::kProtocolTcp;
  rule.index = 2;
  return rule;
}

TEST(Rules, AllowAndPassLeaveAMark) {
  EXPECT_EQ(rendered(tcp(RuleAction::kAllow), rule_settings()), "-p tcp -j MARK --set-xmark 0x10000/0x10000\n");
  EXPECT_EQ(rendered(tcp(RuleAction::kPass), rule_settings()), "-p tcp -j MARK --set-xmark 0x20000/0x20000\n");
}

// "A" for what leaves the accept mark, "P" the pass mark, "D" and "L" for deny and log, and what returns in lower case.
std::string letters(const std::string& actions, bool is_profile = false, Rule rule = Rule()) {
  const std::map<char, RuleAction> by_letter = {
      {'A', RuleAction::kAllow}, {'P', RuleAction::kPass}, {'D', RuleAction::kDeny}, {'L', RuleAction::kLog}};
  std::vector<Rule> rules;
  for (const char letter : actions) {
    rule.action = by_letter.at(letter);
    rules.push_back(rule);
  }
  std::string out;
  const Settings with = rule_settings();
  for (const iptables::Rule& each : render_rules(rules, rule_context(with, Table::kFilter, is_profile))) {
    const bool is_pass = each.spec.find("0x20000") != std::string::npos;
    if (each.spec.ends_with("RETURN")) {
      out.push_back(each.spec.starts_with("-j") ? 'r' : is_pass ? 'p' : 'a');
    } else {
      out.push_back(each.spec.find("LOG") != std::string::npos    ? 'L'
                    : each.spec.find("DROP") != std::string::npos ? 'D'
                    : is_pass                                     ? 'P'
                                                                  : 'A');
    }
  }
  return out;
}

TEST(Rules, APacketThatIsDecidedReturnsBeforeWhatWouldDecideOtherwise) {
  EXPECT_EQ(letters("AAA"), "AAA") << "the end of the chain returns as well";
  EXPECT_EQ(letters("AD"), "AaD");
  EXPECT_EQ(letters("AAPPD"), "AAaPPpD");
  EXPECT_EQ(letters("ALA"), "AaLA");
  EXPECT_EQ(letters("DA"), "DA");
  EXPECT_EQ(letters("PA"), "PpA");
  EXPECT_EQ(letters("APA", true), "AarA") << "the Pass of a profile is a return";
}

TEST(Rules, APacketThatIsDecidedReturnsAfterAFewRules) {
  EXPECT_EQ(letters(std::string(8, 'A')), "AAAAAAAA");
  EXPECT_EQ(letters(std::string(18, 'A')), "AAAAAAAAaAAAAAAAAaAA");
}

TEST(Rules, ARuleThatIsNotThereIsNoReasonToReturn) {
  Rule other;
  other.action = RuleAction::kDeny;
  other.ip_version = IpFamily::kV6;
  const Settings with = rule_settings();
  const auto rules = render_rules({tcp(RuleAction::kAllow), other, tcp(RuleAction::kAllow)}, rule_context(with));
  EXPECT_EQ(rules.size(), 2U);
}

TEST(Rules, PassInAProfileGoesToTheNextOne) {
  EXPECT_EQ(rendered(tcp(RuleAction::kPass), rule_settings(), Table::kFilter, true), "-p tcp -j RETURN\n");
}

TEST(Rules, DenyRejectsWhereThatIsPossibleAndWanted) {
  EXPECT_EQ(rendered(tcp(RuleAction::kDeny), rule_settings()), "-p tcp -j DROP\n");
  model::FelixConfigurationSpec spec;
  spec.netfilter.iptables_filter_deny_action = model::DenyAction::kReject;
  EXPECT_EQ(rendered(tcp(RuleAction::kDeny), rule_settings(spec)), "-p tcp -j REJECT\n");
  EXPECT_EQ(rendered(tcp(RuleAction::kDeny), rule_settings(spec), Table::kRaw), "-p tcp -j DROP\n");
  EXPECT_EQ(rendered(tcp(RuleAction::kDeny), rule_settings(spec), Table::kMangle), "-p tcp -j DROP\n");
}

TEST(Rules, LogWritesWithPrefixAndLimit) {
  EXPECT_EQ(rendered(tcp(RuleAction::kLog), rule_settings()),
            "-p tcp -j LOG --log-prefix \"calico-packet: \" --log-level 5\n");
  model::FelixConfigurationSpec spec;
  spec.netfilter.log_prefix = "%t/%k";
  spec.netfilter.log_action_rate_limit = "10/minute";
  spec.netfilter.log_action_rate_limit_burst = 20;
  EXPECT_EQ(rendered(tcp(RuleAction::kLog), rule_settings(spec)),
            "-p tcp -m limit --limit 10/minute --limit-burst 20 -j LOG --log-prefix \"t/NetworkPolicy: \" "
            "--log-level 5\n");
}

TEST(Rules, ThePrefixOfTheLogNamesWhoWrites) {
  EXPECT_EQ(log_prefix("%n", kOwner), "a: ");
  EXPECT_EQ(log_prefix("%p", kOwner), "default/a: ");
  EXPECT_EQ(log_prefix("%t %% %x %", kOwner), "t %  %: ");
  RuleOwner long_one = kOwner;
  long_one.full_name = std::string(60, 'n');
  EXPECT_EQ(log_prefix("calico %p", long_one).size(), 29U);
  EXPECT_TRUE(log_prefix("calico %p", long_one).ends_with(": "));
  long_one.full_name = "a\" -j ACCEPT \\\n'";
  EXPECT_EQ(log_prefix("%p", long_one), "a_ -j ACCEPT ___: ");
}

TEST(Rules, OneListOfAlternativesIsOneBlock) {
  Rule rule = tcp(RuleAction::kDeny);
  rule.source.nets = {IpPrefix::parse("10.0.0.0/8").value(), IpPrefix::parse("11.0.0.0/8").value()};
  EXPECT_EQ(rendered(rule, rule_settings()),
            "-j MARK --set-xmark 0x0/0xc0000\n"
            "-s 10.0.0.0/8 -j MARK --set-xmark 0x40000/0x40000\n"
            "-s 11.0.0.0/8 -j MARK --set-xmark 0x40000/0x40000\n"
            "-p tcp -m mark --mark 0x40000/0x40000 -j DROP\n");
}

TEST(Rules, ASecondBlockKeepsTheMarkOfTheFirstOnlyIfItIsTrue) {
  Rule rule = tcp(RuleAction::kDeny);
  rule.source.nets = {IpPrefix::parse("10.0.0.0/8").value(), IpPrefix::parse("11.0.0.0/8").value()};
  rule.destination.nets = {IpPrefix::parse("12.0.0.0/8").value(), IpPrefix::parse("13.0.0.0/8").value()};
  rule.destination.not_nets = {IpPrefix::parse("12.1.0.0/16").value(), IpPrefix::parse("12.2.0.0/16").value()};
  EXPECT_EQ(rendered(rule, rule_settings()),
            "-j MARK --set-xmark 0x0/0xc0000\n"
            "-s 10.0.0.0/8 -j MARK --set-xmark 0x40000/0x40000\n"
            "-s 11.0.0.0/8 -j MARK --set-xmark 0x40000/0x40000\n"
            "-j MARK --set-xmark 0x0/0x80000\n"
            "-d 12.0.0.0/8 -j MARK --set-xmark 0x80000/0x80000\n"
            "-d 13.0.0.0/8 -j MARK --set-xmark 0x80000/0x80000\n"
            "-m mark --mark 0x0/0x80000 -j MARK --set-xmark 0x0/0x40000\n"
            "-d 12.1.0.0/16 -j MARK --set-xmark 0x0/0x40000\n"
            "-d 12.2.0.0/16 -j MARK --set-xmark 0x0/0x40000\n"
            "-p tcp -m mark --mark 0x40000/0x40000 -j DROP\n");
}

TEST(Rules, ABlockOfWhatMustNotBeBeginsAsTrue) {
  Rule rule = tcp(RuleAction::kAllow);
  rule.source.not_nets = {IpPrefix::parse("10.0.0.0/8").value(), IpPrefix::parse("11.0.0.0/8").value()};
  EXPECT_EQ(rendered(rule, rule_settings()),
            "-j MARK --set-xmark 0x40000/0xc0000\n"
            "-s 10.0.0.0/8 -j MARK --set-xmark 0x0/0x40000\n"
            "-s 11.0.0.0/8 -j MARK --set-xmark 0x0/0x40000\n"
            "-p tcp -m mark --mark 0x40000/0x40000 -j MARK --set-xmark 0x10000/0x10000\n");
}

TEST(Rules, ARuleOfTheOtherFamilyIsNotThere) {
  Rule rule = tcp(RuleAction::kDeny);
  rule.ip_version = IpFamily::kV6;
  EXPECT_EQ(rendered(rule, rule_settings()), "");
}

TEST(Rules, WhatCannotBeAskedIsDeniedAndNeverAllowed) {
  for (const RuleAction action : {RuleAction::kAllow, RuleAction::kPass, RuleAction::kLog}) {
    Rule rule = tcp(action);
    rule.protocol = model::kProtocolIcmp;
    rule.icmp = model::IcmpMatch{.type = {}, .code = 1};
    EXPECT_EQ(rendered(rule, rule_settings()), "");
    rule.action = RuleAction::kDeny;
    EXPECT_EQ(rendered(rule, rule_settings()), "-p icmp -j DROP\n");
  }
}

}  // namespace
}  // namespace margay::render
