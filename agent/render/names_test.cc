#include "agent/render/names.h"

#include <gtest/gtest.h>

#include <set>

#include "base/core/text.h"
#include "dataplane/ipset/ip_set.h"
#include "dataplane/iptables/rule.h"

namespace margay::render {
namespace {

using model::Kind;

const std::string kSetId = "s:0123456789abcdefghijklmnopqrstuvwxyzAB";  // as the engine makes them: 40 bytes

TEST(Names, ThoseThatFitStandAsTheyAre) {
  EXPECT_EQ(chain_name("tw", "cali1234"), "margay-tw-cali1234");
  EXPECT_EQ(chain_name("fhfw", "abcdefghijklmno"), "margay-fhfw-abcdefghijklmno");
  EXPECT_EQ(profile_chain(Direction::kIngress, "kns.default"), "margay-pri-kns.default");
  EXPECT_EQ(set_name(IpFamily::kV4, "s:web"), "margay4s:web");
  EXPECT_EQ(set_name(IpFamily::kV6, "s:web"), "margay6s:web");
}

TEST(Names, LongOnesEndInADigestAndAreAsLongAsTheKernelTakes) {
  const std::string chain = profile_chain(Direction::kEgress, "ksa.a-long-namespace.a-long-service-account");
  EXPECT_EQ(chain.size(), iptables::kChainNameMax - 1);
  EXPECT_TRUE(chain.starts_with("margay-pro-_"));
  EXPECT_EQ(chain, profile_chain(Direction::kEgress, "ksa.a-long-namespace.a-long-service-account"));
  EXPECT_NE(chain, profile_chain(Direction::kEgress, "ksa.a-long-namespace.a-long-service-accounu"));
  const std::string set = set_name(IpFamily::kV4, kSetId);
  EXPECT_EQ(set.size(), ipset::kSetNameMax - 1);
  EXPECT_TRUE(set.starts_with("margay4_"));
}

TEST(Names, WhatTheToolsWouldReadOtherwiseBecomesADigest) {
  for (const char* name : {"a b", "a\"b", "a\nb", "a\\b", "a'b", "-j", "_x", "a/b", "ä"}) {
    const std::string chain = profile_chain(Direction::kIngress, name);
    if (std::string_view(name) == "-j") continue;  // behind "margay-pri-" it is a name like another
    EXPECT_TRUE(chain.starts_with("margay-pri-_")) << name;
    EXPECT_EQ(chain.find_first_of(" \"\n\\'/"), std::string::npos) << chain;
  }
}

TEST(Names, EachPolicyAndDirectionHasItsOwnChain) {
  std::set<std::string> names;
  for (const Kind kind : {Kind::kNetworkPolicy, Kind::kGlobalNetworkPolicy, Kind::kKubernetesNetworkPolicy}) {
    for (const char* name_space : {"", "a", "b"}) {
      for (const char* name : {"x", "y"}) {
        for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
          const std::string chain = policy_chain(direction, {kind, name_space, name});
          EXPECT_EQ(chain.size(), iptables::kChainNameMax - 1);
          EXPECT_TRUE(chain.starts_with(direction == Direction::kIngress ? "margay-pi-_" : "margay-po-_"));
          EXPECT_TRUE(names.insert(chain).second) << name_space << '/' << name;
        }
      }
    }
  }
}

TEST(Names, AGroupIsItsPoliciesInTheirOrder) {
  const model::ObjectKey a{Kind::kNetworkPolicy, "ns", "a"};
  const model::ObjectKey b{Kind::kNetworkPolicy, "ns", "b"};
  EXPECT_EQ(group_chain(Direction::kIngress, {a, b}), group_chain(Direction::kIngress, {a, b}));
  EXPECT_NE(group_chain(Direction::kIngress, {a, b}), group_chain(Direction::kIngress, {b, a}));
  EXPECT_NE(group_chain(Direction::kIngress, {a, b}), group_chain(Direction::kEgress, {a, b}));
  EXPECT_TRUE(group_chain(Direction::kEgress, {a, b}).starts_with("margay-go-_"));
}

TEST(Names, CommentsNameObjectsAsPeopleDo) {
  EXPECT_EQ(readable({Kind::kNetworkPolicy, "default", "a"}), "NetworkPolicy default/a");
  EXPECT_EQ(readable({Kind::kGlobalNetworkPolicy, "", "a"}), "GlobalNetworkPolicy a");
}

TEST(Names, AnInterfaceIsTakenOnlyLiterally) {
  for (const char* name : {"eth0", "cali0123456789a", "eth0.100", "br-lan", "wg0@if3"}) {
    EXPECT_TRUE(is_interface_name(name)) << name;
  }
  for (const char* name : {"", ".", "..", "eth+", "eth 0", "-o", "!eth0", "cali0123456789ab", "a/b", "a\"", "a\n"}) {
    EXPECT_FALSE(is_interface_name(name)) << name;
  }
}

}  // namespace
}  // namespace margay::render
