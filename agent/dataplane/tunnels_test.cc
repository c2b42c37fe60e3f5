// What the plan comes to, through the whole of Dataplane, with fakes.
#include "agent/dataplane/tunnels.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/dataplane/dataplane.h"
#include "agent/dataplane/fake_ports.h"
#include "base/loop/sim_loop.h"
#include "dataplane/route/fake_kernel.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using ipip::Carrier;
using ipip::DeviceKind;
using model::EncapMode;
using Texts = std::vector<std::string>;

IpAddress at(std::string_view text) { return IpAddress::parse(text).value(); }
IpPrefix range(std::string_view text) { return IpPrefix::parse(text).value(); }
ipip::RemoteRoute remote_by(Carrier carrier, std::string_view gateway) { return {carrier, at(gateway), "b"}; }

ipip::LocalTunnels wanting(bool ipip, bool vxlan) {
  ipip::LocalTunnels out;
  out.ipip = {.is_wanted = ipip, .address = {}, .mac = {}, .node_address = at("192.0.2.1")};
  out.vxlan_v4 = {.is_wanted = vxlan, .address = {}, .mac = Mac(), .node_address = at("192.0.2.1")};
  out.vxlan_v6 = {.is_wanted = false, .address = {}, .mac = Mac(), .node_address = at("2001:db8::1")};
  return out;
}

std::shared_ptr<const ipip::LearnedRule> rule(EncapMode ipip, EncapMode vxlan) {
  return std::make_shared<const ipip::LearnedRule>(
      std::vector<ipip::LearnedRule::Pool>{{range("10.9.0.0/16"), ipip, vxlan}},
      std::vector<IpPrefix>{range("192.0.2.0/24")}, std::vector<IpAddress>{at("192.0.2.2"), at("198.51.100.2")});
}

class TunnelsTest : public testing::Test {
 protected:
  TunnelsTest()
      : dataplane_({.loop = loop_,
                    .kernel = kernel_,
                    .ports = fake_ports(node_, &renderer_),
                    .on_report = [this](DataplaneReport report) { report_.merge(std::move(report)); }}) {
    kernel_.connect(range("192.0.2.0/24"), IfIndex(2));
    route::RouteBatch table;
    table.move_to(route::kMainTable);
    table.converge();
    dataplane_.take_routes(table);
  }
  void take(ipip::PlanDelta plan) {
    DataplaneBatch batch;
    batch.policy.is_in_sync = true;
    batch.tunnels.emplace();
    batch.plan = std::move(plan);
    dataplane_.take(std::move(batch));
    loop_.run_until_idle();
  }
  void learn(std::string_view prefix, std::string_view next_hop) {
    route::RouteBatch batch;
    batch.set(range(prefix), {route::LearnedHop{.address = at(next_hop)}}, 1024);
    dataplane_.take_routes(batch);
  }
  Texts lines() { return kernel_.lines(80); }

  loop::SimLoop loop_;
  route::FakeKernel kernel_;
  FakeNode node_;
  FakeRenderer* renderer_ = nullptr;
  DataplaneReport report_;
  Dataplane dataplane_;
};

TEST_F(TunnelsTest, EachRouteLeavesByItsCarrier) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, true);
  plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "198.51.100.2");
  plan.routes[range("10.9.2.0/26")] = remote_by(Carrier::kVxlan, "10.9.2.1");
  plan.routes[range("10.9.3.0/26")] = remote_by(Carrier::kPlain, "192.0.2.2");
  take(std::move(plan));
  EXPECT_EQ(lines(), Texts({"10.9.1.0/26 via 198.51.100.2 dev 100 onlink", "10.9.2.0/26 via 10.9.2.1 dev 101 onlink",
                            "10.9.3.0/26 via 192.0.2.2 dev 2"}));
  EXPECT_EQ(report_.planned_routes, 3U);
  EXPECT_EQ(report_.unresolved_planned_routes, 0U);
  EXPECT_EQ(report_.tunnel_devices, (std::set<std::string>{"tunl0", "vxlan.calico"}));
  ipip::PlanDelta gone;
  gone.routes[range("10.9.2.0/26")] = std::nullopt;
  take(std::move(gone));
  EXPECT_EQ(lines().size(), 2U);
}

TEST_F(TunnelsTest, PlannedRoutesHaveTheMetricOfTheSettings) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "198.51.100.2");
  take(std::move(plan));
  DataplaneBatch batch;
  batch.settings.emplace().routes.ipv4_normal_route_priority = 300;
  dataplane_.take(std::move(batch));
  loop_.run_until_idle();
  EXPECT_TRUE(kernel_.routes().contains({route::kMainTable, range("10.9.1.0/26"), 300}));
  EXPECT_FALSE(kernel_.routes().contains({route::kMainTable, range("10.9.1.0/26"), 1024}));
  EXPECT_EQ(lines().size(), 1U);
  ipip::PlanDelta gone;
  gone.routes[range("10.9.1.0/26")] = std::nullopt;
  take(std::move(gone));
  EXPECT_EQ(lines(), Texts());
}

// A restart must not give a device an MTU that it loses a moment later.
TEST_F(TunnelsTest, NoDeviceIsMadeBeforeItsSettingsAreKnown) {
  DataplaneBatch batch;
  batch.policy.is_in_sync = true;
  batch.plan.local = wanting(true, true);
  dataplane_.take(std::move(batch));
  loop_.run_until_idle();
  EXPECT_TRUE(node_.tunnels.empty());
  take({});
  EXPECT_EQ(node_.tunnels.size(), 2U);
}

TEST_F(TunnelsTest, WithoutItsDeviceARouteIsNotThere) {
  node_.failing = {"tunnels"};
  ipip::PlanDelta plan;
  plan.local = wanting(false, true);
  plan.routes[range("10.9.2.0/26")] = remote_by(Carrier::kVxlan, "10.9.2.1");
  take(std::move(plan));
  EXPECT_EQ(lines(), Texts());
  EXPECT_EQ(report_.unresolved_planned_routes, 1U);
  node_.failing.clear();
  loop_.advance(std::chrono::milliseconds(100));
  EXPECT_EQ(lines(), Texts({"10.9.2.0/26 via 10.9.2.1 dev 101 onlink"}));
  EXPECT_EQ(report_.unresolved_planned_routes, 0U);
}

TEST_F(TunnelsTest, ADeviceThatIsMadeAnewTakesItsRoutesAlong) {
  ipip::PlanDelta plan;
  plan.local = wanting(false, true);
  plan.routes[range("10.9.2.0/26")] = remote_by(Carrier::kVxlan, "10.9.2.1");
  take(std::move(plan));
  node_.tunnels[DeviceKind::kVxlanV4] = IfIndex(77);
  dataplane_.set_interface("vxlan.calico", NodeInterface{{IfIndex(77), true}, {}});
  loop_.run_until_idle();
  EXPECT_EQ(node_.resyncs["tunnels"], 1);
  EXPECT_EQ(lines(), Texts({"10.9.2.0/26 via 10.9.2.1 dev 77 onlink"}));
}

TEST_F(TunnelsTest, APoolThatChangesItsModeIsOneReplacingWriteForEachPrefix) {
  learn("10.9.1.0/26", "198.51.100.2");
  ipip::PlanDelta first;
  first.local = wanting(true, false);
  first.learned_rule = rule(EncapMode::kAlways, EncapMode::kNever);
  take(std::move(first));
  EXPECT_EQ(lines(), Texts({"10.9.1.0/26 via 198.51.100.2 dev 100 onlink"}));
  bool was_always_there = true;
  kernel_.on_call = [&] { was_always_there &= lines().size() == 1; };
  const int before = kernel_.writes();
  ipip::PlanDelta second;
  second.local = wanting(false, true);
  second.learned_rule = rule(EncapMode::kNever, EncapMode::kAlways);
  second.routes[range("10.9.1.0/26")] = remote_by(Carrier::kVxlan, "10.9.1.1");
  take(std::move(second));
  EXPECT_EQ(lines(), Texts({"10.9.1.0/26 via 10.9.1.1 dev 101 onlink"}));
  EXPECT_EQ(kernel_.writes(), before + 1);
  EXPECT_TRUE(was_always_there);
  ipip::PlanDelta third;
  third.local = wanting(true, false);
  third.learned_rule = rule(EncapMode::kAlways, EncapMode::kNever);
  third.routes[range("10.9.1.0/26")] = std::nullopt;
  take(std::move(third));
  EXPECT_EQ(lines(), Texts({"10.9.1.0/26 via 198.51.100.2 dev 100 onlink"})) << "BGP's again";
  EXPECT_EQ(kernel_.writes(), before + 2);
  EXPECT_TRUE(was_always_there);
}

TEST_F(TunnelsTest, ThePlansOwnModeChangesAreOneWriteToo) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, true);
  plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "192.0.2.2");
  take(std::move(plan));
  bool was_always_there = true;
  kernel_.on_call = [&] { was_always_there &= lines().size() == 1; };
  for (const Carrier carrier : {Carrier::kVxlan, Carrier::kPlain, Carrier::kIpip, Carrier::kPlain, Carrier::kVxlan}) {
    const int before = kernel_.writes();
    ipip::PlanDelta next;
    next.routes[range("10.9.1.0/26")] = remote_by(carrier, "192.0.2.2");
    take(std::move(next));
    EXPECT_EQ(kernel_.writes(), before + 1) << ipip::to_string(carrier);
    EXPECT_EQ(lines().size(), 1U);
  }
  EXPECT_TRUE(was_always_there);
}

// Without a device: plain routes with a smaller MTU, and a program that knows which node each prefix is on.
class EncapsulatedTest : public testing::Test {
 protected:
  EncapsulatedTest() {
    Ports ports = fake_ports(node_, &renderer_);
    auto made = std::make_unique<FakeEncapsulation>(node_);
    program_ = made.get();
    ports.encapsulation = std::move(made);
    dataplane_.emplace(Dataplane::Parts{
        .loop = loop_, .kernel = kernel_, .ports = std::move(ports), .on_report = [this](DataplaneReport report) {
          report_.merge(std::move(report));
        }});
    kernel_.connect(range("192.0.2.0/24"), IfIndex(2));
    dataplane_->set_interface("eth0", NodeInterface{{IfIndex(2), true}, {at("192.0.2.1")}});
    dataplane_->set_interface("eth1", NodeInterface{{IfIndex(3), true}, {at("203.0.113.1")}});
  }
  void take(ipip::PlanDelta plan) {
    DataplaneBatch batch;
    batch.policy.is_in_sync = true;
    batch.tunnels.emplace().ipip_mtu = 1400;
    batch.plan = std::move(plan);
    dataplane_->take(std::move(batch));
    loop_.run_until_idle();
  }

  loop::SimLoop loop_;
  route::FakeKernel kernel_;
  FakeNode node_;
  FakeRenderer* renderer_ = nullptr;
  FakeEncapsulation* program_ = nullptr;
  DataplaneReport report_;
  std::optional<Dataplane> dataplane_;
};

TEST_F(EncapsulatedTest, RoutesArePlainAndTheProgramKnowsTheNode) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  plan.ipip_peers.added = {at("192.0.2.2")};
  plan.local_blocks[range("10.9.0.0/26")] = true;
  plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "192.0.2.2");
  plan.routes[range("10.9.1.7/32")] = remote_by(Carrier::kPlain, "192.0.2.3");
  take(std::move(plan));
  EXPECT_EQ(kernel_.lines(80), Texts({"10.9.1.0/26 via 192.0.2.2 dev 2 mtu 1400", "10.9.1.7/32 via 192.0.2.3 dev 2"}));
  EXPECT_EQ(program_->remotes, (std::map<IpPrefix, IpAddress>{{range("10.9.1.0/26"), at("192.0.2.2")},
                                                              {range("10.9.1.7/32"), IpAddress()}}));
  EXPECT_EQ(program_->senders, std::set<IpAddress>{at("192.0.2.2")});
  EXPECT_EQ(program_->own_prefixes, std::set<IpPrefix>{range("10.9.0.0/26")});
  EXPECT_EQ(program_->address, at("192.0.2.1"));
  EXPECT_EQ(program_->uplinks, std::set<IfIndex>{IfIndex(2)});
}

// Without it this host's own packets would have the node's address, and answers would come back plain.
TEST_F(EncapsulatedTest, TheTunnelsAddressIsTheHostsOwnBeforeRoutesHaveItAsTheirSource) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "192.0.2.2");
  plan.routes[range("10.9.2.0/26")] = remote_by(Carrier::kPlain, "192.0.2.3");
  take(plan);
  bool was_local = true;
  const auto is_local = [&](const char* address) {
    return kernel_.routes().contains({route::kLocalTable, IpPrefix::host(at(address))});
  };
  kernel_.on_call = [&] {
    for (const auto& [key, held] : kernel_.routes()) {
      const auto& source = held.route.preferred_source;
      was_local &= !source || kernel_.routes().contains({route::kLocalTable, IpPrefix::host(*source)});
    }
  };
  ipip::PlanDelta next;
  next.local = wanting(true, false);
  next.local->ipip.address = at("10.9.0.1");
  take(next);
  EXPECT_TRUE(is_local("10.9.0.1"));
  const auto source_of = [&](const char* prefix) {
    return kernel_.routes().at({route::kMainTable, range(prefix), 1024}).route.preferred_source;
  };
  EXPECT_EQ(source_of("10.9.1.0/26"), at("10.9.0.1"));
  EXPECT_EQ(source_of("10.9.2.0/26"), std::nullopt) << "plain ones are answered plain";
  next.local->ipip.address = at("10.9.0.2");
  take(next);
  EXPECT_EQ(source_of("10.9.1.0/26"), at("10.9.0.2"));
  EXPECT_TRUE(is_local("10.9.0.2"));
  EXPECT_FALSE(is_local("10.9.0.1"));
  next.local->ipip.address.reset();
  take(next);
  EXPECT_EQ(source_of("10.9.1.0/26"), std::nullopt);
  EXPECT_FALSE(is_local("10.9.0.2"));
  EXPECT_TRUE(was_local);
}

TEST_F(EncapsulatedTest, APrefixIsKnownAsLongAsARouteMayLeadThere) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "192.0.2.2");
  take(std::move(plan));
  bool was_known = true;
  kernel_.on_call = [&] { was_known &= program_->remotes.contains(range("10.9.1.0/26")); };
  ipip::PlanDelta next;
  next.local = wanting(false, true);
  next.routes[range("10.9.1.0/26")] = remote_by(Carrier::kVxlan, "10.9.1.1");
  take(std::move(next));
  EXPECT_TRUE(was_known);
  EXPECT_TRUE(program_->remotes.empty());
  EXPECT_EQ(program_->uplinks.size(), 1U) << "others may still send so";
  EXPECT_EQ(kernel_.lines(80), Texts({"10.9.1.0/26 via 10.9.1.1 dev 101 onlink"}));
}

TEST_F(EncapsulatedTest, WhatWasCarriedIsToldNowAndThen) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  take(std::move(plan));
  EXPECT_EQ(report_.tunnel_counters, nullptr) << "not yet";
  program_->counted[at("192.0.2.2")].packets_in = 7;
  loop_.advance(std::chrono::seconds(10));
  ASSERT_NE(report_.tunnel_counters, nullptr);
  EXPECT_EQ(report_.tunnel_counters->nodes.at(at("192.0.2.2")).packets_in, 7U);
  const auto before = report_.tunnel_counters;
  loop_.advance(std::chrono::seconds(30));
  EXPECT_EQ(report_.tunnel_counters, before) << "nothing new";
  node_.failing = {"counters"};
  program_->counted.clear();
  loop_.advance(std::chrono::seconds(30));
  EXPECT_EQ(report_.tunnel_counters, before) << "what cannot be read is as it was";
  node_.failing.clear();
  loop_.advance(std::chrono::seconds(10));
  EXPECT_TRUE(report_.tunnel_counters->nodes.empty());
}

TEST_F(EncapsulatedTest, WhereNoPoolWantsItNothingIsAttached) {
  ipip::PlanDelta plan;
  plan.local = wanting(false, true);
  take(std::move(plan));
  EXPECT_TRUE(program_->uplinks.empty());
  EXPECT_EQ(program_->hooks, std::set<IfIndex>{IfIndex(2)}) << "but all is ready for the first that does";
}

TEST_F(TunnelsTest, LearntRoutesOfVxlanPoolsAreNotUsed) {
  learn("10.9.1.0/26", "192.0.2.2");
  learn("10.8.1.0/26", "192.0.2.2");
  ipip::PlanDelta plan;
  plan.local = wanting(false, true);
  plan.learned_rule = rule(EncapMode::kNever, EncapMode::kAlways);
  take(std::move(plan));
  EXPECT_EQ(lines(), Texts({"10.8.1.0/26 via 192.0.2.2 dev 2"}));
  EXPECT_EQ(report_.unresolved_routes, 0U) << "the plan says where they go";
}

// As BGP teaches it as well; nobody is to be told that a next hop is missing.
TEST_F(EncapsulatedTest, LearntRoutesThatTheProgramCarriesAreThePlans) {
  route::RouteBatch learnt;
  learnt.move_to(route::kMainTable);
  learnt.set(range("10.9.1.0/26"), {route::LearnedHop{.address = at("192.0.2.2")}}, 1024);
  learnt.converge();
  dataplane_->take_routes(learnt);
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  plan.learned_rule = rule(EncapMode::kAlways, EncapMode::kNever);
  take(std::move(plan));
  EXPECT_EQ(report_.learned_routes, 1U);
  EXPECT_EQ(report_.unresolved_routes, 0U);
}

TEST_F(TunnelsTest, WhereADeviceIsMissingLearntRoutesLeadNowhere) {
  learn("10.9.1.0/26", "192.0.2.2");
  ipip::PlanDelta plan;
  plan.learned_rule = rule(EncapMode::kAlways, EncapMode::kNever);
  take(std::move(plan));
  EXPECT_EQ(lines(), Texts({}));
  EXPECT_EQ(report_.unresolved_routes, 1U);
}

TEST_F(TunnelsTest, RulesKnowSendersAndDevicesAsLongAsThoseAreThere) {
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  plan.ipip_peers.added = {at("192.0.2.2")};
  plan.vxlan_peers.added = {at("192.0.2.2"), at("2001:db8::2")};
  take(std::move(plan));
  EXPECT_TRUE(renderer_->networks_.ipip_enabled);
  EXPECT_FALSE(renderer_->networks_.vxlan_enabled);
  EXPECT_EQ(renderer_->networks_.ipip_peers, std::set<IpAddress>{at("192.0.2.2")});
  EXPECT_EQ(renderer_->networks_.vxlan_peers.size(), 2U);
  EXPECT_EQ(renderer_->networks_.hosts.size(), 4U) << "ours too";
  EXPECT_EQ(renderer_->networks_.tunnel_devices, std::set<std::string>{"tunl0"});
  ipip::PlanDelta next;
  next.local = wanting(false, false);
  next.ipip_peers.removed = {at("192.0.2.2")};
  take(std::move(next));
  EXPECT_TRUE(renderer_->networks_.ipip_enabled) << "the device lingers";
  EXPECT_TRUE(renderer_->networks_.ipip_peers.empty());
  node_.tunnels.clear();
  dataplane_.set_interface("tunl0", std::nullopt);
  loop_.run_until_idle();
  EXPECT_FALSE(renderer_->networks_.ipip_enabled);
  EXPECT_TRUE(renderer_->networks_.tunnel_devices.empty());
}

TEST_F(TunnelsTest, WhatNetworksSayBesidesIsKept) {
  DataplaneBatch batch;
  batch.policy.is_in_sync = true;
  batch.networks.emplace().pools = {range("10.9.0.0/16")};
  dataplane_.take(std::move(batch));
  ipip::PlanDelta plan;
  plan.local = wanting(true, false);
  take(std::move(plan));
  EXPECT_EQ(renderer_->networks_.pools, std::set<IpPrefix>{range("10.9.0.0/16")});
  EXPECT_TRUE(renderer_->networks_.ipip_enabled);
}

TEST(DataplaneBatch, PlansMergeOnTheirWay) {
  DataplaneBatch first;
  first.plan.routes[range("10.9.1.0/26")] = remote_by(Carrier::kIpip, "192.0.2.2");
  first.plan.routes[range("10.9.2.0/26")] = remote_by(Carrier::kIpip, "192.0.2.2");
  EXPECT_FALSE(first.empty());
  DataplaneBatch second;
  second.plan.routes[range("10.9.2.0/26")] = std::nullopt;
  second.tunnels.emplace().ipip_mtu = 1400;
  EXPECT_FALSE(second.empty());
  first.merge(std::move(second));
  EXPECT_EQ(first.plan.routes.at(range("10.9.2.0/26")), std::nullopt);
  EXPECT_TRUE(first.plan.routes.at(range("10.9.1.0/26")).has_value());
  EXPECT_EQ(first.tunnels->ipip_mtu, 1400U);
}

}  // namespace
}  // namespace margay::agent
