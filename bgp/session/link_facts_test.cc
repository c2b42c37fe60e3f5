#include "bgp/session/link_facts.h"

#include <gmock/gmock.h>

namespace margay::bgp::session {
namespace {

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
LinkAddress at(std::string interface, std::string_view address) {
  return {std::move(interface), InterfaceAddress::parse(address).value()};
}

const std::vector<LinkAddress> kAddresses = {
    at("lo", "127.0.0.1/8"),  at("eth0", "10.0.0.1/24"),    at("eth0", "10.0.0.7/32"), at("eth0", "fd00::1/64"),
    at("eth0", "fe80::1/64"), at("eth1", "192.168.1.1/24"), at("eth1", "fe80::2/64"),
};

TEST(LinkFacts, NextHopsComeFromTheInterfaceOfTheConnection) {
  const auto facts = link_facts_of(kAddresses, ip("fd00::1"), ip("fd00::2"));
  EXPECT_EQ(facts.ipv4, ip("10.0.0.1"));
  EXPECT_EQ(facts.ipv6, ip("fd00::1"));
  EXPECT_EQ(facts.ipv6_link_local, ip("fe80::1"));
  EXPECT_TRUE(facts.is_directly_connected);
}

TEST(LinkFacts, TheConnectionsOwnAddressIsPreferred) {
  EXPECT_EQ(link_facts_of(kAddresses, ip("10.0.0.7"), ip("10.0.0.2")).ipv4, ip("10.0.0.7"));
}

TEST(LinkFacts, APeerBehindARouterIsNotConnected) {
  EXPECT_FALSE(link_facts_of(kAddresses, ip("10.0.0.1"), ip("10.0.1.2")).is_directly_connected);
  EXPECT_FALSE(link_facts_of(kAddresses, ip("192.168.1.1"), ip("10.0.0.2")).is_directly_connected);
}

TEST(LinkFacts, AnAddressThatIsNotOursSaysNothing) {
  const auto facts = link_facts_of(kAddresses, ip("10.9.9.9"), ip("10.0.0.2"));
  EXPECT_FALSE(facts.ipv4 || facts.ipv6 || facts.ipv6_link_local || facts.is_directly_connected);
}

TEST(LinkFacts, TheMachineKnowsItsLoopback) {
  EXPECT_THAT(machine_addresses(), testing::Contains(at("lo", "127.0.0.1/8")));
}

}  // namespace
}  // namespace margay::bgp::session
