// Messages as the kernel writes them; what it really writes is dataplane_thread_test's (agent/dataplane).
#include "dataplane/iptables/ruleset_events.h"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <string>
#include <vector>

namespace margay::iptables {
namespace {

constexpr TableId kFilter4{IpFamily::kV4, Table::kFilter};
constexpr TableId kNat6{IpFamily::kV6, Table::kNat};
using Tables = std::set<TableId>;

class RulesetEventsTest : public testing::Test {
 protected:
  struct Text {
    std::uint16_t type;
    std::string value;
  };

  Tables tell(int message, std::uint8_t family, const std::vector<Text>& texts,
              std::optional<std::uint32_t> generation = std::nullopt) {
    netlink::Batch batch;
    {
      netlink::Request request = batch.add(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), 0);
      request.header(nfgenmsg{.nfgen_family = family, .version = NFNETLINK_V0, .res_id = 0});
      for (const Text& text : texts) request.text(text.type, text.value);
      if (generation) request.be32(NFTA_GEN_ID, *generation);
    }
    const std::string_view bytes = batch.request(0);
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return events_.note({.type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message),
                         .flags = 0,
                         .payload = bytes::View(data + sizeof(nlmsghdr), bytes.size() - sizeof(nlmsghdr))});
  }
  Tables rule(int message, const std::string& table, const std::string& chain, std::uint8_t family = NFPROTO_IPV4) {
    return tell(message, family, {{NFTA_RULE_TABLE, table}, {NFTA_RULE_CHAIN, chain}});
  }
  Tables end(std::uint32_t generation) { return tell(NFT_MSG_NEWGEN, NFPROTO_UNSPEC, {}, generation); }

  RulesetEvents events_;
};

TEST_F(RulesetEventsTest, WhatSomebodyDoesToOurChainsIsToldAtItsEnd) {
  EXPECT_EQ(rule(NFT_MSG_DELRULE, "filter", "margay-FORWARD"), Tables{});
  EXPECT_EQ(rule(NFT_MSG_NEWRULE, "nat", "POSTROUTING", NFPROTO_IPV6), Tables{});
  EXPECT_EQ(end(7), (Tables{kFilter4, kNat6}));
  EXPECT_EQ(end(8), Tables{}) << "the next transaction is another one";
}

TEST_F(RulesetEventsTest, ChainsAndTablesCountAsRulesDo) {
  tell(NFT_MSG_DELCHAIN, NFPROTO_IPV4, {{NFTA_CHAIN_TABLE, "filter"}, {NFTA_CHAIN_NAME, "margay-a"}});
  EXPECT_EQ(end(1), (Tables{kFilter4}));
  tell(NFT_MSG_DELTABLE, NFPROTO_IPV6, {{NFTA_TABLE_NAME, "nat"}});
  EXPECT_EQ(end(2), (Tables{kNat6}));
}

TEST_F(RulesetEventsTest, WhatOthersDoAmongThemselvesIsTheirs) {
  rule(NFT_MSG_NEWRULE, "nat", "KUBE-SERVICES");
  rule(NFT_MSG_NEWRULE, "firewalld", "INPUT");
  rule(NFT_MSG_NEWRULE, "filter", "INPUT", NFPROTO_INET);
  rule(NFT_MSG_NEWRULE, "filter", "INPUT", NFPROTO_BRIDGE);
  tell(NFT_MSG_NEWCHAIN, NFPROTO_IPV4, {{NFTA_CHAIN_TABLE, "filter"}, {NFTA_CHAIN_NAME, "KUBE-A"}});
  tell(NFT_MSG_NEWSET, NFPROTO_IPV4, {{NFTA_SET_TABLE, "filter"}, {NFTA_SET_NAME, "margay-a"}});
  EXPECT_EQ(end(3), Tables{});
}

TEST_F(RulesetEventsTest, OurOwnTransactionsAreKnownByTheirNumbers) {
  events_.note_own(12, 3);
  for (const std::uint32_t generation : {9U, 10U, 11U, 12U, 13U}) {
    rule(NFT_MSG_NEWRULE, "filter", "margay-a");
    EXPECT_EQ(end(generation).empty(), generation >= 10 && generation <= 12) << generation;
  }
  events_.note_own(20, 0);
  rule(NFT_MSG_NEWRULE, "filter", "margay-a");
  EXPECT_FALSE(end(20).empty()) << "none of ours";
}

TEST_F(RulesetEventsTest, NumbersGoRound) {
  events_.note_own(1, 3);
  for (const std::uint32_t generation : {0xffffffffU, 0U, 1U}) {
    rule(NFT_MSG_NEWRULE, "filter", "margay-a");
    EXPECT_TRUE(end(generation).empty()) << generation;
  }
  rule(NFT_MSG_NEWRULE, "filter", "margay-a");
  EXPECT_FALSE(end(2).empty());
}

TEST_F(RulesetEventsTest, ALossIsALookAtAll) {
  rule(NFT_MSG_NEWRULE, "filter", "margay-a");
  EXPECT_EQ(events_.note_lost().size(), 8U);
  EXPECT_EQ(end(1), Tables{});
}

TEST_F(RulesetEventsTest, BrokenMessagesSayNothing) {
  EXPECT_EQ(events_.note({.type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE, .flags = 0, .payload = {}}), Tables{});
  EXPECT_EQ(tell(NFT_MSG_NEWRULE, NFPROTO_IPV4, {}), Tables{});
  EXPECT_EQ(tell(NFT_MSG_NEWGEN, NFPROTO_UNSPEC, {}), Tables{});
  rule(NFT_MSG_NEWRULE, "filter", "margay-a");
  EXPECT_EQ(tell(NFT_MSG_NEWGEN, NFPROTO_UNSPEC, {}), (Tables{kFilter4})) << "without a number it is nobody's we know";
}

}  // namespace
}  // namespace margay::iptables
