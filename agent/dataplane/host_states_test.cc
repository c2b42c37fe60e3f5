#include "agent/dataplane/host_states.h"

#include <gtest/gtest.h>

namespace margay::agent {
namespace {

using model::ObjectKey;

ObjectKey host_key(const std::string& name) { return {model::Kind::kHostEndpoint, "", name}; }

HostStates::Host host_endpoint(const std::string& interface) {
  model::HostEndpoint out;
  out.metadata.resource_version = "7";
  out.spec.interface_name = interface;
  return std::make_shared<const model::HostEndpoint>(std::move(out));
}

class HostStatesTest : public testing::Test {
 protected:
  EndpointState state(const std::string& name) {
    return hosts_
        .states({.chosen = chosen_,
                 .problems = problems_,
                 .is_present = [](const std::string& interface) { return interface == "eth0"; }})
        .at(host_key(name));
  }

  std::map<std::string, ObjectKey> chosen_;
  std::map<std::string, FieldErrors> problems_;
  HostStates hosts_;
};

TEST_F(HostStatesTest, ItWaitsForItsRulesAndEachTimeItChanges) {
  chosen_["eth0"] = host_key("a");
  hosts_.set_endpoint(host_key("a"), host_endpoint("eth0"));
  EXPECT_EQ(state("a").stage, EndpointStage::kWaitingForPolicy);
  EXPECT_EQ(state("a").version, "");
  hosts_.confirm();
  EXPECT_EQ(state("a").stage, EndpointStage::kProgrammed);
  EXPECT_EQ(state("a").version, "7");
  hosts_.set_endpoint(host_key("a"), host_endpoint("eth0"));
  EXPECT_EQ(state("a").stage, EndpointStage::kWaitingForPolicy);
}

TEST_F(HostStatesTest, WhatHasNoInterfaceWaitsForOne) {
  chosen_["eth7"] = host_key("named");
  hosts_.set_endpoint(host_key("named"), host_endpoint("eth7"));
  hosts_.set_endpoint(host_key("by-address"), host_endpoint(""));
  hosts_.set_endpoint(host_key("all"), host_endpoint("*"));
  hosts_.confirm();
  EXPECT_EQ(state("named").stage, EndpointStage::kWaitingForInterface);
  EXPECT_EQ(state("by-address").stage, EndpointStage::kWaitingForInterface);
  EXPECT_NE(state("by-address").message, "");
  EXPECT_EQ(state("all").stage, EndpointStage::kProgrammed) << "all there are, even if there is none";
  chosen_["eth0"] = host_key("by-address");
  EXPECT_EQ(state("by-address").stage, EndpointStage::kProgrammed);
  EXPECT_EQ(state("by-address").interface, "eth0");
}

TEST_F(HostStatesTest, WhatTheRendererRefusesHasFailed) {
  hosts_.set_endpoint(host_key("a"), host_endpoint("eth0"));
  hosts_.confirm();
  problems_["HostEndpoint a"] = {{FieldError::Kind::kInvalid, "spec.interfaceName", "eth0 has another one"}};
  EXPECT_EQ(state("a").stage, EndpointStage::kFailed);
  EXPECT_EQ(state("a").message, "spec.interfaceName: eth0 has another one");
}

TEST_F(HostStatesTest, OneThatHasGoneHasNoState) {
  hosts_.set_endpoint(host_key("a"), host_endpoint("eth0"));
  hosts_.set_endpoint(host_key("a"), nullptr);
  hosts_.set_endpoint(host_key("b"), nullptr);
  EXPECT_TRUE(hosts_.states({.chosen = chosen_, .problems = problems_, .is_present = {}}).empty());
}

}  // namespace
}  // namespace margay::agent
