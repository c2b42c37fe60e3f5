// Every kind of line that the renderer writes, read by the real iptables-restore and taken by this kernel: in a network
// namespace of its own, both back ends, both families. Needs root, iptables and ipset; skips itself without.
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>

#include "agent/render/iptables_renderer.h"
#include "base/core/text.h"
#include "dataplane/exec/runner.h"
#include "dataplane/iptables/commands.h"
#include "dataplane/iptables/features.h"
#include "dataplane/netlink/scratch_namespace.h"
#include "test/support/iptables_node.h"
#include "test/support/random_rules.h"

namespace margay::test {
namespace {

using iptables::Backend;

constexpr Duration kLockWait = std::chrono::seconds(20);

IpPrefix net(std::string_view text) { return IpPrefix::parse_cidr_or_address(text).value(); }

// Everything off its default.
model::FelixConfigurationSpec other_settings() {
  model::FelixConfigurationSpec out;
  out.netfilter.iptables_filter_deny_action = model::DenyAction::kReject;
  out.netfilter.iptables_filter_allow_action = model::AllowAction::kReturn;
  out.netfilter.iptables_mangle_allow_action = model::AllowAction::kReturn;
  out.netfilter.service_loop_prevention = model::ServiceLoopPrevention::kReject;
  out.netfilter.log_prefix = "%t %k %n: %p";
  out.netfilter.log_action_rate_limit = "100/hour";
  out.netfilter.iptables_mark_mask = 0xf0f;
  out.host.interface_prefix = "cali,tap";
  out.host.default_endpoint_to_host_action = model::EndpointToHostAction::kReturn;
  out.host.workload_source_spoofing = model::SourceSpoofing::kAny;
  out.host.failsafe_inbound_host_ports = {{.protocol = {}, .port = Port(22), .net = net("192.0.2.0/24")},
                                          {.protocol = model::TransportProtocol::kSctp, .port = Port(7), .net = {}}};
  out.routes.nat_port_range = PortRange::parse("1024:65535").value();
  out.routes.nat_outgoing_exclusions = model::NatOutgoingExclusions::kIpPoolsAndHostIps;
  out.routes.iptables_nat_outgoing_interface_filter = "eth+";
  out.routes.nat_outgoing_address = net("192.0.2.9").first();
  return out;
}

render::NodeNetworks networks() {
  render::NodeNetworks out;
  out.pools = out.masquerade_pools = {net("10.0.0.0/16"), net("fd00::/64")};
  out.service_blocks = {net("10.96.0.0/12"), net("fd01::/108")};
  out.hosts = out.ipip_peers = {net("192.0.2.1").first()};
  out.vxlan_peers = {net("192.0.2.1").first(), net("2001:db8::1").first()};
  out.ipip_enabled = out.vxlan_enabled = true;
  out.tunnel_devices = {"tunl0", "vxlan.calico"};
  return out;
}

policy::Delta limited_workload() {
  auto workload = std::make_shared<model::WorkloadEndpoint>();
  workload->spec.interface_name = "cali0123456789a";
  workload->spec.ip_networks = {net("10.0.0.1"), net("10.0.0.2"), net("fd00::1")};
  workload->spec.allow_spoofed_source_prefixes = {net("203.0.113.0/24"), net("2001:db8::/32")};
  workload->spec.qos_controls = model::QosControls{};
  model::QosDirection& ingress = workload->spec.qos_controls->ingress;
  ingress.packet_rate = ingress.packet_burst = 10000;
  ingress.max_connections = 4294967295;
  workload->spec.qos_controls->egress.packet_rate = 1;
  workload->spec.qos_controls->egress.max_connections = 0;
  policy::Delta out;
  out.endpoints[{.kind = model::Kind::kWorkloadEndpoint, .name_space = "ns", .name = "limited"}] =
      std::make_shared<const policy::Endpoint>(policy::Endpoint{.workload = workload, .host = nullptr, .policy = {}});
  return out;
}

class IptablesRestore : public testing::TestWithParam<Backend> {
 protected:
  // What this kernel does not have is not rendered: the agent finds out in the same way.
  void SetUp() override {
    auto features = iptables::find_features(runner_, GetParam());
    if (!features.ok()) GTEST_SKIP() << features.error().message;
    features_ = *features;
    if (!runner_.run({.program = "ipset", .arguments = {"version"}}).ok()) GTEST_SKIP() << "no ipset";
  }

  void restore(const IptablesNode& node, const std::string& where) {
    auto space = netlink::ScratchNamespace::enter();
    if (!space.ok()) GTEST_SKIP() << space.error().message;
    const std::string sets = node.ipset_input();
    const auto made = runner_.run({.program = "ipset", .arguments = {"restore"}, .input = sets});
    ASSERT_TRUE(made.ok() && made->is_success()) << where << ": " << (made.ok() ? made->errors : made.error().message);
    for (const auto& [id, chains] : node.chains()) {
      const std::string input = node.restore_input(id);
      const auto done = runner_.run(iptables::restore_command(id.family, GetParam(), input, kLockWait));
      ASSERT_TRUE(done.ok()) << done.error().message;
      ASSERT_TRUE(done->is_success()) << where << ": " << done->errors << '\n' << input;
      ++tables_;
    }
  }

  exec::ProcessRunner runner_;
  render::KernelFeatures features_;
  std::size_t tables_ = 0;
};

TEST_P(IptablesRestore, TakesEveryLine) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    SeededRandom random(seed);
    RandomRules rules(random);
    render::IptablesRenderer renderer(features_);
    IptablesNode node;
    renderer.set_networks(networks());
    renderer.apply(limited_workload());
    for (int batch = 0; batch < 30; ++batch) renderer.apply(rules.next());
    for (const std::string& wrong : node.apply(renderer.take())) ADD_FAILURE() << wrong;
    restore(node, concat("seed ", seed));
    renderer.set_settings(other_settings());
    for (const std::string& wrong : node.apply(renderer.take())) ADD_FAILURE() << wrong;
    restore(node, concat("seed ", seed, " with other settings"));
    if (HasFatalFailure() || IsSkipped()) return;
  }
  EXPECT_GE(tables_, features_.has_ipv6 ? 64U : 32U);
}

INSTANTIATE_TEST_SUITE_P(Backends, IptablesRestore, testing::Values(Backend::kNft, Backend::kLegacy),
                         [](const auto& backend) { return std::string(iptables::to_string(backend.param)); });

}  // namespace
}  // namespace margay::test
