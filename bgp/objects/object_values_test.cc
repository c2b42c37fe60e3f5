#include "bgp/objects/object_values.h"

#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::bgp {
namespace {

model::BgpFilterRule rule_for(std::string_view cidr, model::FilterAction action) {
  model::BgpFilterRule rule;
  rule.cidr = IpPrefix::parse(cidr).value();
  rule.match_operator = model::FilterMatchOperator::kIn;
  rule.action = action;
  return rule;
}

TEST(ObjectValues, ARuleKeepsEveryField) {
  model::BgpFilterRule from = rule_for("10.0.0.0/8", model::FilterAction::kAccept);
  from.match_operator = model::FilterMatchOperator::kNotIn;
  from.prefix_length = model::PrefixLengthRange{24, 28};
  from.source = model::FilterSource::kRemotePeers;
  from.interface = "eth*";
  from.peer_type = model::FilterPeerType::kEbgp;
  from.communities = model::FilterCommunities{{model::Community::standard(64512, 7)}};
  from.as_path_prefix = {Asn(65001)};
  from.priority = 512;
  model::FilterOperation operation;
  operation.add_community = model::AddCommunity{model::Community::large(1, 2, 3)};
  from.operations.push_back(operation);
  operation = {};
  operation.prepend_as_path = model::PrependAsPath{{Asn(1), Asn(2)}};
  from.operations.push_back(operation);
  operation = {};
  operation.set_priority = model::SetPriority{100};
  from.operations.push_back(operation);

  FilterRule want;
  want.cidr = from.cidr;
  want.cidr_operator = MatchOperator::kNotIn;
  want.length_min = 24;
  want.length_max = 28;
  want.only_from_peers = true;
  want.interface = "eth*";
  want.peer_type = PeerType::kExternal;
  want.community = AnyCommunity{64512U << 16 | 7U};
  want.as_path_prefix = {Asn(65001)};
  want.priority = 512;
  want.operations = {{.add_community = LargeCommunity{1, 2, 3}, .prepend = {}, .set_priority = {}},
                     {.add_community = {}, .prepend = {Asn(1), Asn(2)}, .set_priority = {}},
                     {.add_community = {}, .prepend = {}, .set_priority = 100}};
  const Filter filter = filter_of("f", {from});
  EXPECT_EQ(filter.name, "f");
  ASSERT_EQ(filter.rules.size(), 1U);
  EXPECT_TRUE(filter.rules.front() == want);
}

TEST(ObjectValues, FiltersStandInOrderAndOnlyWhereTheyHaveRules) {
  model::BgpFilterSpec first, second;
  first.export_v4 = {rule_for("10.1.0.0/16", model::FilterAction::kReject)};
  second.export_v4 = {rule_for("10.2.0.0/16", model::FilterAction::kAccept)};
  second.import_v6 = {rule_for("fd00::/8", model::FilterAction::kReject)};
  FilterLists lists;
  add_filter("first", first, lists);
  add_filter("second", second, lists);
  ASSERT_EQ(lists.exports[Family::kIpv4Unicast].size(), 2U);
  EXPECT_EQ(lists.exports[Family::kIpv4Unicast][0].name, "first");
  EXPECT_EQ(lists.exports[Family::kIpv4Unicast][1].name, "second");
  ASSERT_EQ(lists.imports[Family::kIpv6Unicast].size(), 1U);
  EXPECT_EQ(chain_of(lists.imports[Family::kIpv4Unicast]), nullptr) << "no rules: no chain";
  EXPECT_NE(chain_of(lists.imports[Family::kIpv6Unicast]), nullptr);
}

TEST(ObjectValues, RulesThatCanMatchNothingAreNamed) {
  model::BgpFilterSpec spec;
  spec.import_v4 = {rule_for("10.0.0.0/8", model::FilterAction::kAccept)};
  spec.import_v4[0].prefix_length = model::PrefixLengthRange{28, 24};
  spec.import_v4[0].as_path_prefix = {Asn(1), Asn(0)};
  const FieldErrors errors = check_filter(spec);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0].path, "spec.importV4[0].prefixLength");
  EXPECT_EQ(errors[1].path, "spec.importV4[0].asPathPrefix[1]");
}

TEST(ObjectValues, TheOldFieldKeepsNextHopsOfExternalPeersOnly) {
  struct Case {
    const char* why;
    std::optional<model::NextHopMode> mode;
    bool keeps;
    bool is_internal;
    rib::NextHopMode want;
  };
  using Mode = rib::NextHopMode;
  const Case cases[] = {{"neither", {}, false, false, Mode::kAuto},
                        {"old field, eBGP", {}, true, false, Mode::kKeep},
                        {"old field, iBGP", {}, true, true, Mode::kAuto},
                        {"new field wins", model::NextHopMode::kSelf, true, false, Mode::kSelf},
                        {"Auto is said", model::NextHopMode::kAuto, true, false, Mode::kAuto},
                        {"Keep, iBGP", model::NextHopMode::kKeep, false, true, Mode::kKeep}};
  for (const Case& c : cases) {
    model::BgpPeerSpec spec;
    spec.next_hop_mode = c.mode;
    spec.keep_original_next_hop = c.keeps;
    EXPECT_EQ(next_hop_mode_of(spec, c.is_internal), c.want) << c.why;
  }
}

}  // namespace
}  // namespace margay::bgp
