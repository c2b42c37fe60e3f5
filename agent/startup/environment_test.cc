#include "agent/startup/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace margay::startup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = AddressChoice::Kind;

TEST(Environment, NothingGivenIsCalicosDefault) {
  const Environment out = read_environment({});
  EXPECT_EQ(out.node_name, "");
  EXPECT_EQ(out.ipv4.kind, Kind::kAutodetect);
  EXPECT_EQ(out.ipv4.method.kind, Method::Kind::kNodeAddress);
  EXPECT_EQ(out.ipv6.kind, Kind::kKeep);
  EXPECT_EQ(out.as_number, std::nullopt);
  EXPECT_EQ(out.backend, NetworkingBackend::kBgp);
  EXPECT_EQ(out.pool_v4.ipip, model::EncapMode::kAlways);
  EXPECT_TRUE(out.pool_v4.nat_outgoing);
  EXPECT_FALSE(out.pool_v6.nat_outgoing);
  EXPECT_TRUE(out.checks_node_ip);
  EXPECT_EQ(out.poll_interval, Duration(std::chrono::seconds(60)));
  EXPECT_THAT(out.problems, IsEmpty());
}

TEST(Environment, AManifestOfCalicoIsRead) {
  const Environment out = read_environment({{"NODENAME", "Node-1"},
                                            {"HOSTNAME", "pod-xyz"},
                                            {"IP", "autodetect"},
                                            {"IP6", "2001:db8::7/64"},
                                            {"IP_AUTODETECTION_METHOD", "interface=eth.*"},
                                            {"IP6_AUTODETECTION_METHOD", "first-found"},
                                            {"AS", "64512"},
                                            {"CALICO_ROUTER_ID", "hash"},
                                            {"CALICO_NETWORKING_BACKEND", "bird"},
                                            {"CALICO_IPV4POOL_CIDR", "10.48.0.0/16"},
                                            {"CALICO_IPV4POOL_IPIP", "CrossSubnet"},
                                            {"CALICO_IPV4POOL_VXLAN", "Never"},
                                            {"CALICO_IPV4POOL_BLOCK_SIZE", "28"},
                                            {"CALICO_IPV4POOL_NAT_OUTGOING", "false"},
                                            {"CALICO_IPV4POOL_NODE_SELECTOR", "has(worker)"},
                                            {"CALICO_IPV4POOL_DISABLE_BGP_EXPORT", "true"},
                                            {"CALICO_IPV6POOL_CIDR", "fd00:10::/48"},
                                            {"CALICO_IPV6POOL_NAT_OUTGOING", "true"},
                                            {"NO_DEFAULT_POOLS", "true"},
                                            {"DISABLE_NODE_IP_CHECK", "true"},
                                            {"AUTODETECT_POLL_INTERVAL", "90s"},
                                            {"WAIT_FOR_DATASTORE", "true"},
                                            {"CLUSTER_TYPE", "k8s,bgp"},
                                            {"CALICO_MANAGE_CNI", "false"}});
  EXPECT_THAT(out.problems, IsEmpty());
  EXPECT_EQ(out.node_name, "node-1");
  EXPECT_EQ(out.ipv4.kind, Kind::kAutodetect);
  EXPECT_EQ(out.ipv4.method.kind, Method::Kind::kInterface);
  EXPECT_EQ(out.ipv6.kind, Kind::kGiven);
  EXPECT_TRUE(out.ipv6.has_length);
  EXPECT_EQ(out.as_number, Asn(64512));
  EXPECT_EQ(out.router_id, "hash");
  EXPECT_EQ(out.pool_v4.cidr->to_string(), "10.48.0.0/16");
  EXPECT_EQ(out.pool_v4.ipip, model::EncapMode::kCrossSubnet);
  EXPECT_EQ(out.pool_v4.block_size, 28);
  EXPECT_FALSE(out.pool_v4.nat_outgoing);
  EXPECT_EQ(out.pool_v4.node_selector, "has(worker)");
  EXPECT_TRUE(out.pool_v4.disable_bgp_export);
  EXPECT_EQ(out.pool_v6.cidr->to_string(), "fd00:10::/48");
  EXPECT_TRUE(out.pool_v6.nat_outgoing);
  EXPECT_TRUE(out.no_default_pools);
  EXPECT_FALSE(out.checks_node_ip);
  EXPECT_EQ(out.poll_interval, Duration(std::chrono::seconds(90)));
  EXPECT_TRUE(out.waits_for_datastore);
  EXPECT_THAT(out.cluster_type, ElementsAre("k8s", "bgp"));
  EXPECT_FALSE(out.manages_cni);
}

TEST(Environment, HostnameStandsInAndNoneIsNone) {
  const Environment out = read_environment({{"HOSTNAME", "H"}, {"IP", "none"}, {"IP6", "autodetect"}});
  EXPECT_EQ(out.node_name, "h");
  EXPECT_EQ(out.ipv4.kind, Kind::kNone);
  EXPECT_EQ(out.ipv6.kind, Kind::kAutodetect);
}

TEST(Environment, WhatCannotBeReadIsToldWithWhatIsUsed) {
  const Environment out = read_environment({{"IP", "10.0.0"},
                                            {"IP6", "10.0.0.1"},
                                            {"IP_AUTODETECTION_METHOD", "guess"},
                                            {"AS", "many"},
                                            {"CALICO_ROUTER_ID", "me"},
                                            {"CALICO_NETWORKING_BACKEND", "ospf"},
                                            {"CALICO_IPV4POOL_CIDR", "10.48.0.0"},
                                            {"CALICO_IPV4POOL_BLOCK_SIZE", "33"},
                                            {"CALICO_IPV4POOL_IPIP", "sometimes"},
                                            {"CALICO_IPV6POOL_CIDR", "10.0.0.0/8"},
                                            {"NO_DEFAULT_POOLS", "maybe"},
                                            {"AUTODETECT_POLL_INTERVAL", "60"}});
  EXPECT_THAT(out.problems, SizeIs(12));
  EXPECT_THAT(out.problems, ::testing::Contains(HasSubstr("AS: ")));
  EXPECT_EQ(out.ipv4.kind, Kind::kAutodetect);
  EXPECT_EQ(out.ipv6.kind, Kind::kAutodetect);
  EXPECT_EQ(out.ipv4.method.kind, Method::Kind::kNodeAddress);
  EXPECT_TRUE(out.pool_v4.is_none) << "another range than the one asked for would be worse than none";
  EXPECT_TRUE(out.pool_v6.is_none);
  EXPECT_EQ(out.pool_v4.ipip, model::EncapMode::kAlways);
  EXPECT_FALSE(out.no_default_pools);
}

TEST(Environment, VxlanTakesThePlaceOfIpInIp) {
  EXPECT_EQ(read_environment({{"CALICO_IPV4POOL_VXLAN", "Always"}}).pool_v4.ipip, model::EncapMode::kNever);
  const Environment both = read_environment({{"CALICO_IPV4POOL_VXLAN", "Always"}, {"CALICO_IPV4POOL_IPIP", "Always"}});
  EXPECT_EQ(both.pool_v4.ipip, model::EncapMode::kNever);
  EXPECT_EQ(both.pool_v4.vxlan, model::EncapMode::kAlways);
  EXPECT_THAT(both.problems, SizeIs(1));
}

TEST(Environment, TheProcessHasOne) {
  ASSERT_EQ(::setenv("MARGAY_ENVIRONMENT_TEST", "a=b", 1), 0);
  EXPECT_EQ(process_environment()["MARGAY_ENVIRONMENT_TEST"], "a=b");
}

}  // namespace
}  // namespace margay::startup
