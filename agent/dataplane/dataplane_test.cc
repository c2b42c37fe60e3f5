#include "agent/dataplane/dataplane.h"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "agent/dataplane/dataplane_bed.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::batch_of;
using test::by;
using test::endpoint;
using test::key;
using test::kOurs;
using test::kTheirs;
using test::out_of;
using test::pod;
using test::prefix;

class DataplaneTest : public test::DataplaneBed, public testing::Test {};

TEST_F(DataplaneTest, NothingIsWrittenBeforeAllIsInSync) {
  kernel_.put(key("10.0.0.9"), out_of(9), kOurs);
  set_interface("cali1", 5);
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}, false));
  loop_.advance(seconds(60));
  EXPECT_TRUE(node_.log.empty());
  EXPECT_EQ(lines(), test::Lines({"10.0.0.9/32 dev 9"}));
  EXPECT_FALSE(report_.has_written);
  take(batch_of({}));
  EXPECT_EQ(node_.chains["filter v4"], std::set<std::string>({"cali1"}));
  EXPECT_TRUE(kernel_.routes().contains(key("10.0.0.1")));
  EXPECT_TRUE(report_.has_written);
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed);
}

TEST_F(DataplaneTest, SetsComeBeforeRulesAndRulesBeforeRoutes) {
  set_interface("cali1", 5);
  DataplaneBatch batch = batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}});
  batch.policy.ip_sets[policy::IpSetId("s:1")].what = policy::IpSetDelta::What::kCreate;
  take(std::move(batch));
  EXPECT_LT(node_.place("set s:1"), node_.place("filter v4 cali1"));
  EXPECT_LT(node_.place("filter v4 cali1"), node_.place("settings cali1"));
  EXPECT_GE(node_.place("set s:1"), 0);
  EXPECT_EQ(lines(), test::Lines({"10.0.0.1/32 dev 5"}));
}

TEST_F(DataplaneTest, WhatGoesGoesInReverse) {
  set_interface("cali1", 5);
  DataplaneBatch batch = batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}});
  batch.policy.ip_sets[policy::IpSetId("s:1")].what = policy::IpSetDelta::What::kCreate;
  take(std::move(batch));
  DataplaneBatch removal = batch_of({{pod("a"), nullptr}});
  removal.policy.ip_sets[policy::IpSetId("s:1")].what = policy::IpSetDelta::What::kRemove;
  bool was_routed = true;
  kernel_.on_call = [&] { was_routed = node_.chains["filter v4"].contains("cali1"); };
  take(std::move(removal));
  EXPECT_TRUE(was_routed) << "the route goes while its rules are there";
  EXPECT_TRUE(lines().empty());
  EXPECT_LT(node_.place("conntrack"), node_.place("remove filter v4 cali1"));
  EXPECT_LT(node_.place("remove filter v4 cali1"), node_.place("remove set s:1"));
  EXPECT_EQ(report_.endpoints.at(pod("a")), std::nullopt);
  EXPECT_EQ(node_.forgotten.size(), 1U);
}

TEST_F(DataplaneTest, WithoutItsRulesAWorkloadHasNoRoute) {
  node_.failing = {"filter v4"};
  set_interface("cali1", 5);
  set_interface("cali2", 6);
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}, {pod("b"), endpoint("cali2", "fd00::2")}}));
  EXPECT_EQ(lines(), test::Lines({"fd00::2/128 dev 6"})) << "the other family goes on";
  EXPECT_EQ(stage("a"), EndpointStage::kWaitingForPolicy);
  EXPECT_EQ(report_.drivers.at("iptables filter v4").failed, 1U);
  node_.failing.clear();
  loop_.advance(milliseconds(100));
  EXPECT_EQ(lines().size(), 2U);
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed);
  EXPECT_EQ(report_.drivers.at("iptables filter v4").failed, 0U);
}

TEST_F(DataplaneTest, ASetThatFailsHoldsBackNewRoutesAndNothingElse) {
  set_interface("cali1", 5);
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}));
  node_.failing = {"ipset", "settings"};
  set_interface("cali2", 6);
  take(batch_of({{pod("b"), endpoint("cali2", "10.0.0.2")}}));
  EXPECT_EQ(lines(), test::Lines({"10.0.0.1/32 dev 5"}));
  EXPECT_EQ(stage("b"), EndpointStage::kWaitingForPolicy);
  take(batch_of({{pod("a"), nullptr}}));
  EXPECT_TRUE(lines().empty()) << "going is not held back";
  node_.failing.clear();
  loop_.advance(milliseconds(100));
  EXPECT_EQ(lines(), test::Lines({"10.0.0.2/32 dev 6"}));
}

TEST_F(DataplaneTest, ARouteThatTheKernelRefusesIsToldAndTriedAgain) {
  kernel_.refuse(prefix("10.0.0.1"), ENETUNREACH);
  set_interface("cali1", 5);
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}));
  EXPECT_EQ(stage("a"), EndpointStage::kFailed);
  EXPECT_NE(report_.endpoints.at(pod("a"))->message, "");
  kernel_.refuse_nothing();
  loop_.advance(seconds(1));
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed);
}

TEST_F(DataplaneTest, ARestartTakesOverWhatIsThereAndRemovesTheRestAfterAGrace) {
  kernel_.put(key("10.0.0.1"), out_of(5), kOurs);
  kernel_.put(key("10.0.0.2"), out_of(6), kOurs);
  kernel_.put(key("10.0.0.3"), out_of(7), kTheirs);
  kernel_.put(key("10.9.0.0/26"), by("192.0.2.2", 2), kOurs);
  set_interface("cali1", 5);
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}));
  EXPECT_EQ(kernel_.writes(), 0) << "it is as it should be";
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed);
  loop_.advance(seconds(9));
  EXPECT_TRUE(kernel_.routes().contains(key("10.0.0.2"))) << "its pod may still be told of";
  loop_.advance(seconds(2));
  EXPECT_FALSE(kernel_.routes().contains(key("10.0.0.2")));
  EXPECT_TRUE(kernel_.routes().contains(key("10.0.0.3"))) << "not ours";
  EXPECT_TRUE(kernel_.routes().contains(key("10.9.0.0/26"))) << "BGP has not spoken";
  route::RouteBatch converged;
  converged.converge();
  dataplane_.take_routes(converged);
  EXPECT_FALSE(kernel_.routes().contains(key("10.9.0.0/26")));
}

TEST_F(DataplaneTest, OwnBlocksLeadNowhereButToWorkloads) {
  set_interface("cali1", 5);
  DataplaneBatch batch = batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}});
  batch.own_blocks = {prefix("10.0.0.0/26"), prefix("10.0.1.1/32")};
  take(std::move(batch));
  EXPECT_EQ(lines(), test::Lines({"10.0.0.0/26 blackhole", "10.0.0.1/32 dev 5"}));
  DataplaneBatch second = batch_of({});
  second.own_blocks = {prefix("10.0.0.64/26")};
  take(std::move(second));
  EXPECT_EQ(lines(), test::Lines({"10.0.0.1/32 dev 5", "10.0.0.64/26 blackhole"}));
}

TEST_F(DataplaneTest, LearnedRoutesStandBesideLocalOnes) {
  kernel_.connect(prefix("192.0.2.0/24"), IfIndex(2));
  set_interface("cali1", 5);
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}));
  route::RouteBatch batch;
  batch.move_to(route::kMainTable);
  batch.set(prefix("10.9.0.0/26"), {{.address = IpAddress::parse("192.0.2.2").value()}}, 1024);
  batch.set(prefix("10.0.0.1"), {{.address = IpAddress::parse("192.0.2.2").value()}}, 1024);
  dataplane_.take_routes(batch);
  EXPECT_EQ(kernel_.routes().at(key("10.0.0.1")).route, out_of(5)) << "the workload here comes first";
  EXPECT_TRUE(kernel_.routes().contains(key("10.9.0.0/26")));
  EXPECT_EQ(report_.learned_routes, 2U);
  take(batch_of({{pod("a"), nullptr}}));
  EXPECT_EQ(kernel_.routes().at(key("10.0.0.1")).route, by("192.0.2.2", 2)) << "it lives elsewhere now";
}

TEST_F(DataplaneTest, EverythingIsLookedAtNowAndThen) {
  DataplaneBatch batch = batch_of({});
  batch.settings.emplace();
  batch.settings->netfilter.ipsets_refresh_interval = seconds(10);
  batch.settings->host.interface_refresh_interval = seconds(0);
  take(std::move(batch));
  EXPECT_TRUE(node_.is_forwarding);
  const int dumps = kernel_.dumps();
  loop_.advance(seconds(100));
  EXPECT_EQ(node_.resyncs["ipset"], 10);
  EXPECT_EQ(node_.resyncs["neighbours"], 0) << "0 is never";
  EXPECT_GT(kernel_.dumps(), dumps);
  DataplaneBatch changed = batch_of({});
  changed.settings.emplace();
  changed.settings->netfilter.ipsets_refresh_interval = seconds(50);
  take(std::move(changed));
  loop_.advance(seconds(100));
  EXPECT_EQ(node_.resyncs["ipset"], 12);
}

TEST_F(DataplaneTest, TheRendererKnowsTheAddressesOfTheHostsInterfacesOnly) {
  const IpAddress address = IpAddress::parse("192.0.2.1").value();
  dataplane_.set_interface("eth0", NodeInterface{{IfIndex(2), true}, {address}});
  dataplane_.set_interface("cali1", NodeInterface{{IfIndex(3), true}, {address}});
  EXPECT_EQ(renderer_->interfaces_, (render::InterfaceAddresses{{"eth0", {address}}}));
  DataplaneBatch batch = batch_of({});
  batch.settings.emplace();
  batch.settings->host.interface_prefix = "eth, tap";
  take(std::move(batch));
  EXPECT_EQ(renderer_->interfaces_, (render::InterfaceAddresses{{"cali1", {address}}}));
}

TEST_F(DataplaneTest, BatchesInARowAreOne) {
  DataplaneBatch first = batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}});
  first.own_blocks = {prefix("10.0.0.0/26")};
  DataplaneBatch second = batch_of({{pod("a"), nullptr}, {pod("b"), endpoint("cali2", "10.0.0.2")}}, false);
  second.own_blocks = {prefix("10.0.0.64/26")};
  second.networks.emplace();
  first.since = TimePoint(seconds(1));
  second.since = TimePoint(seconds(2));
  first.merge(std::move(second));
  EXPECT_TRUE(first.policy.is_in_sync);
  EXPECT_EQ(first.policy.endpoints.size(), 2U);
  EXPECT_EQ(first.policy.endpoints.at(pod("a")), nullptr);
  EXPECT_EQ(first.own_blocks, std::set<IpPrefix>{prefix("10.0.0.64/26")});
  EXPECT_TRUE(first.networks.has_value());
  EXPECT_EQ(first.since, TimePoint(seconds(1))) << "who waits has waited since then";
}

TEST_F(DataplaneTest, WhatTheOtherBackEndHasGoesOnceAllTablesAreWritten) {
  node_.failing = {"filter v6"};
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}));
  EXPECT_LT(node_.place("remove leftovers"), 0);
  node_.failing.clear();
  loop_.advance(milliseconds(100));
  EXPECT_LT(node_.place("filter v6 cali1"), node_.place("remove leftovers"));
}

TEST_F(DataplaneTest, WhatWasRefusedIsTriedAgainWhenASetComes) {
  node_.failing = {"filter v4"};
  take(batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}}));
  EXPECT_EQ(node_.retries, 0);
  DataplaneBatch batch = batch_of({});
  batch.policy.ip_sets[policy::IpSetId("s:1")].what = policy::IpSetDelta::What::kCreate;
  take(std::move(batch));
  EXPECT_EQ(node_.retries, 1) << "in the table that had refused something";
}

TEST_F(DataplaneTest, ThePropagationOfAPolicyEndsWhenTheKernelHasIt) {
  take(batch_of({}));
  EXPECT_EQ(propagation_.count(), 0U) << "the start is not one";
  node_.failing = {"ipset"};
  DataplaneBatch first = batch_of({{pod("a"), endpoint("cali1", "10.0.0.1")}});
  first.since = loop_.now();
  take(std::move(first));
  EXPECT_EQ(propagation_.count(), 0U);
  loop_.advance(seconds(3));
  node_.failing.clear();
  loop_.advance(seconds(1));
  EXPECT_EQ(propagation_.count(), 1U);
}

TEST_F(DataplaneTest, AHostEndpointHasAState) {
  const model::ObjectKey name{model::Kind::kHostEndpoint, "", "a"};
  model::HostEndpoint host;
  host.spec.interface_name = "eth0";
  policy::Endpoint made;
  made.host = std::make_shared<const model::HostEndpoint>(std::move(host));
  renderer_->hosts_["eth0"] = name;
  take(batch_of({{name, std::make_shared<const policy::Endpoint>(made)}}));
  EXPECT_EQ(report_.endpoints.at(name)->stage, EndpointStage::kWaitingForInterface);
  set_interface("eth0", 2);
  EXPECT_EQ(report_.endpoints.at(name)->stage, EndpointStage::kProgrammed);
  take(batch_of({{name, nullptr}}));
  EXPECT_EQ(report_.endpoints.at(name), std::nullopt);
}

TEST_F(DataplaneTest, APodMadeAgainUnderItsNameTakesOverItsAddress) {
  set_interface("cali1", 5);
  take(batch_of({{pod("web-0"), endpoint("cali1", "10.0.0.1")}}));
  // Force-deleted and made again before the old interface has gone.
  set_interface("cali2", 6);
  take(batch_of({{pod("web-0"), endpoint("cali2", "10.0.0.1")}}));
  EXPECT_EQ(lines(), test::Lines({"10.0.0.1/32 dev 6"}));
  EXPECT_EQ(node_.forgotten.size(), 1U) << "connections of the old one";
  dataplane_.set_interface("cali1", std::nullopt);
  loop_.run_until_idle();
  EXPECT_EQ(lines(), test::Lines({"10.0.0.1/32 dev 6"}));
  EXPECT_EQ(stage("web-0"), EndpointStage::kProgrammed);
}

}  // namespace
}  // namespace margay::agent
