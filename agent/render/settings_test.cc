#include "agent/render/settings.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace margay::render {
namespace {

Settings read(const model::FelixConfigurationSpec& spec, std::size_t problems = 0) {
  FieldErrors found;
  Settings out = settings_of(spec, KernelFeatures{}, found);
  EXPECT_EQ(found.size(), problems) << to_string(found);
  return out;
}

TEST(Settings, DefaultsAreCalicos) {
  const Settings settings = read({});
  EXPECT_EQ(settings.marks, Marks::of(0xffff0000).value());
  EXPECT_EQ(settings.workload_prefixes, std::vector<std::string>{"cali"});
  EXPECT_TRUE(settings.drops_invalid);
  EXPECT_FALSE(settings.rejects);
  EXPECT_EQ(settings.endpoint_to_host, model::EndpointToHostAction::kDrop);
  EXPECT_EQ(settings.log_prefix, "calico-packet");
  EXPECT_EQ(settings.log_limit, "");
  EXPECT_EQ(settings.vxlan_port, Port(4789));
  EXPECT_FALSE(settings.allows_ipip || settings.allows_vxlan || settings.allows_spoofing);
  ASSERT_EQ(settings.failsafe_in.size(), 9U);
  EXPECT_EQ(settings.failsafe_in.front(), (Failsafe{"tcp", Port(22), std::nullopt}));
  ASSERT_EQ(settings.failsafe_out.size(), 9U);
  EXPECT_EQ(settings.failsafe_out.front(), (Failsafe{"udp", Port(53), std::nullopt}));
}

TEST(Settings, AnEmptyListOfFailsafePortsMeansNone) {
  model::FelixConfigurationSpec spec;
  spec.host.failsafe_inbound_host_ports.emplace();
  spec.host.failsafe_outbound_host_ports = {{.protocol = model::TransportProtocol::kSctp, .port = Port(7), .net = {}},
                                            {.protocol = {}, .port = Port(8), .net = {}}};
  const Settings settings = read(spec);
  EXPECT_TRUE(settings.failsafe_in.empty());
  ASSERT_EQ(settings.failsafe_out.size(), 2U);
  EXPECT_EQ(settings.failsafe_out[0].protocol, "sctp");
  EXPECT_EQ(settings.failsafe_out[1].protocol, "tcp") << "TCP is the default";
}

TEST(Settings, WhatWouldBreakARuleCountsAsAbsentAndIsReported) {
  model::FelixConfigurationSpec spec;
  spec.netfilter.iptables_mark_mask = 0x7;
  spec.netfilter.log_prefix = "a\" -j ACCEPT";
  spec.netfilter.log_action_rate_limit = "10/fortnight";
  spec.host.interface_prefix = "tap+, ,x y,a-very-long-prefix";
  spec.routes.iptables_nat_outgoing_interface_filter = "eth0 -j ACCEPT";
  FieldErrors found;
  const Settings settings = settings_of(spec, KernelFeatures{}, found);
  EXPECT_EQ(settings.marks, Marks::of(0xffff0000).value());
  EXPECT_EQ(settings.log_prefix, "calico-packet");
  EXPECT_EQ(settings.log_limit, "");
  EXPECT_EQ(settings.workload_prefixes, std::vector<std::string>{"cali"});
  EXPECT_EQ(settings.nat_interface, "");
  for (const char* path : {"spec.iptablesMarkMask", "spec.logPrefix", "spec.logActionRateLimit", "spec.interfacePrefix",
                           "spec.iptablesNATOutgoingInterfaceFilter"}) {
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [path](const FieldError& error) { return error.path == path; }))
        << path;
  }
}

TEST(Settings, RatesOfTheLogAreCalicosForms) {
  model::FelixConfigurationSpec spec;
  spec.netfilter.log_action_rate_limit = "100/hour";
  EXPECT_EQ(read(spec).log_limit, "-m limit --limit 100/hour --limit-burst 5");
  spec.netfilter.log_action_rate_limit_burst = 0;
  EXPECT_EQ(read(spec).log_limit, "-m limit --limit 100/hour --limit-burst 1") << "the kernel knows no burst of 0";
  for (const char* rate : {"0/second", "x", "10", "10/", "/second", "99999/second", "-1/second"}) {
    spec.netfilter.log_action_rate_limit = rate;
    EXPECT_EQ(read(spec, 1).log_limit, "") << rate;
  }
}

TEST(Settings, Ipv6NeedsKernelAndSetting) {
  model::FelixConfigurationSpec spec;
  EXPECT_EQ(families(read(spec)).size(), 2U);
  spec.host.ipv6_support = false;
  EXPECT_EQ(families(read(spec)), std::vector<IpFamily>{IpFamily::kV4});
  FieldErrors found;
  KernelFeatures features;
  features.has_ipv6 = false;
  EXPECT_EQ(families(settings_of({}, features, found)), std::vector<IpFamily>{IpFamily::kV4});
}

TEST(Settings, SeveralPrefixesAreSeparatedByCommas) {
  model::FelixConfigurationSpec spec;
  spec.host.interface_prefix = "cali,tap";
  EXPECT_EQ(read(spec).workload_prefixes, (std::vector<std::string>{"cali", "tap"}));
}

TEST(Settings, ExternalNodesAreNetworksInOrder) {
  model::FelixConfigurationSpec spec;
  const IpPrefix one = IpPrefix::parse("198.51.100.0/24").value();
  const IpPrefix two = IpPrefix::parse("192.0.2.0/24").value();
  spec.host.external_nodes_list = {one, two, one};
  EXPECT_EQ(read(spec).external_nodes, (std::set<IpPrefix>{two, one}));
}

}  // namespace
}  // namespace margay::render
