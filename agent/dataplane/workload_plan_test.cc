#include "agent/dataplane/workload_plan.h"

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "agent/dataplane/test_values.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using model::ObjectKey;
using test::pod;

const std::set<IpFamily> kBoth{IpFamily::kV4, IpFamily::kV6};
const Mac kMac({2, 0, 0, 0, 0, 7});

IpPrefix host(const std::string& address) { return IpPrefix::host(IpAddress::parse(address).value()); }

WorkloadPlan::Endpoint planned(const std::string& interface, const std::vector<std::string>& addresses,
                               std::optional<Mac> mac = std::nullopt) {
  model::WorkloadEndpoint out;
  out.metadata.resource_version = "7";
  out.spec.interface_name = interface;
  for (const std::string& address : addresses) out.spec.ip_networks.push_back(host(address));
  out.spec.mac = mac;
  return std::make_shared<const model::WorkloadEndpoint>(std::move(out));
}

InterfaceState up(std::uint32_t index) { return {IfIndex(index), true}; }

class Plan : public testing::Test {
 protected:
  void confirm() {
    plan_.confirm(IpFamily::kV4);
    plan_.confirm(IpFamily::kV6);
  }
  // "10.0.0.1 -> 5", "10.0.0.1 -> none"
  std::vector<std::string> routes() {
    std::vector<std::string> out;
    for (const auto& [prefix, interface] : taken_.routes) {
      out.push_back(prefix.first().to_string() + " -> " + (interface ? interface->to_string() : "none"));
    }
    return out;
  }
  void take() { taken_ = plan_.take(); }
  EndpointStage stage(const std::string& name) { return plan_.state(pod(name), kBoth).value().stage; }

  WorkloadPlan plan_;
  WorkloadChanges taken_;
};

using Lines = std::vector<std::string>;

TEST_F(Plan, NothingIsRoutedBeforeItsRulesAreInTheKernel) {
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}));
  take();
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(stage("a"), EndpointStage::kWaitingForPolicy);
  EXPECT_EQ(plan_.state(pod("a"), kBoth)->version, "") << "none is in the kernel";
  confirm();
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 5"}));
  EXPECT_EQ(taken_.interfaces, (std::map<std::string, bool>{{"cali1", true}}));
  EXPECT_EQ(stage("a"), EndpointStage::kProgrammed);
  EXPECT_EQ(plan_.state(pod("a"), kBoth)->version, "7");
}

TEST_F(Plan, FamiliesAreConfirmedOneByOne) {
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1", "fd00::1"}));
  plan_.confirm(IpFamily::kV4);
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 5"}));
  EXPECT_EQ(stage("a"), EndpointStage::kWaitingForPolicy);
  plan_.confirm(IpFamily::kV6);
  take();
  EXPECT_EQ(routes(), Lines({"fd00::1 -> 5"}));
  EXPECT_TRUE(taken_.interfaces.empty()) << "has its settings";
}

TEST_F(Plan, AddressesOfAFamilyWithoutRulesAreAFailureThatSaysSo) {
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1", "fd00::1"}));
  plan_.confirm(IpFamily::kV4);
  take();
  const auto state = plan_.state(pod("a"), {IpFamily::kV4});
  EXPECT_EQ(state->stage, EndpointStage::kFailed);
  EXPECT_NE(state->message.find("IPv6"), std::string::npos) << state->message;
}

TEST_F(Plan, AChangedEndpointKeepsItsRoutesUntilTheNewRulesAreThere) {
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}));
  confirm();
  take();
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1", "10.0.0.2"}));
  take();
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(stage("a"), EndpointStage::kWaitingForPolicy);
  confirm();
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.2 -> 5"}));
  EXPECT_TRUE(taken_.forgotten.empty());
}

TEST_F(Plan, WhatGoesGoesAtOnceAndItsConnectionsEnd) {
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}, kMac));
  confirm();
  take();
  const NeighbourKey neighbour{IfIndex(5), host("10.0.0.1").first()};
  EXPECT_EQ(taken_.neighbours.at(neighbour), kMac);
  plan_.set_endpoint(pod("a"), nullptr);
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> none"}));
  EXPECT_EQ(taken_.neighbours.at(neighbour), std::nullopt);
  EXPECT_EQ(taken_.forgotten.size(), 1U);
  EXPECT_EQ(plan_.state(pod("a"), kBoth), std::nullopt);
  EXPECT_TRUE(plan_.take_touched().contains(pod("a")));
}

TEST_F(Plan, RoutesFollowTheInterface) {
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}));
  confirm();
  take();
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(stage("a"), EndpointStage::kWaitingForInterface);
  plan_.set_interface("cali1", InterfaceState{IfIndex(5), false});
  take();
  EXPECT_TRUE(taken_.routes.empty()) << "down";
  EXPECT_EQ(taken_.interfaces.at("cali1"), true) << "settings are there before it comes up";
  plan_.set_interface("cali1", up(5));
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 5"}));
  plan_.set_interface("cali1", up(9));
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 9"}));
  EXPECT_EQ(taken_.interfaces.at("cali1"), true) << "another one under the same name";
  plan_.set_interface("cali1", std::nullopt);
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> none"}));
  EXPECT_EQ(taken_.interfaces.at("cali1"), false);
}

TEST_F(Plan, AnAddressHasOneOwner) {
  plan_.set_interface("cali1", up(5));
  plan_.set_interface("cali2", up(6));
  plan_.set_endpoint(pod("b"), planned("cali2", {"10.0.0.1"}));
  confirm();
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 6"}));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}));
  confirm();
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 5"})) << "the first in order, whoever came first";
  EXPECT_EQ(taken_.forgotten.size(), 1U);
  EXPECT_EQ(stage("b"), EndpointStage::kFailed);
  EXPECT_NE(plan_.state(pod("b"), kBoth)->message.find("Pod/default/a"), std::string::npos);
  plan_.set_interface("cali1", std::nullopt);
  take();
  EXPECT_EQ(routes(), Lines({"10.0.0.1 -> 6"}));
  EXPECT_EQ(stage("b"), EndpointStage::kProgrammed);
}

TEST_F(Plan, RepeatsChangeNothing) {
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}, kMac));
  confirm();
  take();
  plan_.set_interface("cali1", up(5));
  plan_.set_endpoint(pod("a"), planned("cali1", {"10.0.0.1"}, kMac));
  plan_.set_endpoint(pod("never"), nullptr);
  plan_.set_interface("other", std::nullopt);
  confirm();
  take();
  EXPECT_TRUE(taken_.routes.empty());
  EXPECT_TRUE(taken_.neighbours.empty());
  EXPECT_TRUE(taken_.forgotten.empty());
}

// Whatever the order of events, the outcome is that of the last values.
TEST_F(Plan, StateDependsOnValuesNotOnTheWayToThem) {
  struct Step {
    int what;
    int value;
  };
  const auto run = [](const std::vector<Step>& steps) {
    WorkloadPlan plan;
    std::map<IpPrefix, std::optional<IfIndex>> kernel;
    for (const auto& [what, value] : steps) {
      const std::string name(1, static_cast<char>('a' + what));
      if (what < 3) {
        plan.set_endpoint(pod(name),
                          value == 0 ? nullptr : planned("cali" + name, {"10.0.0." + std::to_string(value)}));
        if (value % 2 == 0) plan.confirm(IpFamily::kV4);
      } else {
        const std::string interface = std::string("cali") + static_cast<char>('a' + what - 3);
        plan.set_interface(interface, value == 0 ? std::nullopt : std::optional(up(static_cast<std::uint32_t>(value))));
      }
      for (const auto& [prefix, index] : plan.take().routes) kernel[prefix] = index;
    }
    plan.confirm(IpFamily::kV4);
    for (const auto& [prefix, index] : plan.take().routes) kernel[prefix] = index;
    std::erase_if(kernel, [](const auto& entry) { return !entry.second; });
    return kernel;
  };
  std::uint32_t seed = 1;
  const auto next = [&seed](int below) {
    seed = seed * 1103515245U + 12345U;
    return static_cast<int>(seed >> 16U) % below;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Step> steps;
    for (int i = 0; i < 30; ++i) steps.push_back({next(6), next(4)});
    std::map<int, int> last;
    for (const Step& step : steps) last[step.what] = step.value;
    std::vector<Step> direct;
    for (const auto& [what, value] : last) direct.push_back({what, value});
    EXPECT_EQ(run(steps), run(direct)) << "round " << round;
  }
}

}  // namespace
}  // namespace margay::agent
