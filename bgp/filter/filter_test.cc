#include "bgp/filter/filter.h"

#include <gtest/gtest.h>

#include "base/core/random.h"
#include "base/core/text.h"
#include "bgp/filter/pattern.h"

namespace margay::bgp {
namespace {

IpPrefix prefix(std::string_view text) { return *IpPrefix::parse(text); }

FilterChain chain_of(std::vector<FilterRule> rules) {
  return std::make_shared<const std::vector<Filter>>(std::vector{Filter{"f", std::move(rules)}});
}

bool matches(const FilterRule& rule, const RouteFacts& route) {
  return evaluate(chain_of({rule}), route).rule != nullptr;
}

// --- cidr, operator, lengths ---

struct CidrCase {
  std::string_view route, cidr;
  MatchOperator op;
  std::optional<int> min, max;
  bool matches;
};

constexpr auto kEqual = MatchOperator::kEqual;
constexpr auto kNotEqual = MatchOperator::kNotEqual;
constexpr auto kIn = MatchOperator::kIn;
constexpr auto kNotIn = MatchOperator::kNotIn;
constexpr std::nullopt_t kNone = std::nullopt;

const CidrCase kCidrCases[] = {
    {"10.0.0.0/16", "10.0.0.0/16", kEqual, kNone, kNone, true},
    {"10.0.0.0/24", "10.0.0.0/16", kEqual, kNone, kNone, false},
    {"10.0.0.0/8", "10.0.0.0/16", kEqual, kNone, kNone, false},
    {"10.0.0.0/16", "10.0.0.0/16", kNotEqual, kNone, kNone, false},
    {"10.0.0.0/24", "10.0.0.0/16", kNotEqual, kNone, kNone, true},
    {"10.0.0.0/16", "10.0.0.0/16", kIn, kNone, kNone, true},
    {"10.0.7.1/32", "10.0.0.0/16", kIn, kNone, kNone, true},
    {"10.1.0.0/24", "10.0.0.0/16", kIn, kNone, kNone, false},
    {"10.0.0.0/8", "10.0.0.0/16", kIn, kNone, kNone, false},
    {"10.0.0.0/16", "10.0.0.0/16", kNotIn, kNone, kNone, false},
    {"10.0.0.0/8", "10.0.0.0/16", kNotIn, kNone, kNone, true},
    {"10.1.0.0/24", "10.0.0.0/16", kNotIn, kNone, kNone, true},
    {"0.0.0.0/0", "0.0.0.0/0", kIn, kNone, kNone, true},
    {"2001:db8::/32", "10.0.0.0/16", kIn, kNone, kNone, false},
    {"2001:db8::/32", "10.0.0.0/16", kNotIn, kNone, kNone, true},
    {"2001:db8::/48", "2001:db8::/32", kIn, kNone, kNone, true},
    {"2001:db8::/48", "2001:db8::/32", kIn, 64, 128, false},
    // lengths
    {"10.0.0.0/24", "10.0.0.0/16", kIn, 24, 26, true},
    {"10.0.0.0/26", "10.0.0.0/16", kIn, 24, 26, true},
    {"10.0.0.0/23", "10.0.0.0/16", kIn, 24, 26, false},
    {"10.0.0.0/27", "10.0.0.0/16", kIn, 24, 26, false},
    {"10.0.0.0/32", "10.0.0.0/16", kIn, 24, kNone, true},
    {"10.0.0.0/16", "10.0.0.0/16", kIn, kNone, 24, true},
    {"10.0.0.0/25", "10.0.0.0/16", kIn, kNone, 24, false},
    {"10.0.0.0/12", "10.0.0.0/16", kIn, 8, 24, false},  // never shorter than the cidr
    {"10.0.0.0/24", "10.0.0.0/16", kNotIn, 24, 26, false},
    {"10.0.0.0/27", "10.0.0.0/16", kNotIn, 24, 26, true},  // the whole is negated
    {"10.1.0.0/24", "10.0.0.0/16", kNotIn, 24, 26, true},
    {"10.0.0.0/16", "10.0.0.0/16", kEqual, 8, 16, true},
    {"10.0.0.0/16", "10.0.0.0/16", kEqual, 17, 32, false},
    {"10.0.0.0/16", "10.0.0.0/16", kNotEqual, 17, 32, true},
};

TEST(Filter, CidrOperatorsAndLengths) {
  for (const CidrCase& each : kCidrCases) {
    FilterRule rule;
    rule.cidr = prefix(each.cidr);
    rule.cidr_operator = each.op;
    rule.length_min = each.min;
    rule.length_max = each.max;
    RouteFacts route;
    route.prefix = prefix(each.route);
    EXPECT_EQ(matches(rule, route), each.matches)
        << each.route << " " << static_cast<int>(each.op) << " " << each.cidr << " " << each.min.value_or(-1);
  }
}

TEST(Filter, LengthsWithoutCidrAreNotLookedAt) {
  FilterRule rule;
  rule.length_min = 30;
  RouteFacts route;
  route.prefix = prefix("10.0.0.0/8");
  EXPECT_TRUE(matches(rule, route));
}

// --- the other matches ---

struct Attributes {
  std::string bytes;
  explicit Attributes(std::vector<Asn> path) {
    AttributeEditor editor;
    editor.set_origin(Origin::kIgp);
    editor.set_as_path(path);
    editor.add_community(65000U << 16 | 1);
    editor.add_community(LargeCommunity{65000, 1, 2});
    bytes = editor.finish();
  }
  [[nodiscard]] AttributeView view() const { return AttributeView(bytes::view_of(bytes)); }
};

struct MatchCase {
  std::string_view why;
  void (*rule)(FilterRule&);
  void (*route)(RouteFacts&);
  bool matches;
};

void nothing(RouteFacts&) {}
const MatchCase kMatchCases[] = {
    {"no match is always true", [](FilterRule&) {}, nothing, true},
    {"RemotePeers of a learnt route", [](FilterRule& r) { r.only_from_peers = true; },
     [](RouteFacts& f) { f.from_peer = true; }, true},
    {"RemotePeers of our own", [](FilterRule& r) { r.only_from_peers = true; }, nothing, false},
    {"interface", [](FilterRule& r) { r.interface = "eth0"; }, [](RouteFacts& f) { f.interface = "eth0"; }, true},
    {"interface pattern", [](FilterRule& r) { r.interface = "*.calico"; },
     [](RouteFacts& f) { f.interface = "vxlan.calico"; }, true},
    {"another interface", [](FilterRule& r) { r.interface = "eth*"; }, [](RouteFacts& f) { f.interface = "tunl0"; },
     false},
    {"unknown interface", [](FilterRule& r) { r.interface = "*"; }, nothing, false},
    {"iBGP", [](FilterRule& r) { r.peer_type = PeerType::kInternal; }, nothing, true},
    {"eBGP", [](FilterRule& r) { r.peer_type = PeerType::kExternal; }, nothing, false},
    {"eBGP of an external peer", [](FilterRule& r) { r.peer_type = PeerType::kExternal; },
     [](RouteFacts& f) { f.peer_type = PeerType::kExternal; }, true},
    {"community", [](FilterRule& r) { r.community = 65000U << 16 | 1; }, nothing, true},
    {"another community", [](FilterRule& r) { r.community = 65000U << 16 | 2; }, nothing, false},
    {"large community",
     [](FilterRule& r) {
       r.community = LargeCommunity{65000, 1, 2};
     },
     nothing, true},
    {"another large community",
     [](FilterRule& r) {
       r.community = LargeCommunity{65000, 2, 1};
     },
     nothing, false},
    {"AS path prefix",
     [](FilterRule& r) {
       r.as_path_prefix = {Asn(65001), Asn(65002)};
     },
     nothing, true},
    {"whole AS path",
     [](FilterRule& r) {
       r.as_path_prefix = {Asn(65001), Asn(65002), Asn(65003)};
     },
     nothing, true},
    {"longer than the AS path",
     [](FilterRule& r) {
       r.as_path_prefix = {Asn(65001), Asn(65002), Asn(65003), Asn(65004)};
     },
     nothing, false},
    {"not at the front", [](FilterRule& r) { r.as_path_prefix = {Asn(65002)}; }, nothing, false},
    {"no attributes", [](FilterRule& r) { r.as_path_prefix = {Asn(65001)}; }, [](RouteFacts& f) { f.attributes = {}; },
     false},
    {"priority", [](FilterRule& r) { r.priority = 1024; }, nothing, true},
    {"another priority", [](FilterRule& r) { r.priority = 512; }, nothing, false},
    {"all must hold",
     [](FilterRule& r) {
       r.priority = 1024;
       r.community = 1U;
     },
     nothing, false},
};

TEST(Filter, EachMatch) {
  const Attributes attributes({Asn(65001), Asn(65002), Asn(65003)});
  for (const MatchCase& each : kMatchCases) {
    FilterRule rule;
    each.rule(rule);
    RouteFacts route;
    route.prefix = prefix("10.0.0.0/24");
    route.attributes = attributes.view();
    each.route(route);
    EXPECT_EQ(matches(rule, route), each.matches) << each.why;
  }
}

TEST(Pattern, StarsAndQuestionMarks) {
  const struct {
    std::string_view pattern, name;
    bool matches;
  } cases[] = {
      {"eth0", "eth0", true},
      {"eth0", "eth00", false},
      {"eth00", "eth0", false},
      {"eth*", "eth0", true},
      {"eth*", "eth", true},
      {"*", "x", true},
      {"*", "", false},
      {"", "", false},
      {"", "a", false},
      {"*a*b", "xaxxab", true},
      {"*a*b", "xaxxac", false},
      {"e?h0", "eth0", true},
      {"eth?", "eth", false},
      {"**", "ab", true},
      {"a*a", "a", false},
      {"a*a", "aa", true},
      {"*.calico", "vxlan.calico", true},
      {"*ab", "aab", true},
  };
  for (const auto& each : cases)
    EXPECT_EQ(matches_pattern(each.pattern, each.name), each.matches) << each.pattern << " " << each.name;
}

// --- chains ---

FilterRule rule_for(std::string_view cidr, bool accept) {
  FilterRule rule;
  rule.cidr = prefix(cidr);
  rule.cidr_operator = kIn;
  rule.accept = accept;
  return rule;
}

TEST(Filter, TheFirstMatchOfTheFirstFilterDecides) {
  const auto chain = std::make_shared<const std::vector<Filter>>(
      std::vector{Filter{"empty", {}}, Filter{"one", {rule_for("10.0.0.0/16", true), rule_for("10.0.0.0/8", false)}},
                  Filter{"two", {rule_for("11.0.0.0/8", false), rule_for("10.0.0.0/8", true)}}});
  const auto decided = [&](std::string_view route) {
    RouteFacts facts;
    facts.prefix = prefix(route);
    const Verdict verdict = evaluate(chain, facts);
    return concat(verdict.accept ? "accept" : "reject", " ", verdict.filter);
  };
  EXPECT_EQ(decided("10.0.1.0/24"), "accept one");
  EXPECT_EQ(decided("10.1.0.0/24"), "reject one");
  EXPECT_EQ(decided("11.1.0.0/24"), "reject two");
  EXPECT_EQ(decided("12.0.0.0/8"), "accept ");
}

TEST(Filter, WithoutRulesAllIsAccepted) {
  EXPECT_TRUE(evaluate(nullptr, {}).accept);
  EXPECT_EQ(evaluate(nullptr, {}).rule, nullptr);
  EXPECT_TRUE(evaluate(chain_of({}), {}).accept);
}

TEST(Filter, ChangesOnlyWithAcceptAndOperations) {
  FilterRule rule;
  EXPECT_FALSE(evaluate(chain_of({rule}), {}).changes());
  rule.operations.push_back({.add_community = AnyCommunity(1U), .prepend = {}, .set_priority = {}});
  const FilterChain accepting = chain_of({rule});
  EXPECT_TRUE(evaluate(accepting, {}).changes());
  rule.accept = false;
  const FilterChain rejecting = chain_of({rule});
  EXPECT_FALSE(evaluate(rejecting, {}).changes());
}

TEST(Filter, OperationsAreDoneInOrder) {
  FilterRule rule;
  rule.operations = {
      {.add_community = AnyCommunity(7U), .prepend = {}, .set_priority = {}},
      {.add_community = {}, .prepend = {Asn(1), Asn(2)}, .set_priority = {}},
      {.add_community = {}, .prepend = {Asn(3)}, .set_priority = {}},
      {.add_community = AnyCommunity(LargeCommunity{1, 2, 3}), .prepend = {}, .set_priority = 100},
      {.add_community = AnyCommunity(7U), .prepend = {}, .set_priority = 200},
  };
  const Attributes attributes({Asn(65001)});
  AttributeEditor editor(attributes.view());
  std::uint32_t priority = 1024;
  apply(rule, editor, priority);
  const std::string bytes = editor.finish();
  const AttributeView view(bytes::view_of(bytes));
  EXPECT_EQ(view.as_path().to_string(), "3 1 2 65001");
  EXPECT_EQ(view.communities(), (std::vector<std::uint32_t>{7, 65000U << 16 | 1}));
  EXPECT_EQ(view.large_communities(), (std::vector<LargeCommunity>{{1, 2, 3}, {65000, 1, 2}}));
  EXPECT_EQ(priority, 200U);
}

TEST(Filter, SaysWhetherDestinationsMatter) {
  EXPECT_FALSE(looks_at_prefix(nullptr));
  EXPECT_FALSE(looks_at_prefix(chain_of({})));
  FilterRule by_community;
  by_community.community = AnyCommunity(1U);
  EXPECT_FALSE(looks_at_prefix(chain_of({by_community})));
  EXPECT_TRUE(looks_at_prefix(chain_of({by_community, rule_for("10.0.0.0/8", true)})));
  FilterRule by_interface;
  by_interface.interface = "eth0";
  EXPECT_TRUE(looks_at_prefix(chain_of({by_interface})));
}

// --- against a plain reading of the documentation ---

// Bit by bit, and the set of prefixes that a rule names made explicit.
bool reference_matches(const FilterRule& rule, const IpPrefix& route) {
  const IpPrefix& cidr = *rule.cidr;
  bool inside = route.family() == cidr.family() && route.length() >= cidr.length();
  for (int bit = 0; inside && bit < cidr.length(); ++bit) inside = cidr.bits().at(bit) == route.bits().at(bit);
  const bool same = inside && route.length() == cidr.length();
  bool in_range = true;
  if (rule.length_min && route.length() < *rule.length_min) in_range = false;
  if (rule.length_max && route.length() > *rule.length_max) in_range = false;
  switch (rule.cidr_operator) {
    case kEqual: return same && in_range;
    case kNotEqual: return !(same && in_range);
    case kIn: return inside && in_range;
    case kNotIn: return !(inside && in_range);
  }
  return false;
}

IpPrefix random_prefix(SeededRandom& random) {
  const int length = static_cast<int>(random.below(33));
  // Few distinct bits, so that prefixes often contain each other.
  const auto bits = static_cast<std::uint32_t>(random.next() & 0xc0c0c0c0);
  if (random.below(8) == 0) return IpPrefix::containing(IpAddress::v6(std::uint64_t{bits} << 32, 0), length);
  return IpPrefix::containing(IpAddress::v4(bits), length);
}

TEST(Filter, AgreesWithThePlainReference) {
  SeededRandom random(3);
  std::size_t matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<FilterRule> rules(1 + random.below(4));
    for (FilterRule& rule : rules) {
      rule.cidr = random_prefix(random);
      rule.cidr_operator = static_cast<MatchOperator>(random.below(4));
      rule.accept = random.below(2) == 0;
      if (random.below(3) == 0) rule.length_min = static_cast<int>(random.below(33));
      if (random.below(3) == 0) rule.length_max = static_cast<int>(random.below(33));
    }
    RouteFacts route;
    route.prefix = random_prefix(random);
    std::size_t expected = 0;
    while (expected < rules.size() && !reference_matches(rules[expected], route.prefix)) ++expected;
    const FilterChain chain = chain_of(rules);
    const Verdict verdict = evaluate(chain, route);
    if (expected == rules.size()) {
      ASSERT_EQ(verdict.rule, nullptr);
      ASSERT_TRUE(verdict.accept);
    } else {
      ++matched;
      ASSERT_EQ(verdict.rule, &chain->front().rules[expected]) << route.prefix.to_string();
      ASSERT_EQ(verdict.accept, rules[expected].accept);
    }
  }
  EXPECT_GT(matched, 5'000U);
  EXPECT_LT(matched, 19'900U);
}

}  // namespace
}  // namespace margay::bgp
