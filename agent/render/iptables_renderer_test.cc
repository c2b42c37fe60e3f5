// The renderer as a whole: what the tables do with packets.
#include <gtest/gtest.h>

#include "agent/render/iptables_renderer.h"
#include "test/support/render_fixture.h"

namespace margay::render {
namespace {

using namespace test::fixture;
using test::NodePacket;
using test::Walked;

TEST(IptablesRenderer, WithoutEndpointsPacketsPassButThoseOfUnknownInterfaces) {
  Node node;
  EXPECT_TRUE(node.walk(packet("eth0", "192.0.2.9", "eth1", "192.0.2.8")).passes());
  EXPECT_TRUE(node.walk(to_host(80)).passes());
  EXPECT_FALSE(node.walk(packet("cali9", "10.0.0.9", "eth0", "192.0.2.9")).passes());
  EXPECT_FALSE(node.walk(packet("eth0", "192.0.2.9", "cali9", "10.0.0.9")).passes());
  EXPECT_FALSE(node.walk(packet("cali9", "10.0.0.9", "", "10.0.0.254")).passes());
  EXPECT_EQ(node.walk(packet("cali9", "10.0.0.9", "eth0", "192.0.2.9")).where,
            "filter margay-from-wl: unknown interface");
}

TEST(IptablesRenderer, AProfileAllowsAndWithoutOneNothingDoes) {
  Node node;
  node.put(two_workloads());
  EXPECT_TRUE(node.walk(between_workloads()).passes());
  EXPECT_TRUE(node.walk(packet("cali1", "fd00::1", "cali2", "fd00::2")).passes());
  policy::Delta delta;
  delta.endpoints[workload_key("w2")] = workload(2, {});
  node.put(delta);
  EXPECT_EQ(node.walk(between_workloads()).where, "filter margay-tw-cali2: no policy or profile allows it");
}

TEST(IptablesRenderer, AMissingProfileDenies) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.profiles["gone"] =
      std::make_shared<const policy::Profile>(policy::Profile{.name = "gone", .is_missing = true, .rules = {}});
  delta.endpoints[workload_key("w2")] = workload(2, {"gone", "open"});
  delta.endpoints[workload_key("w3")] = workload(3, {"never told of", "open"});
  node.put(delta);
  EXPECT_EQ(node.walk(between_workloads()).where, "filter margay-pri-gone: Profile gone is missing");
  EXPECT_FALSE(node.walk(packet("cali1", "10.0.0.1", "cali3", "10.0.0.3")).passes());
}

TEST(IptablesRenderer, RulesNameTheirPolicy) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kLog, model::RuleAction::kDeny});
  auto endpoint = workload(2);
  endpoint->policy.normal = {tier({"p"})};
  delta.endpoints[workload_key("w2")] = endpoint;
  node.put(delta);
  const Walked walked = node.walk(between_workloads());
  EXPECT_FALSE(walked.passes());
  EXPECT_TRUE(walked.where.ends_with(": GlobalNetworkPolicy p ingress[1]")) << walked.where;
  EXPECT_EQ(walked.log, std::vector<std::string>{"calico-packet: "});
}

TEST(IptablesRenderer, ConnectionsThatAreThereGoOnAndInvalidOnesEnd) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w2")] = workload(2, {});
  node.put(delta);
  NodePacket asked = from_outside();
  asked.out = "cali2";
  asked.state = "ESTABLISHED";
  EXPECT_TRUE(node.walk(asked).passes());
  asked = between_workloads();
  asked.out = "cali1";
  asked.state = "INVALID";
  EXPECT_FALSE(node.walk(asked).passes());
  node.set([](auto& spec) { spec.netfilter.disable_conntrack_invalid_check = true; });
  EXPECT_TRUE(node.walk(asked).passes());
}

TEST(IptablesRenderer, AWorkloadSendsFromItsOwnAddressesOnly) {
  Node node;
  node.put(two_workloads());
  NodePacket asked = between_workloads();
  asked.source = ip("10.0.0.7");
  EXPECT_EQ(node.walk(asked).where, "filter margay-fw-cali1: not its address");
  asked = between_workloads();
  asked.is_way_back_right = false;
  EXPECT_EQ(node.walk(asked).where, "raw margay-PREROUTING: not the way back to its source");
  EXPECT_TRUE(node.walk(packet("cali1", "fe80::1", "cali2", "fd00::2")).passes()) << "what stays on the link";
  EXPECT_FALSE(node.walk(packet("cali1", "fd00::7", "cali2", "fd00::2")).passes());
}

TEST(IptablesRenderer, SpoofingIsForThoseWhoAskWhereItIsAllowed) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w1")] = changed(workload(1), [](model::WorkloadEndpointSpec& spec) {
    spec.allow_spoofed_source_prefixes = {IpPrefix::parse("203.0.113.0/24").value()};
  });
  node.put(delta);
  NodePacket asked = between_workloads();
  asked.source = ip("203.0.113.7");
  asked.is_way_back_right = false;
  EXPECT_FALSE(node.walk(asked).passes());
  node.set([](auto& spec) { spec.host.workload_source_spoofing = model::SourceSpoofing::kAny; });
  EXPECT_TRUE(node.walk(asked).passes());
  asked.source = ip("203.0.114.7");
  EXPECT_FALSE(node.walk(asked).passes());
  policy::Delta without;
  without.endpoints[workload_key("w1")] = workload(1);
  node.put(without);
  EXPECT_EQ(node.node.text(kRaw4, "margay-rpf-skip"), "");
}

TEST(IptablesRenderer, WorkloadsDoNotSendIntoTunnels) {
  Node node;
  node.put(two_workloads());
  NodePacket vxlan = between_workloads();
  vxlan.protocol = 17;
  vxlan.destination_port = 4789;
  NodePacket ipip = between_workloads();
  ipip.protocol = 4;
  EXPECT_FALSE(node.walk(vxlan).passes());
  EXPECT_FALSE(node.walk(ipip).passes());
  node.set([](auto& spec) {
    spec.host.allow_ipip_packets_from_workloads = true;
    spec.host.allow_vxlan_packets_from_workloads = true;
  });
  EXPECT_TRUE(node.walk(vxlan).passes());
  EXPECT_TRUE(node.walk(ipip).passes());
  node.set([](auto& spec) {
    spec.host.allow_vxlan_packets_from_workloads = false;
    spec.tunnels.vxlan_port = Port(8472);
  });
  EXPECT_TRUE(node.walk(vxlan).passes());
  vxlan.destination_port = 8472;
  EXPECT_FALSE(node.walk(vxlan).passes());
}

TEST(IptablesRenderer, LimitsOfAWorkload) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w2")] = changed(workload(2), [](model::WorkloadEndpointSpec& spec) {
    spec.qos_controls = model::QosControls{};
    spec.qos_controls->ingress.packet_rate = 100;
    spec.qos_controls->ingress.max_connections = 10;
  });
  node.put(delta);
  const std::string chain = node.node.text(kFilter4, "margay-tw-cali2");
  EXPECT_NE(chain.find("-m limit --limit 100/sec --limit-burst 5"), std::string::npos) << chain;
  NodePacket asked = between_workloads();
  EXPECT_TRUE(node.walk(asked).passes());
  asked.connections = 10;
  EXPECT_TRUE(node.walk(asked).passes());
  asked.connections = 11;
  EXPECT_EQ(node.walk(asked).end, Walked::End::kReject);
  asked = between_workloads();
  asked.is_within_limits = false;
  asked.state = "ESTABLISHED";
  asked.in = "eth0";
  EXPECT_FALSE(node.walk(asked).passes()) << "the rate is of all packets";
}

TEST(IptablesRenderer, AKernelThatCannotCountConnectionsIsSaidSo) {
  KernelFeatures features;
  features.has_connlimit = false;
  IptablesRenderer renderer(features);
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w1")] = changed(workload(1), [](model::WorkloadEndpointSpec& spec) {
    spec.qos_controls = model::QosControls{};
    spec.qos_controls->egress.max_connections = 1;
  });
  renderer.apply(delta);
  test::IptablesNode node;
  EXPECT_TRUE(node.apply(renderer.take()).empty());
  EXPECT_TRUE(renderer.problems().contains("WorkloadEndpoint ns/w1"));
  EXPECT_EQ(node.dump().find("connlimit"), std::string::npos);
}

TEST(IptablesRenderer, ToTheHostPolicyAndThenTheSettingDecide) {
  Node node;
  node.put(two_workloads());
  const NodePacket asked = packet("cali1", "10.0.0.1", "", "192.0.2.1");
  EXPECT_EQ(node.walk(asked).where, "filter margay-wl-to-host: defaultEndpointToHostAction");
  node.set([](auto& spec) { spec.host.default_endpoint_to_host_action = model::EndpointToHostAction::kAccept; });
  EXPECT_TRUE(node.walk(asked).passes());
  policy::Delta delta;
  delta.endpoints[workload_key("w1")] = workload(1, {});
  node.put(delta);
  EXPECT_FALSE(node.walk(asked).passes());
  NodePacket solicitation = packet("cali1", "fe80::1", "", "fe80::2");
  solicitation.protocol = 58;
  solicitation.icmp_type = 135;
  solicitation.icmp_code = 0;
  EXPECT_TRUE(node.walk(solicitation).passes());
}

TEST(IptablesRenderer, TheHostReachesItsWorkloadsWhateverPolicySays) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w1")] = workload(1, {});
  delta.endpoints[host_key("all")] = host("*");
  node.put(delta);
  EXPECT_TRUE(node.walk(packet("", "192.0.2.1", "cali1", "10.0.0.1")).passes());
  EXPECT_FALSE(node.walk(packet("", "192.0.2.1", "eth0", "192.0.2.9")).passes()) << "the host endpoint has no policy";
  EXPECT_TRUE(node.walk(packet("", "127.0.0.1", "lo", "127.0.0.1")).passes()) << "the host talks to itself";
}

TEST(IptablesRenderer, AHostEndpointWithoutPolicyLeavesFailsafePortsOnly) {
  Node node;
  policy::Delta delta;
  delta.endpoints[host_key("h")] = host("eth0");
  node.put(delta);
  EXPECT_TRUE(node.walk(to_host(22)).passes());
  EXPECT_FALSE(node.walk(to_host(80)).passes());
  NodePacket elsewhere = to_host(80);
  elsewhere.in = "eth1";
  EXPECT_TRUE(node.walk(elsewhere).passes());
  EXPECT_TRUE(node.walk(packet("eth0", "192.0.2.9", "eth1", "192.0.3.9")).passes()) << "forwarding is another matter";
  NodePacket dns = packet("", "192.0.2.1", "eth0", "192.0.2.9");
  dns.protocol = 17;
  dns.destination_port = 53;
  EXPECT_TRUE(node.walk(dns).passes());
  dns.destination_port = 54;
  EXPECT_FALSE(node.walk(dns).passes());
  node.set([](auto& spec) { spec.host.failsafe_inbound_host_ports.emplace(); });
  EXPECT_FALSE(node.walk(to_host(22)).passes());
}

TEST(IptablesRenderer, AHostEndpointFollowsItsAddress) {
  Node node;
  policy::Delta delta;
  delta.endpoints[host_key("h")] = host("", {"192.0.2.1"});
  node.put(delta);
  EXPECT_TRUE(node.walk(to_host(80)).passes()) << "nobody has the address";
  node.renderer.set_interfaces({{"eth0", {ip("192.0.2.1")}}});
  node.take();
  EXPECT_FALSE(node.walk(to_host(80)).passes());
  node.renderer.set_interfaces({{"eth1", {ip("192.0.2.1")}}});
  node.take();
  EXPECT_TRUE(node.walk(to_host(80)).passes());
  EXPECT_EQ(node.node.text(kFilter4, "margay-fh-eth0"), "");
}

TEST(IptablesRenderer, WhatIpvsForwardsMeetsThePolicyOfBothEnds) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w3")] = workload(3, {});
  node.put(delta);
  const auto by_ipvs = [](const char* source, const char* out, const char* destination) {
    NodePacket packet = test::fixture::packet("", source, out, destination);
    packet.is_by_ipvs = true;
    return packet;
  };
  const NodePacket to_service = packet("cali1", "10.0.0.1", "", "10.96.0.1");
  EXPECT_FALSE(node.walk(to_service).passes()) << "a workload may not talk to its host";
  node.renderer.set_interfaces({{"kube-ipvs0", {ip("10.96.0.1")}}});
  node.take();
  EXPECT_TRUE(node.walk(to_service).passes());
  EXPECT_FALSE(node.walk(packet("cali1", "10.0.0.1", "", "10.0.0.254")).passes()) << "not of a Service";
  EXPECT_TRUE(node.walk(by_ipvs("10.0.0.1", "cali2", "10.0.0.2")).passes());
  EXPECT_EQ(node.walk(by_ipvs("10.0.0.1", "cali3", "10.0.0.3")).where,
            "filter margay-tw-cali3: no policy or profile allows it");
  EXPECT_EQ(node.walk(by_ipvs("10.0.0.3", "cali2", "10.0.0.2")).where,
            "filter margay-fw-cali3: no policy or profile allows it");
  EXPECT_EQ(node.walk(by_ipvs("10.0.0.3", "eth0", "192.0.2.9")).where,
            "filter margay-fw-cali3: no policy or profile allows it");
  EXPECT_EQ(node.walk(by_ipvs("192.0.2.9", "cali3", "10.0.0.3")).where,
            "filter margay-tw-cali3: no policy or profile allows it");
  EXPECT_TRUE(node.walk(packet("", "10.0.0.254", "cali3", "10.0.0.3")).passes()) << "the host's own";
  node.renderer.set_interfaces({});
  node.take();
  EXPECT_FALSE(node.walk(to_service).passes());
  EXPECT_EQ(node.node.text(kFilter4, "margay-ipvs"), "");
  EXPECT_EQ(node.node.text(kFilter4, "margay-from-wl-ip"), "");
}

TEST(IptablesRenderer, TheHostsOwnPacketsArePolicedAfterDnat) {
  Node node;
  policy::Delta delta;
  delta.endpoints[host_key("h")] = host("eth0");
  node.put(delta);
  NodePacket asked = packet("", "192.0.2.1", "eth0", "192.0.2.9");
  asked.before_dnat = ip("10.96.0.1");
  asked.port_before_dnat = 443;
  EXPECT_EQ(node.walk(asked).where, "mangle margay-th-eth0: no policy or profile allows it");
  asked.destination_port = 6443;
  EXPECT_TRUE(node.walk(asked).passes()) << "a failsafe port, where it really goes";
  asked.in = "eth1";
  asked.destination_port = 80;
  EXPECT_TRUE(node.walk(asked).passes()) << "forwarded packets are not the host's own";
}

TEST(IptablesRenderer, UntrackedPolicyActsInRaw) {
  Node node;
  policy::Delta delta;
  delta.policies[policy_key("p")] = policy_of("p", {model::RuleAction::kAllow});
  auto endpoint = host("eth0");
  endpoint->policy.untracked = {tier({"p"})};
  delta.endpoints[host_key("h")] = endpoint;
  node.put(delta);
  const Walked in = node.walk(to_host(80));
  EXPECT_TRUE(in.passes());
  EXPECT_FALSE(in.is_tracked);
  EXPECT_FALSE(node.walk(packet("", "192.0.2.1", "eth0", "192.0.2.9")).is_tracked);
}

TEST(IptablesRenderer, DenyingMayReject) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w2")] = workload(2, {});
  node.put(delta);
  EXPECT_EQ(node.walk(between_workloads()).end, Walked::End::kDrop);
  node.set([](auto& spec) { spec.netfilter.iptables_filter_deny_action = model::DenyAction::kReject; });
  EXPECT_EQ(node.walk(between_workloads()).end, Walked::End::kReject);
}

TEST(IptablesRenderer, AllowMayLeaveItToOthersAndDeniesTheSame) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w3")] = workload(3, {});
  node.put(delta);
  node.set([](auto& spec) {
    spec.netfilter.iptables_filter_allow_action = model::AllowAction::kReturn;
    spec.netfilter.iptables_mangle_allow_action = model::AllowAction::kReturn;
  });
  EXPECT_TRUE(node.walk(between_workloads()).passes());
  EXPECT_FALSE(node.walk(packet("cali1", "10.0.0.1", "cali3", "10.0.0.3")).passes());
  NodePacket established = packet("cali1", "10.0.0.1", "cali3", "10.0.0.3");
  established.state = "ESTABLISHED";
  EXPECT_TRUE(node.walk(established).passes());
}

TEST(IptablesRenderer, MarksOfOthersAreLeftAloneAndOursAreNotBelieved) {
  Node node;
  policy::Delta delta = two_workloads();
  delta.endpoints[workload_key("w2")] = workload(2, {});
  node.put(delta);
  NodePacket asked = between_workloads();
  asked.mark = 0xffffffff;
  EXPECT_FALSE(node.walk(asked).passes());
  const std::string all = node.node.dump();
  for (std::size_t at = all.find("--set-xmark"); at != std::string::npos; at = all.find("--set-xmark", at + 1)) {
    const std::string mask =
        all.substr(all.find('/', at) + 1, all.find_first_of(" \n", all.find('/', at)) - all.find('/', at) - 1);
    EXPECT_EQ(std::stoul(mask, nullptr, 16) & ~0xf0000UL, 0U) << mask;
  }
}

TEST(IptablesRenderer, AMaskWithTooFewBitsIsReportedAndTheDefaultHolds) {
  Node node;
  node.set([](auto& spec) { spec.netfilter.iptables_mark_mask = 0x3; });
  EXPECT_TRUE(node.renderer.problems().contains("FelixConfiguration"));
  EXPECT_NE(node.node.dump().find("0xf0000"), std::string::npos);
  node.set([](auto& spec) { spec.netfilter.iptables_mark_mask = 0xf; });
  EXPECT_FALSE(node.renderer.problems().contains("FelixConfiguration"));
  EXPECT_EQ(node.node.dump().find("0xf0000"), std::string::npos) << "a setting acts without a restart";
}

TEST(IptablesRenderer, NatAndServiceLoops) {
  Node node;
  node.put(two_workloads());
  NodeNetworks networks;
  networks.pools = {IpPrefix::parse("10.0.0.0/16").value()};
  networks.masquerade_pools = networks.pools;
  networks.service_blocks = {IpPrefix::parse("10.96.0.0/12").value()};
  node.put_networks(networks);
  EXPECT_TRUE(node.walk(packet("cali1", "10.0.0.1", "eth0", "192.0.2.9")).is_masqueraded);
  EXPECT_FALSE(node.walk(packet("cali1", "10.0.0.1", "eth0", "10.0.1.1")).is_masqueraded);
  EXPECT_FALSE(node.walk(packet("eth1", "192.0.2.9", "eth0", "10.0.1.1")).is_masqueraded);
  EXPECT_FALSE(node.walk(packet("eth0", "192.0.2.9", "eth0", "10.96.0.7")).passes());
  networks.service_blocks.clear();
  networks.masquerade_pools.clear();
  node.put_networks(networks);
  EXPECT_FALSE(node.walk(packet("cali1", "10.0.0.1", "eth0", "192.0.2.9")).is_masqueraded);
  EXPECT_TRUE(node.walk(packet("eth0", "192.0.2.9", "eth0", "10.96.0.7")).passes());
}

TEST(IptablesRenderer, TunnelsAreForNodes) {
  Node node;
  NodeNetworks networks;
  networks.ipip_enabled = networks.vxlan_enabled = true;
  networks.ipip_peers = networks.vxlan_peers = {ip("192.0.2.9")};
  node.put_networks(networks);
  NodePacket asked = to_host(0);
  asked.protocol = 4;
  EXPECT_TRUE(node.walk(asked).passes());
  asked.source = ip("192.0.2.8");
  EXPECT_FALSE(node.walk(asked).passes());
  asked = to_host(4789);
  asked.protocol = 17;
  EXPECT_TRUE(node.walk(asked).passes());
  EXPECT_FALSE(node.walk(asked).is_tracked);
  asked.source = ip("192.0.2.8");
  EXPECT_FALSE(node.walk(asked).passes());
  policy::Delta delta;
  delta.endpoints[host_key("h")] = host("eth0");
  node.put(delta);
  NodePacket out = packet("", "192.0.2.1", "eth0", "192.0.2.9");
  out.protocol = 4;
  EXPECT_TRUE(node.walk(out).passes()) << "whatever the host endpoint says";
}

}  // namespace
}  // namespace margay::render
