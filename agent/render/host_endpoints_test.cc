#include "agent/render/host_endpoints.h"

#include <gtest/gtest.h>

#include "base/core/text.h"

namespace margay::render {
namespace {

struct Given {
  std::string name;
  std::string interface;
  std::vector<std::string> addresses;
};

policy::ObjectKey host_key(std::string name) { return {model::Kind::kHostEndpoint, "", std::move(name)}; }

Endpoints endpoints(const std::vector<Given>& given) {
  Endpoints out;
  for (const Given& each : given) {
    auto host = std::make_shared<model::HostEndpoint>();
    host->spec.interface_name = each.interface;
    for (const std::string& address : each.addresses) {
      host->spec.expected_ips.push_back(IpAddress::parse(address).value());
    }
    out[host_key(each.name)] =
        std::make_shared<const policy::Endpoint>(policy::Endpoint{.workload = nullptr, .host = host, .policy = {}});
  }
  return out;
}

const InterfaceAddresses kInterfaces = {
    {"eth0", {IpAddress::parse("192.0.2.1").value(), IpAddress::parse("2001:db8::1").value()}},
    {"eth1", {IpAddress::parse("192.0.2.2").value()}},
    {"cali1", {IpAddress::parse("192.0.2.3").value()}}};

// "eth0=a eth1=b", then "!c" for each with a problem.
std::string chosen(const std::vector<Given>& given) {
  const HostChoice choice = choose_hosts(endpoints(given), kInterfaces, {"cali"});
  std::vector<std::string> out;
  for (const auto& [interface, endpoint] : choice.interfaces) out.push_back(concat(interface, '=', endpoint.name));
  for (const auto& [endpoint, problems] : choice.problems) out.push_back(concat('!', endpoint.name));
  return join(out, " ");
}

TEST(HostEndpoints, ANameIsTakenWhetherOrNotTheInterfaceIsThere) {
  EXPECT_EQ(chosen({{"a", "eth0", {}}, {"b", "eth7", {}}}), "eth0=a eth7=b");
}

TEST(HostEndpoints, ExpectedAddressesFindTheInterfacesThatHaveThem) {
  EXPECT_EQ(chosen({{"a", "", {"192.0.2.2"}}}), "eth1=a");
  EXPECT_EQ(chosen({{"a", "", {"2001:db8::1", "192.0.2.2"}}}), "eth0=a eth1=a");
  EXPECT_EQ(chosen({{"a", "", {"192.0.2.9"}}}), "");
  EXPECT_EQ(chosen({{"a", "eth1", {"192.0.2.1"}}}), "eth1=a") << "the name decides where there is one";
}

TEST(HostEndpoints, ANameComesBeforeAnAddressAndThenTheOrderOfNamesDecides) {
  EXPECT_EQ(chosen({{"a", "", {"192.0.2.1"}}, {"b", "eth0", {}}, {"c", "eth0", {}}}), "eth0=b !a !c");
}

TEST(HostEndpoints, OneForAllStandsBesideTheOthers) {
  EXPECT_EQ(chosen({{"a", "*", {}}, {"b", "eth0", {}}, {"c", "*", {}}}), "*=a eth0=b !c");
}

TEST(HostEndpoints, InterfacesOfWorkloadsAndNamesThatAreNoneAreRefused) {
  EXPECT_EQ(chosen({{"a", "cali1", {}}, {"b", "", {"192.0.2.3"}}, {"c", "eth+", {}}, {"d", "a b", {}}}), "!a !c !d");
}

}  // namespace
}  // namespace margay::render
