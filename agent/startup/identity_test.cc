#include "agent/startup/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::startup {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kV4 = "projectcalico.org/IPv4Address";
constexpr std::string_view kV6 = "projectcalico.org/IPv6Address";

Surroundings two_interfaces() {
  Surroundings out;
  const auto address = [](std::string_view text) { return *InterfaceAddress::parse(text); };
  out.interfaces = {{"eth0", true, {address("10.0.0.7/24"), address("2001:db8::7/64")}},
                    {"eth1", true, {address("192.0.2.7/25")}}};
  out.node_addresses = {*IpAddress::parse("192.0.2.7")};
  return out;
}

struct Decision {
  std::string v4, v6;
  std::vector<std::string> notes;
};

Decision decision(const std::map<std::string, std::string>& variables, const StringMap& annotations,
                  const Surroundings& surroundings) {
  const Identity identity = decide(read_environment(variables), surroundings, annotations);
  Decision out;
  const auto& networking = identity.networking;
  if (networking.ipv4_address) out.v4 = concat(networking.ipv4_address->to_string(), " ", identity.interface_v4);
  if (networking.ipv6_address) out.v6 = concat(networking.ipv6_address->to_string(), " ", identity.interface_v6);
  for (const Note& note : identity.notes) out.notes.emplace_back(to_string(note.kind));
  return out;
}

TEST(Identity, TheFirstAddressIsTheNodes) {
  const Decision out = decision({}, {}, two_interfaces());
  EXPECT_EQ(out.v4, "192.0.2.7/25 eth1");
  EXPECT_EQ(out.v6, "");
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressChosen"));
}

TEST(Identity, WhatWasChosenStays) {
  const Decision out = decision({}, {{kV4, "10.0.0.7/24"}}, two_interfaces());
  EXPECT_EQ(out.v4, "10.0.0.7/24 eth0");
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressKept"));
  EXPECT_THAT(decision({}, {{kV4, "192.0.2.7/25"}}, two_interfaces()).notes, IsEmpty());
}

TEST(Identity, TheLengthFollowsTheInterface) {
  EXPECT_EQ(decision({}, {{kV4, "10.0.0.7/16"}}, two_interfaces()).v4, "10.0.0.7/24 eth0");
}

TEST(Identity, AMethodThatCouldNotHaveChosenItChangesIt) {
  const Decision out =
      decision({{"IP_AUTODETECTION_METHOD", "interface=eth1"}}, {{kV4, "10.0.0.7/24"}}, two_interfaces());
  EXPECT_EQ(out.v4, "192.0.2.7/25 eth1");
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressChanged"));
}

TEST(Identity, AnAddressTheHostLostIsReplaced) {
  const Decision out = decision({}, {{kV4, "10.0.0.99/24"}}, two_interfaces());
  EXPECT_EQ(out.v4, "192.0.2.7/25 eth1");
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressChanged"));
}

TEST(Identity, NothingFoundLeavesWhatWas) {
  Surroundings dark;
  const Decision out = decision({}, {{kV4, "10.0.0.7/24"}}, dark);
  EXPECT_EQ(out.v4, "10.0.0.7/24 ");
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressMissing"));
  EXPECT_EQ(decision({}, {}, dark).v4, "");
}

TEST(Identity, AGivenAddressWins) {
  const Decision out = decision({{"IP", "10.0.0.7"}}, {{kV4, "192.0.2.7/25"}}, two_interfaces());
  EXPECT_EQ(out.v4, "10.0.0.7/24 eth0") << "with the interface's length";
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressChanged"));
  EXPECT_EQ(decision({{"IP", "10.0.0.7/28"}}, {}, two_interfaces()).v4, "10.0.0.7/28 eth0");
  const Decision foreign = decision({{"IP", "198.51.100.1"}}, {}, two_interfaces());
  EXPECT_EQ(foreign.v4, "198.51.100.1/32 ");
  EXPECT_THAT(foreign.notes, ElementsAre("NodeAddressChosen", "NodeAddressNotLocal"));
}

TEST(Identity, NoneRemovesAndIp6IsKeptWhereTheHostHasIt) {
  EXPECT_EQ(decision({{"IP", "none"}}, {{kV4, "10.0.0.7/24"}}, two_interfaces()).v4, "");
  EXPECT_EQ(decision({}, {{kV6, "2001:db8::7/64"}}, two_interfaces()).v6, "2001:db8::7/64 eth0");
  EXPECT_EQ(decision({}, {{kV6, "2001:db8::99/64"}}, two_interfaces()).v6, "");
  EXPECT_EQ(decision({{"IP6", "autodetect"}}, {}, two_interfaces()).v6, "2001:db8::7/64 eth0");
}

TEST(Identity, BadAnnotationsAreToldAndReplaced) {
  const Decision out = decision({}, {{kV4, "ten"}}, two_interfaces());
  EXPECT_EQ(out.v4, "192.0.2.7/25 eth1");
  EXPECT_THAT(out.notes, ElementsAre("NodeAddressChosen", "BadAnnotation"));
}

TEST(Identity, AsNumberIsTheEnvironmentsElseTheNodes) {
  const StringMap annotations{{"projectcalico.org/ASNumber", "64513"},
                              {"projectcalico.org/RouteReflectorClusterID", "244.0.0.1"},
                              {"projectcalico.org/IPv4IPIPTunnelAddr", "10.48.1.1"}};
  const auto kept = decide(read_environment({}), two_interfaces(), annotations).networking;
  EXPECT_EQ(kept.as_number, Asn(64513));
  EXPECT_EQ(kept.route_reflector_cluster_id->to_string(), "244.0.0.1");
  EXPECT_EQ(kept.ipv4_ipip_tunnel_address->to_string(), "10.48.1.1") << "others' work passes through";
  EXPECT_EQ(decide(read_environment({{"AS", "65000"}}), two_interfaces(), annotations).networking.as_number,
            Asn(65000));
}

TEST(Identity, DecidingAgainChangesNothing) {
  for (const char* method : {"", "first-found", "interface=eth1", "cidr=10.0.0.0/8", "kubernetes-internal-ip"}) {
    const Environment environment = read_environment({{"IP_AUTODETECTION_METHOD", method}, {"IP6", "autodetect"}});
    const Identity first = decide(environment, two_interfaces(), {});
    StringMap annotations;
    annotations.set(kV4, first.networking.ipv4_address->to_string());
    if (first.networking.ipv6_address) annotations.set(kV6, first.networking.ipv6_address->to_string());
    const Identity second = decide(environment, two_interfaces(), annotations);
    EXPECT_EQ(second.networking, first.networking) << method;
  }
}

TEST(AddressBook, TellsWhoElseHasAnAddress) {
  AddressBook book("node-1");
  const StringMap ours{{kV4, "10.0.0.7/24"}};
  const StringMap same{{kV4, "10.0.0.7/16"}, {kV6, "2001:db8::9/64"}};
  const StringMap other{{kV4, "10.0.0.8/24"}};
  model::NodeNetworking own;
  own.ipv4_address = *InterfaceAddress::parse("10.0.0.7/24");
  book.set_node("node-1", &ours);
  book.set_node("node-3", &same);
  book.set_node("node-2", &same);
  book.set_node("node-4", &other);
  const IpAddress address = own.ipv4_address->address;
  EXPECT_THAT(book.conflicts(own), ElementsAre(AddressConflict{"node-2", address}, AddressConflict{"node-3", address}));
  book.set_node("node-3", &other);
  book.set_node("node-2", nullptr);
  EXPECT_THAT(book.conflicts(own), IsEmpty());
}

}  // namespace
}  // namespace margay::startup
