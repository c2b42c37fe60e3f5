#include "controllers/node/auto_host_endpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AutoHostEndpointsTest : public ::testing::Test {
 protected:
  AutoHostEndpointsTest() {
    node_.metadata.name = "n1";
    node_.metadata.labels = {{"zone", "a"}};
    node_.metadata.annotations = {
        {"projectcalico.org/IPv4Address", "192.0.2.7/24"},
        {"projectcalico.org/IPv4IPIPTunnelAddr", "10.0.0.1"},
        {"projectcalico.org/Interfaces",
         R"([{"name": "eth0", "addresses": ["192.0.2.7", "2001:db8::7"]}, {"name": "Wan_1", "addresses": ["198.51.100.7"]},
             {"name": "lo"}])"}};
    node_.status.addresses = {{"InternalIP", "192.0.2.7"}, {"InternalIP", "192.0.2.8"}, {"ExternalIP", "203.0.113.1"}};
    config_.auto_create = model::Switch::kEnabled;
  }
  static std::vector<IpPrefix> cidrs(std::string_view text) { return {IpPrefix::parse(text).value()}; }
  // "name interface: addresses"
  std::vector<std::string> made() {
    std::vector<std::string> out;
    for (const auto& [name, endpoint] : auto_host_endpoints(node_, config_).endpoints) {
      std::string line = concat(name, ' ', endpoint.spec.interface_name, ':');
      for (const IpAddress& address : endpoint.spec.expected_ips) line += concat(' ', address.to_string());
      out.push_back(line);
    }
    return out;
  }

  model::Node node_;
  model::AutoHostEndpointConfig config_;
};

TEST_F(AutoHostEndpointsTest, OneForAllInterfacesWithTheNodesAddressesAndLabels) {
  EXPECT_THAT(made(), ElementsAre("n1-auto-hep *: 192.0.2.7 10.0.0.1 192.0.2.8"));
  const model::HostEndpoint endpoint = auto_host_endpoints(node_, config_).endpoints.at("n1-auto-hep");
  EXPECT_EQ(endpoint.metadata.labels, (StringMap{{"zone", "a"}, {kCreatedBy, kCreator}}));
  EXPECT_THAT(endpoint.spec.profiles, ElementsAre("projectcalico-default-allow"));
  EXPECT_EQ(endpoint.spec.node, "n1");
}

TEST_F(AutoHostEndpointsTest, NoneUnlessAskedFor) {
  config_.auto_create = std::nullopt;
  EXPECT_THAT(made(), IsEmpty());
  config_.auto_create = model::Switch::kDisabled;
  EXPECT_THAT(made(), IsEmpty());
  config_.auto_create = model::Switch::kEnabled;
  config_.create_default_host_endpoint = model::Switch::kDisabled;
  EXPECT_THAT(made(), IsEmpty());
}

TEST_F(AutoHostEndpointsTest, TemplatesChooseNodesAddressesAndInterfaces) {
  config_.create_default_host_endpoint = model::Switch::kDisabled;
  model::HostEndpointTemplate by_address, by_interface, by_both, elsewhere;
  by_address.generate_name = "lan";
  by_address.interface_cidrs = cidrs("192.0.2.0/24");
  by_address.labels = {{"zone", "mine"}, {"side", "in"}};
  by_address.annotations = {{"note", "x"}};
  by_interface.generate_name = "each";
  by_interface.interface_pattern = "^(eth|Wan)";
  by_both.generate_name = "both";
  by_both.interface_pattern = ".*";
  by_both.interface_cidrs = cidrs("2001:db8::/32");
  by_both.node_selector = "zone == 'a'";
  elsewhere.generate_name = "far";
  elsewhere.interface_cidrs = cidrs("192.0.2.0/24");
  elsewhere.node_selector = "zone == 'b'";
  config_.templates = {by_address, by_interface, by_both, elsewhere};
  EXPECT_THAT(
      made(),
      ElementsAre("n1-both-eth0-auto-hep eth0: 2001:db8::7", "n1-each-eth0-auto-hep eth0: 192.0.2.7 2001:db8::7",
                  "n1-each-wan-1-auto-hep Wan_1: 198.51.100.7", "n1-lan-auto-hep : 192.0.2.7 192.0.2.8"));
  const model::HostEndpoint lan = auto_host_endpoints(node_, config_).endpoints.at("n1-lan-auto-hep");
  EXPECT_EQ(lan.metadata.labels, (StringMap{{"zone", "mine"}, {"side", "in"}, {kCreatedBy, kCreator}}));
  EXPECT_EQ(lan.metadata.annotations, (StringMap{{"note", "x"}}));
}

TEST_F(AutoHostEndpointsTest, WhatCannotBeHonouredIsTold) {
  model::HostEndpointTemplate bad_pattern, bad_selector, twin;
  bad_pattern.generate_name = "p";
  bad_pattern.interface_pattern = "a(";
  bad_selector.generate_name = "s";
  bad_selector.node_selector = "zone ==";
  twin.generate_name = "t";
  twin.interface_cidrs = cidrs("192.0.2.0/24");
  config_.templates = {bad_pattern, bad_selector, twin, twin};
  const AutoHostEndpoints made = auto_host_endpoints(node_, config_);
  EXPECT_EQ(made.endpoints.size(), 2U);
  EXPECT_THAT(made.problems, ElementsAre(HasSubstr("template p: interfacePattern: "),
                                         HasSubstr("template s: nodeSelector: "), HasSubstr("n1-t-auto-hep")));
}

TEST_F(AutoHostEndpointsTest, AnAnnotationOfAnotherFormSaysNothing) {
  model::HostEndpointTemplate all;
  all.generate_name = "t";
  all.interface_pattern = ".";
  config_.templates = {all};
  for (const char* text : {"", "{", "7", "[1, {}, {\"name\": 2}, {\"addresses\": [\"192.0.2.1\"]}]"}) {
    node_.metadata.annotations.set("projectcalico.org/Interfaces", text);
    EXPECT_EQ(made().size(), 1U) << text;
  }
}

}  // namespace
}  // namespace margay::controllers
