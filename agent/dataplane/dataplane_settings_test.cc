// Settings take effect while the dataplane runs.
#include <gtest/gtest.h>

#include <functional>

#include "agent/dataplane/dataplane_bed.h"

namespace margay::agent {
namespace {

using std::chrono::seconds;

class DataplaneSettingsTest : public test::DataplaneBed, public testing::Test {
 protected:
  void start() {
    set_interface("cali1", 5);
    DataplaneBatch batch = test::batch_of(
        {{test::pod("a"), test::endpoint("cali1", "10.0.0.1")}, {test::pod("b"), test::endpoint("cali1", "fd00::1")}});
    batch.own_blocks = {test::prefix("10.0.0.0/26")};
    take(std::move(batch));
  }
  void change(const std::function<void(model::FelixConfigurationSpec&)>& edit) {
    edit(settings_);
    DataplaneBatch batch;
    batch.settings = settings_;
    take(std::move(batch));
  }

  model::FelixConfigurationSpec settings_;
};

TEST_F(DataplaneSettingsTest, PrioritiesMoveAllRoutes) {
  start();
  change([](auto& settings) {
    settings.routes.ipv4_normal_route_priority = 500;
    settings.routes.ipv6_normal_route_priority = 600;
  });
  EXPECT_TRUE(kernel_.routes().contains(test::key("10.0.0.1", 500)));
  EXPECT_TRUE(kernel_.routes().contains(test::key("10.0.0.0/26", 500)));
  EXPECT_TRUE(kernel_.routes().contains(test::key("fd00::1", 600)));
  EXPECT_EQ(kernel_.routes().size(), 3U);
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed);
  take(test::batch_of({{test::pod("a"), nullptr}, {test::pod("b"), nullptr}}));
  EXPECT_EQ(kernel_.routes().size(), 1U);
}

TEST_F(DataplaneSettingsTest, RoutesToWorkloadsNameTheSourceTheyAreToldTo) {
  start();
  change([](auto& settings) {
    settings.routes.device_route_source_address = IpAddress::parse("192.0.2.1").value();
    settings.routes.device_route_source_address_ipv6 = IpAddress::parse("192.0.2.1").value();
  });
  EXPECT_EQ(kernel_.routes().at(test::key("10.0.0.1")).route.preferred_source, IpAddress::parse("192.0.2.1").value());
  EXPECT_EQ(kernel_.routes().at(test::key("fd00::1")).route.preferred_source, std::nullopt) << "of the other family";
  change([](auto& settings) { settings.routes.device_route_source_address.reset(); });
  EXPECT_EQ(kernel_.routes().at(test::key("10.0.0.1")).route, test::out_of(5));
}

TEST_F(DataplaneSettingsTest, TheMarkOfRoutesIsChanged) {
  start();
  change([](auto& settings) { settings.routes.device_route_protocol = 99; });
  EXPECT_TRUE(lines().empty());
  EXPECT_EQ(kernel_.lines(99), test::Lines({"10.0.0.0/26 blackhole", "10.0.0.1/32 dev 5", "fd00::1/128 dev 5"}));
}

TEST_F(DataplaneSettingsTest, TheMarksOfOthersAreRefused) {
  kernel_.put(test::key("192.0.2.0/24", 0), test::out_of(2), 2);
  start();
  for (const std::int32_t number : {0, 2, 3, 4, 9, 16, 256, -1}) {
    change([number](auto& settings) { settings.routes.device_route_protocol = number; });
    EXPECT_EQ(report_.problems.at("FelixConfiguration").size(), 1U) << number;
    EXPECT_EQ(lines().size(), 3U) << number;
  }
  EXPECT_TRUE(kernel_.routes().contains(test::key("192.0.2.0/24", 0)));
}

TEST_F(DataplaneSettingsTest, WithoutRouteSyncPolicyIsAllThatIsWritten) {
  change([](auto& settings) { settings.routes.route_sync_disabled = true; });
  start();
  EXPECT_TRUE(kernel_.routes().empty());
  EXPECT_TRUE(report_.are_routes_paused);
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed) << "its rules are there, and routes are somebody else's matter";
  change([](auto& settings) { settings.routes.route_sync_disabled = false; });
  EXPECT_EQ(lines().size(), 3U);
  change([](auto& settings) { settings.routes.route_sync_disabled = true; });
  take(test::batch_of({{test::pod("a"), nullptr}}));
  EXPECT_EQ(lines().size(), 3U) << "what is there stays";
}

TEST_F(DataplaneSettingsTest, RoutesOfOthersToWorkloadsGoUnlessTheyMayStay) {
  kernel_.put(test::key("10.7.0.0/24"), test::out_of(5), test::kTheirs);
  kernel_.put(test::key("10.0.0.1"), test::out_of(9), test::kTheirs);
  change([](auto& settings) { settings.routes.remove_external_routes = false; });
  start();
  loop_.advance(seconds(100));
  EXPECT_TRUE(kernel_.routes().contains(test::key("10.7.0.0/24")));
  EXPECT_EQ(stage("a"), EndpointStage::kFailed) << "somebody else has its route";
  kernel_.put(test::key("10.0.0.1"), test::out_of(5), test::kTheirs);
  change([](auto& settings) { settings.routes.remove_external_routes = true; });
  EXPECT_EQ(kernel_.routes().at(test::key("10.0.0.1")).protocol, test::kOurs) << "taken over";
  loop_.advance(seconds(100));
  EXPECT_FALSE(kernel_.routes().contains(test::key("10.7.0.0/24")));
}

TEST_F(DataplaneSettingsTest, ExcludedInterfacesAreNotTold) {
  const IpAddress address = IpAddress::parse("192.0.2.1").value();
  for (const char* name : {"eth0", "docker0", "veth1"}) {
    dataplane_.set_interface(name, NodeInterface{{IfIndex(2), true}, {address}});
  }
  EXPECT_EQ(renderer_->interfaces_.size(), 3U);
  change([](auto& settings) { settings.host.interface_exclude = "docker0,/^veth/,/(/"; });
  EXPECT_EQ(renderer_->interfaces_, (render::InterfaceAddresses{{"eth0", {address}}}));
  take(test::batch_of({}));
  EXPECT_EQ(report_.problems.at("FelixConfiguration").size(), 1U);
  dataplane_.set_interface("kube-ipvs0", NodeInterface{{IfIndex(3), false}, {address}});
  change([](auto& settings) { settings.host.interface_exclude = "kube-ipvs0,docker0,veth1"; });
  EXPECT_TRUE(renderer_->interfaces_.contains("kube-ipvs0")) << "it tells which addresses IPVS rewrites";
  dataplane_.set_interface("kube-ipvs0", std::nullopt);
  change([](auto& settings) { settings.host.interface_exclude = ""; });
  EXPECT_EQ(renderer_->interfaces_.size(), 3U);
  EXPECT_FALSE(report_.problems.contains("FelixConfiguration"));
}

TEST_F(DataplaneSettingsTest, AnotherBackEndIsWrittenBeforeTheFirstIsCleared) {
  start();
  EXPECT_EQ(report_.backend_reason, "the first");
  node_.log.clear();
  node_.failing = {"backend"};
  change([](auto& settings) { settings.netfilter.iptables_backend = model::IptablesBackend::kLegacy; });
  EXPECT_EQ(report_.drivers.at("iptables back end").failed, 1U);
  EXPECT_LT(node_.place("remove leftovers"), 0);
  node_.failing.clear();
  loop_.advance(seconds(1));
  EXPECT_GE(node_.place("backend"), 0);
  EXPECT_LT(node_.place("backend"), node_.place("remove leftovers"));
  EXPECT_EQ(report_.backend_reason, "another");
}

}  // namespace
}  // namespace margay::agent
