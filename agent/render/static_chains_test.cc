#include "agent/render/static_chains.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "agent/render/nat.h"
#include "base/core/text.h"

namespace margay::render {
namespace {

Settings static_settings(const model::FelixConfigurationSpec& spec = {}, const KernelFeatures& features = {}) {
  FieldErrors problems;
  return settings_of(spec, features, problems);
}

std::string chain_text(const TableContent& content, std::string_view name) {
  for (const iptables::Chain& chain : content.chains) {
    if (chain.name != name) continue;
    std::string out;
    for (const iptables::Rule& rule : chain.rules) out += concat(rule.spec, '\n');
    return out;
  }
  return "no such chain";
}

NodeNetworks networks() {
  NodeNetworks out;
  out.pools = {IpPrefix::parse("10.0.0.0/16").value(), IpPrefix::parse("10.1.0.0/16").value()};
  out.masquerade_pools = {IpPrefix::parse("10.0.0.0/16").value()};
  out.service_blocks = {IpPrefix::parse("10.96.0.0/12").value(), IpPrefix::parse("fd01::/108").value()};
  out.ipip_enabled = out.vxlan_enabled = true;
  return out;
}

TEST(StaticChains, RawClearsMarksAndChecksSourcesOfWorkloads) {
  EXPECT_EQ(chain_text(static_raw(IpFamily::kV4, static_settings(), {}), "margay-PREROUTING"),
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-i cali+ -j MARK --set-xmark 0x40000/0x40000\n"
            "-m mark --mark 0x40000/0x40000 -j margay-rpf-skip\n"
            "-m mark --mark 0x40000/0x40000 -m rpfilter --validmark --invert -j DROP\n"
            "-m mark --mark 0x0/0x40000 -j margay-from-hep\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
  EXPECT_EQ(chain_text(static_raw(IpFamily::kV4, static_settings(), {}), "margay-OUTPUT"),
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-j margay-to-hep\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
}

// LOCAL_IN ─ filter INPUT ─ IPVS gives the packet its destination ─ LOCAL_OUT, where nothing says how it came.
TEST(StaticChains, WhatIpvsForwardsIsPolicedAsOutput) {
  EXPECT_EQ(chain_text(static_filter(IpFamily::kV4, static_settings(), {}), "margay-ipvs"), "no such chain");
  NodeNetworks networks;
  networks.ipvs_services.emplace();
  model::FelixConfigurationSpec spec;
  spec.netfilter.kube_node_port_ranges = {PortRange::parse("30000:30100").value(), PortRange::parse("80").value()};
  const TableContent filter = static_filter(IpFamily::kV4, static_settings(spec), networks);
  EXPECT_EQ(chain_text(filter, "margay-ipvs"),
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-j margay-from-wl-ip\n"
            "-o cali+ -j margay-to-wl\n"
            "-j margay-to-hepfw\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
  EXPECT_EQ(chain_text(filter, "margay-OUTPUT").find("-m addrtype ! --src-type LOCAL -g margay-ipvs\n"), 0U)
      << "before anything lets packets to workloads pass";
  const TableContent filter6 = static_filter(IpFamily::kV6, static_settings(spec), networks);
  EXPECT_EQ(chain_text(filter6, "margay-OUTPUT").find("! -s ::/128 -m addrtype ! --src-type LOCAL -g margay-ipvs\n"),
            0U);
  EXPECT_EQ(chain_text(filter, "margay-INPUT"),
            "-i cali+ -m set --match-set margay4ipvs-services dst -j RETURN\n"
            "-i cali+ -g margay-wl-to-host\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n"
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-m set --match-set margay4ipvs-services dst -g margay-from-hepfw\n"
            "-p tcp -m multiport --dports 30000:30100,80:80 -m addrtype --dst-type LOCAL -g margay-from-hepfw\n"
            "-p udp -m multiport --dports 30000:30100,80:80 -m addrtype --dst-type LOCAL -g margay-from-hepfw\n"
            "-p sctp -m multiport --dports 30000:30100,80:80 -m addrtype --dst-type LOCAL -g margay-from-hepfw\n"
            "-j margay-from-hep\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
  spec.netfilter.kube_node_port_ranges.emplace();
  const TableContent none = static_filter(IpFamily::kV4, static_settings(spec), networks);
  EXPECT_EQ(chain_text(none, "margay-INPUT").find("multiport"), std::string::npos);
}

TEST(StaticChains, AKernelWithoutRpfilterHasNoSuchRule) {
  KernelFeatures features;
  features.has_rpfilter = false;
  const std::string raw = chain_text(static_raw(IpFamily::kV4, static_settings({}, features), {}), "margay-PREROUTING");
  EXPECT_EQ(raw.find("rpf"), std::string::npos);
}

TEST(StaticChains, VxlanIsNotTracked) {
  const std::string raw = chain_text(static_raw(IpFamily::kV4, static_settings(), networks()), "margay-PREROUTING");
  EXPECT_NE(raw.find("-p udp -m multiport --dports 4789 -j CT --notrack\n"), std::string::npos);
  EXPECT_EQ(chain_text(static_raw(IpFamily::kV6, static_settings(), networks()), "margay-PREROUTING").find("CT"),
            std::string::npos)
      << "no peer has an IPv6 address";
}

TEST(StaticChains, MangleLooksBeforeDnatAndAfterIt) {
  EXPECT_EQ(chain_text(static_mangle(static_settings()), "margay-PREROUTING"),
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n"
            "-j margay-from-hep\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
  EXPECT_EQ(chain_text(static_mangle(static_settings()), "margay-POSTROUTING"),
            "-m mark --mark 0x10000/0x10000 -j RETURN\n"
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-m conntrack --ctstate DNAT -j margay-to-hep\n"
            "-m mark --mark 0x10000/0x10000 -j RETURN\n");
  model::FelixConfigurationSpec spec;
  spec.netfilter.iptables_mangle_allow_action = model::AllowAction::kReturn;
  EXPECT_EQ(chain_text(static_mangle(static_settings(spec)), "margay-PREROUTING").find("ACCEPT"), std::string::npos);
}

TEST(StaticChains, FilterSendsPacketsWhereTheyBelong) {
  const TableContent filter = static_filter(IpFamily::kV4, static_settings(), {});
  EXPECT_EQ(chain_text(filter, "margay-INPUT"),
            "-i cali+ -g margay-wl-to-host\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n"
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-j margay-from-hep\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
  EXPECT_EQ(chain_text(filter, "margay-FORWARD"),
            "-j MARK --set-xmark 0x0/0xe0000\n"
            "-m mark --mark 0x0/0x10000 -j margay-from-hepfw\n"
            "-i cali+ -j margay-from-wl\n"
            "-o cali+ -j margay-to-wl\n"
            "-j margay-to-hepfw\n"
            "-j margay-cidr-block\n");
  EXPECT_EQ(chain_text(filter, "margay-OUTPUT"),
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n"
            "-o cali+ -j RETURN\n"
            "-j MARK --set-xmark 0x0/0xf0000\n"
            "-m conntrack ! --ctstate DNAT -j margay-to-hep\n"
            "-m mark --mark 0x10000/0x10000 -j ACCEPT\n");
  const iptables::Hook& forward = filter.hooks.at("FORWARD");
  EXPECT_EQ(forward.first.at(0).spec, "-j margay-FORWARD");
  EXPECT_EQ(forward.last.at(0).spec, "-m mark --mark 0x10000/0x10000 -j ACCEPT");
  EXPECT_EQ(forward.last.at(1).spec, "-j MARK --set-xmark 0x10000/0x10000");
}

TEST(StaticChains, TunnelsComeFromNodesOnly) {
  const std::string input = chain_text(static_filter(IpFamily::kV4, static_settings(), networks()), "margay-INPUT");
  EXPECT_TRUE(input.starts_with(
      "-p 4 -m set --match-set margay4ipip-peers src -m addrtype --dst-type LOCAL -j ACCEPT\n"
      "-p 4 -j DROP\n"
      "-p udp -m multiport --dports 4789 -m set --match-set margay4vxlan-peers src -m addrtype --dst-type LOCAL -j "
      "ACCEPT\n"
      "-p udp -m multiport --dports 4789 -m addrtype --dst-type LOCAL -j DROP\n"))
      << input;
  EXPECT_EQ(chain_text(static_filter(IpFamily::kV6, static_settings(), networks()), "margay-INPUT").find("-p 4"),
            std::string::npos);
  const std::string output = chain_text(static_filter(IpFamily::kV4, static_settings(), networks()), "margay-OUTPUT");
  EXPECT_NE(output.find("-p 4 -m set --match-set margay4ipip-peers dst -m addrtype --src-type LOCAL -j ACCEPT\n"),
            std::string::npos);
}

TEST(StaticChains, ForeignVxlanIsTakenForOursOnlyWhereItsNumberCannotBeRead) {
  model::FelixConfigurationSpec spec;
  spec.tunnels.vxlan_vni = 77;
  Settings settings = static_settings(spec);
  settings.features.has_u32 = true;
  EXPECT_NE(chain_text(static_filter(IpFamily::kV4, settings, networks()), "margay-INPUT")
                .find("-p udp -m multiport --dports 4789 -m u32 --u32 0>>22&0x3C@12>>8=77 -m addrtype --dst-type LOCAL "
                      "-j DROP\n"),
            std::string::npos);
  NodeNetworks both = networks();
  both.vxlan_peers.insert(IpAddress::parse("2001:db8::9").value());
  EXPECT_NE(chain_text(static_filter(IpFamily::kV6, settings, both), "margay-INPUT").find("-m u32 --u32 52>>8=77 "),
            std::string::npos);
}

TEST(StaticChains, WorkloadToHostEndsInItsAction) {
  model::FelixConfigurationSpec spec;
  const auto end = [&spec] {
    return chain_text(static_filter(IpFamily::kV4, static_settings(spec), {}), "margay-wl-to-host");
  };
  EXPECT_EQ(end(), "-j margay-from-wl\n-j DROP\n");
  spec.host.default_endpoint_to_host_action = model::EndpointToHostAction::kAccept;
  EXPECT_EQ(end(), "-j margay-from-wl\n-j ACCEPT\n");
  spec.netfilter.iptables_filter_allow_action = model::AllowAction::kReturn;
  EXPECT_EQ(end(), "-j margay-from-wl\n-j RETURN\n");
  spec.host.default_endpoint_to_host_action = model::EndpointToHostAction::kDrop;
  spec.netfilter.iptables_filter_deny_action = model::DenyAction::kReject;
  EXPECT_EQ(end(), "-j margay-from-wl\n-j REJECT\n");
  const std::string six = chain_text(static_filter(IpFamily::kV6, static_settings(), {}), "margay-wl-to-host");
  EXPECT_TRUE(six.starts_with("-p ipv6-icmp -m icmp6 --icmpv6-type 130 -j ACCEPT\n")) << six;
  EXPECT_NE(six.find("--icmpv6-type 136"), std::string::npos) << "neighbours are found whatever policy says";
}

TEST(StaticChains, ServiceAddressesWithoutBackendAreDroppedOrRejected) {
  model::FelixConfigurationSpec spec;
  const auto block = [&spec](IpFamily family) {
    return chain_text(static_filter(family, static_settings(spec), networks()), "margay-cidr-block");
  };
  EXPECT_EQ(block(IpFamily::kV4), "-d 10.96.0.0/12 -j DROP\n");
  EXPECT_EQ(block(IpFamily::kV6), "-d fd01::/108 -j DROP\n");
  spec.netfilter.service_loop_prevention = model::ServiceLoopPrevention::kReject;
  EXPECT_EQ(block(IpFamily::kV4), "-d 10.96.0.0/12 -j REJECT\n");
  spec.netfilter.service_loop_prevention = model::ServiceLoopPrevention::kDisabled;
  EXPECT_EQ(block(IpFamily::kV4), "");
}

TEST(StaticChains, FailsafePortsOpenOneWayAndInRawBothWays) {
  model::FelixConfigurationSpec spec;
  spec.host.failsafe_inbound_host_ports = {
      {.protocol = {}, .port = Port(22), .net = IpPrefix::parse("192.0.2.0/24").value()}};
  spec.host.failsafe_outbound_host_ports = {{.protocol = model::TransportProtocol::kUdp, .port = Port(53), .net = {}}};
  const auto chains = [&spec](IpFamily family, Table table) {
    return TableContent{.chains = failsafe_chains(family, table, static_settings(spec)), .hooks = {}};
  };
  const std::string ssh = "-p tcp -s 192.0.2.0/24 -m multiport --dports 22 -j ACCEPT\n";
  EXPECT_EQ(chain_text(chains(IpFamily::kV4, Table::kFilter), "margay-failsafe-in"), ssh);
  EXPECT_EQ(chain_text(chains(IpFamily::kV6, Table::kFilter), "margay-failsafe-in"), "")
      << "a network of the other family";
  EXPECT_EQ(chain_text(chains(IpFamily::kV4, Table::kFilter), "margay-failsafe-out"),
            "-p udp -m multiport --dports 53 -j ACCEPT\n");
  EXPECT_EQ(chain_text(chains(IpFamily::kV4, Table::kRaw), "margay-failsafe-in"),
            ssh + "-p udp -m multiport --sports 53 -j ACCEPT\n");
  EXPECT_EQ(chain_text(chains(IpFamily::kV4, Table::kRaw), "margay-failsafe-out"),
            "-p udp -m multiport --dports 53 -j ACCEPT\n"
            "-p tcp -d 192.0.2.0/24 -m multiport --sports 22 -j ACCEPT\n");
}

struct NatCase {
  const char* why;
  void (*fill)(model::FelixConfigurationSpec&);
  const char* rules;
};

const NatCase kNatCases[] = {
    {"the default", [](model::FelixConfigurationSpec&) {},
     "-m set --match-set margay4masq-pools src -m set ! --match-set margay4pools dst -j MASQUERADE --random-fully\n"},
    {"ports, for protocols that have them",
     [](model::FelixConfigurationSpec& spec) { spec.routes.nat_port_range = PortRange::parse("1000:2000").value(); },
     "-p tcp -m set --match-set margay4masq-pools src -m set ! --match-set margay4pools dst -j MASQUERADE --to-ports "
     "1000-2000 --random-fully\n"
     "-p udp -m set --match-set margay4masq-pools src -m set ! --match-set margay4pools dst -j MASQUERADE --to-ports "
     "1000-2000 --random-fully\n"
     "-m set --match-set margay4masq-pools src -m set ! --match-set margay4pools dst -j MASQUERADE --random-fully\n"},
    {"an address",
     [](model::FelixConfigurationSpec& spec) {
       spec.routes.nat_outgoing_address = IpAddress::parse("192.0.2.9").value();
     },
     "-m set --match-set margay4masq-pools src -m set ! --match-set margay4pools dst -j SNAT --to-source 192.0.2.9 "
     "--random-fully\n"},
    {"not to nodes, and by one interface",
     [](model::FelixConfigurationSpec& spec) {
       spec.routes.nat_outgoing_exclusions = model::NatOutgoingExclusions::kIpPoolsAndHostIps;
       spec.routes.iptables_nat_outgoing_interface_filter = "eth+";
     },
     "-o eth+ -m set --match-set margay4masq-pools src -m set ! --match-set margay4pools dst -m set ! --match-set "
     "margay4hosts dst -j MASQUERADE --random-fully\n"},
};

TEST(Nat, WhatLeavesThePoolsGetsAnAddressOfTheNode) {
  for (const NatCase& c : kNatCases) {
    model::FelixConfigurationSpec spec;
    c.fill(spec);
    EXPECT_EQ(chain_text(nat_content(IpFamily::kV4, static_settings(spec), networks()), "margay-nat-outgoing"), c.rules)
        << c.why;
    EXPECT_EQ(chain_text(nat_content(IpFamily::kV6, static_settings(spec), networks()), "margay-nat-outgoing"), "")
        << "no pool of that family has natOutgoing";
  }
}

TEST(Nat, AKernelWithoutRandomFullyHasNoSuchOption) {
  KernelFeatures features;
  features.has_random_fully = false;
  NodeNetworks with_tunnel = networks();
  with_tunnel.tunnel_devices = {"tunl0"};
  const TableContent content = nat_content(IpFamily::kV4, static_settings({}, features), with_tunnel);
  for (const auto& chain : content.chains) {
    for (const auto& rule : chain.rules) EXPECT_EQ(rule.spec.find("random"), std::string::npos);
  }
}

TEST(Nat, TheHostGetsTheTunnelsAddressAndComesAfterOthersRules) {
  NodeNetworks with_tunnel = networks();
  with_tunnel.tunnel_devices = {"tunl0"};
  const TableContent content = nat_content(IpFamily::kV4, static_settings(), with_tunnel);
  EXPECT_EQ(chain_text(content, "margay-POSTROUTING"),
            "-j margay-nat-outgoing\n"
            "-o tunl0 -m addrtype ! --src-type LOCAL --limit-iface-out -m addrtype --src-type LOCAL -j MASQUERADE "
            "--random-fully\n");
  EXPECT_TRUE(content.hooks.at("POSTROUTING").first.empty());
  EXPECT_EQ(content.hooks.at("POSTROUTING").last.at(0).spec, "-j margay-POSTROUTING");
}

}  // namespace
}  // namespace margay::render
