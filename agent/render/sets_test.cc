#include "agent/render/sets.h"

#include <gtest/gtest.h>

#include "agent/render/names.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

using policy::IpSetDelta;
using What = SetChange::What;

policy::IpSetMember host(std::string_view text) {
  return {.net = IpPrefix::parse_cidr_or_address(text).value(), .protocol = {}, .port = {}};
}

IpSetDelta create(std::vector<policy::IpSetMember> members) {
  return {.what = IpSetDelta::What::kCreate, .added = std::move(members), .removed = {}};
}

TEST(Sets, EachFamilyHasItsOwnWithItsMembers) {
  Sets sets(KernelFeatures{});
  sets.apply({{"s:a", create({host("10.0.0.1"), host("10.1.0.0/16"), host("fd00::1")})}});
  const auto changes = sets.take();
  ASSERT_EQ(changes.size(), 2U);
  const SetChange& four = changes.at("margay4s:a");
  EXPECT_EQ(four.what, What::kReplace);
  EXPECT_EQ(four.spec, (ipset::SetSpec{.type = ipset::SetType::kHashNet, .family = IpFamily::kV4}));
  ASSERT_EQ(four.added.size(), 2U);
  EXPECT_EQ(four.added[0].net.to_string(), "10.0.0.1/32");
  EXPECT_EQ(changes.at("margay6s:a").added.size(), 1U);
  EXPECT_TRUE(sets.take().empty());
}

TEST(Sets, OneWithoutMembersOfAFamilyIsThereAndEmpty) {
  Sets sets(KernelFeatures{});
  sets.apply({{"s:a", create({})}});
  const auto changes = sets.take();
  EXPECT_EQ(changes.at("margay4s:a").what, What::kReplace);
  EXPECT_EQ(changes.at("margay6s:a").what, What::kReplace);
}

TEST(Sets, MembersWithPortsAreOfAnotherType) {
  Sets sets(KernelFeatures{});
  IpSetDelta delta = create({{.net = host("10.0.0.1").net, .protocol = model::kProtocolSctp, .port = Port(7)}});
  delta.kind = policy::IpSetKind::kPorts;
  sets.apply({{"n:a", delta}});
  const SetChange change = sets.take().at("margay4n:a");
  EXPECT_EQ(change.spec.type, ipset::SetType::kHashIpPort);
  EXPECT_EQ(change.added.at(0).protocol, 132);
  EXPECT_EQ(change.added.at(0).port, 7);
}

TEST(Sets, ChangesBetweenTwoTakesAreOne) {
  Sets sets(KernelFeatures{});
  sets.apply({{"s:a", create({host("10.0.0.1")})}});
  sets.apply(
      {{"s:a", {.what = IpSetDelta::What::kUpdate, .added = {host("10.0.0.2")}, .removed = {host("10.0.0.1")}}}});
  const SetChange change = sets.take().at("margay4s:a");
  EXPECT_EQ(change.what, What::kReplace);
  ASSERT_EQ(change.added.size(), 1U);
  EXPECT_EQ(change.added[0].net.to_string(), "10.0.0.2/32");
  sets.apply({{"s:a", {.what = IpSetDelta::What::kRemove, .added = {}, .removed = {}}}});
  EXPECT_EQ(sets.take().at("margay6s:a").what, What::kRemove);
}

TEST(Sets, AnUpdateOfTheOtherFamilyIsNone) {
  Sets sets(KernelFeatures{});
  sets.apply({{"s:a", create({})}});
  sets.take();
  sets.apply({{"s:a", {.what = IpSetDelta::What::kUpdate, .added = {host("fd00::1")}, .removed = {}}}});
  const auto changes = sets.take();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes.begin()->first, "margay6s:a");
  EXPECT_EQ(changes.begin()->second.what, What::kUpdate);
}

TEST(Sets, AKernelWithoutIpv6HasOneFamily) {
  KernelFeatures features;
  features.has_ipv6 = false;
  Sets sets(features);
  sets.apply({{"s:a", create({host("fd00::1")})}});
  EXPECT_EQ(sets.take().size(), 1U);
}

TEST(Sets, NetworksAreSetsThatChangeByMember) {
  Sets sets(KernelFeatures{});
  NodeNetworks networks;
  networks.pools = {host("10.0.0.0/16").net, host("fd00::/64").net};
  networks.ipip_peers = {IpAddress::parse("192.0.2.1").value()};
  sets.set_networks(networks, {});
  const auto first = sets.take();
  EXPECT_EQ(first.size(), 12U) << "six sets of two families";
  EXPECT_EQ(first.at(set_name(IpFamily::kV4, kPools)).added.size(), 1U);
  EXPECT_EQ(first.at(set_name(IpFamily::kV4, kIpipPeers)).added[0].net.to_string(), "192.0.2.1/32");
  networks.ipip_peers = {IpAddress::parse("192.0.2.2").value()};
  sets.set_networks(networks, {});
  const auto second = sets.take();
  ASSERT_EQ(second.size(), 1U);
  const SetChange& change = second.at(set_name(IpFamily::kV4, kIpipPeers));
  EXPECT_EQ(change.what, What::kUpdate);
  EXPECT_EQ(change.added.size(), 1U);
  EXPECT_EQ(change.removed.size(), 1U);
}

TEST(Sets, ExternalNodesAreAmongThePeersOfTunnels) {
  Sets sets(KernelFeatures{});
  NodeNetworks networks;
  networks.ipip_peers = {IpAddress::parse("192.0.2.1").value()};
  sets.set_networks(networks, {host("198.51.100.0/24").net});
  const auto first = sets.take();
  EXPECT_EQ(first.at(set_name(IpFamily::kV4, kIpipPeers)).added.size(), 2U);
  EXPECT_EQ(first.at(set_name(IpFamily::kV4, kVxlanPeers)).added.size(), 1U);
  EXPECT_TRUE(first.at(set_name(IpFamily::kV4, kHosts)).added.empty()) << "they are no nodes";
  sets.set_networks(networks, {});
  EXPECT_EQ(sets.take().size(), 2U);
}

}  // namespace
}  // namespace margay::render
