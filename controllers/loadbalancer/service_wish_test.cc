#include "controllers/loadbalancer/service_wish.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/core/text.h"

namespace margay::controllers {
namespace {

using model::AssignIps;

model::IpPool pool(std::string name, std::string_view cidr, bool is_for_services = true) {
  model::IpPool out;
  out.metadata.name = std::move(name);
  out.spec.cidr = IpPrefix::parse(cidr).value();
  if (is_for_services) out.spec.allowed_uses = {model::IpPoolUse::kLoadBalancer};
  return out;
}

struct World {
  std::vector<model::IpPool> pools = {pool("a", "10.1.0.0/24"), pool("b", "10.2.0.0/24"), pool("six", "fd00::/112"),
                                      pool("pods", "10.3.0.0/24", false)};
  model::Service service;
  StringMap labels;
  AssignIps assign = AssignIps::kAllServices;

  World() {
    service.metadata.name = "web";
    service.metadata.name_space = "default";
    service.metadata.uid = "0f0e0d";
    service.spec.type = model::ServiceType::kLoadBalancer;
    service.spec.ip_families = {model::ServiceIpFamily::kIpv4};
  }
  [[nodiscard]] ServiceWish wish() const {
    std::vector<const model::IpPool*> all;
    for (const model::IpPool& each : pools) all.push_back(&each);
    return wish_of({service, all, labels, assign});
  }
  // "IPv4 of a,b IPv6 10.1.0.7 of a"
  [[nodiscard]] std::string text() const {
    const ServiceWish got = wish();
    if (!got.is_ours) return "not ours";
    std::string out;
    for (const AddressWish& each : got.addresses) {
      std::vector<std::string> names;
      for (const auto& range : each.pools) names.push_back(range.name);
      out += concat(out.empty() ? "" : " ", to_string(each.family), each.address ? " " + each.address->to_string() : "",
                    " of ", join(names, ","));
    }
    return got.problem.empty() ? out : concat(out, " !");
  }
  World& with(std::string_view key, std::string_view value) {
    service.metadata.annotations.set(key, value);
    return *this;
  }
};

constexpr std::string_view kV4 = "projectcalico.org/ipv4pools";
constexpr std::string_view kV6 = "projectcalico.org/ipv6pools";
constexpr std::string_view kIps = "projectcalico.org/loadBalancerIPs";

TEST(ServiceWish, WhoseAServiceIs) {
  struct Case {
    const char* load_balancer_class;
    bool is_annotated;
    AssignIps assign;
    bool is_ours;
  };
  constexpr Case kCases[] = {
      {"", false, AssignIps::kAllServices, true},
      {"", true, AssignIps::kAllServices, true},
      {"", false, AssignIps::kRequestedServicesOnly, false},
      {"", true, AssignIps::kRequestedServicesOnly, true},
      {"calico", false, AssignIps::kAllServices, true},
      {"calico", false, AssignIps::kRequestedServicesOnly, true},
      {"other", true, AssignIps::kAllServices, false},
      {"other", true, AssignIps::kRequestedServicesOnly, false},
  };
  for (const Case& each : kCases) {
    World world;
    world.service.spec.load_balancer_class = each.load_balancer_class;
    world.assign = each.assign;
    if (each.is_annotated) world.with(kV4, R"(["a"])");
    EXPECT_EQ(world.wish().is_ours, each.is_ours) << each.load_balancer_class << each.is_annotated;
  }
  World other;
  other.service.spec.type = model::ServiceType::kNodePort;
  EXPECT_FALSE(other.wish().is_ours);
  other = {};
  other.service.metadata.deletion_timestamp = WallTime{};
  EXPECT_FALSE(other.wish().is_ours);
}

TEST(ServiceWish, WithoutPoolsForServicesOnlyThoseThatAskAreOurs) {
  World world;
  world.pools = {pool("pods", "10.3.0.0/24", false)};
  EXPECT_EQ(world.text(), "not ours");
  world.with(kV4, R"(["pods"])");
  EXPECT_EQ(world.text(), "IPv4 of  !");
}

TEST(ServiceWish, WhatItAsksFor) {
  EXPECT_EQ(World().text(), "IPv4 of a,b");
  EXPECT_EQ(World().with(kV4, R"(["b","a"])").text(), "IPv4 of b,a");
  EXPECT_EQ(World().with(kV4, R"(["10.2.0.0/24"])").text(), "IPv4 of b");
  EXPECT_EQ(World().with(kIps, R"(["10.1.0.7"])").text(), "IPv4 10.1.0.7 of a");
  EXPECT_EQ(World().with(kIps, R"(["fd00::7","10.1.0.7"])").text(), "IPv6 fd00::7 of six IPv4 10.1.0.7 of a");
  World dual;
  dual.service.spec.ip_families = {model::ServiceIpFamily::kIpv6, model::ServiceIpFamily::kIpv4};
  EXPECT_EQ(dual.text(), "IPv6 of six IPv4 of a,b");
  EXPECT_EQ(dual.with(kV6, R"(["six"])").text(), "IPv6 of six IPv4 of a,b");
  World field;
  field.service.spec.load_balancer_ip = IpAddress::parse("10.2.0.9").value();
  EXPECT_EQ(field.text(), "IPv4 10.2.0.9 of b");
  EXPECT_EQ(field.with(kIps, R"(["10.1.0.7"])").text(), "IPv4 10.1.0.7 of a") << "the annotation is the stronger one";
}

TEST(ServiceWish, FamiliesThatNobodyFilledIn) {
  World world;
  world.service.spec.ip_families = {};
  EXPECT_EQ(world.text(), "IPv4 of a,b");
  world.service.spec.cluster_ips = {model::ClusterIp::parse("fd01::1").value(),
                                    model::ClusterIp::parse("10.9.0.1").value()};
  EXPECT_EQ(world.text(), "IPv6 of six IPv4 of a,b");
  world.service.spec.cluster_ips = {};
  world.pools.erase(world.pools.begin(), world.pools.begin() + 2);
  EXPECT_EQ(world.text(), "IPv6 of six");
}

TEST(ServiceWish, WhatCannotBeHonouredIsSaidAndWhatItHasStays) {
  struct Case {
    std::string_view key;
    const char* value;
    const char* says;
  };
  constexpr Case kCases[] = {
      {kV4, "a", "JSON list"},
      {kV4, "[1]", "a text is wanted"},
      {kV4, R"(["nowhere"])", "no IP pool"},
      {kV4, R"(["pods"])", "not for the use"},
      {kV4, R"(["six"])", "not of IPv4"},
      {kIps, R"(["10.1.0.7","10.1.0.8"])", "more than one"},
      {kIps, R"(["nonsense"])", "no address"},
  };
  for (const Case& each : kCases) {
    const ServiceWish wish = World().with(each.key, each.value).wish();
    EXPECT_TRUE(wish.is_ours);
    EXPECT_NE(wish.problem.find(each.says), std::string::npos) << each.value << ": " << wish.problem;
    EXPECT_TRUE(wish.addresses.at(0).pools.empty());
    EXPECT_TRUE(wish.addresses.at(0).accepts(IpAddress::parse("10.1.0.3").value())) << each.value;
    EXPECT_FALSE(wish.addresses.at(0).accepts(IpAddress::parse("10.3.0.3").value())) << each.value;
  }
}

TEST(ServiceWish, WhichAddressesMayStay) {
  const IpAddress held = IpAddress::parse("10.1.0.7").value();
  const auto keeps = [&](World world) { return world.wish().addresses.at(0).accepts(held); };
  EXPECT_TRUE(keeps({}));
  World world;
  world.pools[0].spec.disabled = true;
  EXPECT_TRUE(keeps(world)) << "a disabled pool only gives no new ones";
  EXPECT_EQ(world.text(), "IPv4 of b");
  world = {};
  world.pools[0].spec.namespace_selector = "team == 'x'";
  EXPECT_TRUE(keeps(world));
  EXPECT_EQ(world.text(), "IPv4 of b");
  world.labels.set("team", "x");
  EXPECT_EQ(world.text(), "IPv4 of a,b");
  world = {};
  world.pools[0].spec.assignment_mode = model::AssignmentMode::kManual;
  EXPECT_FALSE(keeps(world));
  EXPECT_TRUE(keeps(world.with(kV4, R"(["a"])")));
  EXPECT_FALSE(keeps(World().with(kV4, R"(["b"])")));
  EXPECT_TRUE(keeps(World().with(kIps, R"(["10.1.0.7"])")));
  EXPECT_FALSE(keeps(World().with(kIps, R"(["10.1.0.8"])")));
  world = {};
  world.pools[0].metadata.deletion_timestamp = WallTime{};
  EXPECT_FALSE(keeps(world));
}

// printf '%s' web-default-0f0e0d | openssl dgst -sha256 -binary | base64 | tr -d '+/=-_.' | tr A-Z a-z
TEST(ServiceWish, TheHandleIsCalicos) {
  EXPECT_EQ(service_handle(World().service.metadata), "lb-m9fzzfzv5si9emh7bucv83mryc914e5bdgzrwrqakm");
}

}  // namespace
}  // namespace margay::controllers
