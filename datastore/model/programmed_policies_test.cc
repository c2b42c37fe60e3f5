#include "datastore/model/programmed_policies.h"

#include <gtest/gtest.h>

namespace margay::model {
namespace {

TEST(ProgrammedPolicies, WhatIsWrittenIsRead) {
  const ProgrammedPolicies said{.network = 18446744073709551615U, .global = 7};
  EXPECT_EQ(said.to_string(), "networkpolicies=18446744073709551615 globalnetworkpolicies=7");
  EXPECT_EQ(ProgrammedPolicies::parse(said.to_string()), said);
}

TEST(ProgrammedPolicies, KindsOfOtherVersionsOfUsAreNoErrorAndWhatIsNoNumberIs) {
  EXPECT_EQ(ProgrammedPolicies::parse("tiers=3 networkpolicies=4"), (ProgrammedPolicies{.network = 4}));
  EXPECT_EQ(ProgrammedPolicies::parse(""), ProgrammedPolicies{});
  for (const char* bad : {"networkpolicies", "networkpolicies=", "networkpolicies=x", "networkpolicies=-1",
                          "networkpolicies=18446744073709551616"}) {
    EXPECT_EQ(ProgrammedPolicies::parse(bad), std::nullopt) << bad;
  }
}

TEST(ProgrammedPolicies, LongNamesOfNodesAreCut) {
  EXPECT_EQ(report_name("a"), "margay-node.a");
  EXPECT_EQ(report_name(std::string(253, 'n')).size(), 253U);
}

}  // namespace
}  // namespace margay::model
