#include "agent/cni/request.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::agent {
namespace {

using testing::HasSubstr;

model::IpPool pool(std::string name, std::string_view cidr) {
  model::IpPool out;
  out.metadata.name = std::move(name);
  out.spec.cidr = IpPrefix::parse(cidr).value();
  return out;
}

class Plan : public testing::Test {
 protected:
  Result<AddressPlan> plan() {
    std::vector<const model::IpPool*> pointers;
    for (const model::IpPool& each : pools_) pointers.push_back(&each);
    return plan_addresses({request_, pod_, namespace_, namespace_labels_, {}, pointers});
  }
  static std::string key(std::string_view name) { return std::string("cni.projectcalico.org/").append(name); }

  std::vector<model::IpPool> pools_ = {pool("a", "10.0.0.0/16"), pool("b", "10.1.0.0/16"), pool("six", "fd00::/64")};
  CniRequest request_;
  StringMap pod_, namespace_, namespace_labels_;
};

TEST_F(Plan, EveryFamilyThatHasPools) {
  const auto got = plan();
  ASSERT_EQ(got->demands.size(), 2U);
  EXPECT_EQ(got->demands[0].pools.size(), 2U);
  EXPECT_EQ(got->demands[1].family, IpFamily::kV6);
  pools_.pop_back();
  EXPECT_EQ(plan()->demands.size(), 1U);
  pools_.clear();
  EXPECT_EQ(plan().error().code, ErrorCode::kNotFound);
}

TEST_F(Plan, ConfigurationSaysWhichFamilies) {
  request_ = CniRequest::parse(R"({"container":"c","ipam":{"assign_ipv4":"false","assign_ipv6":"true"}})").value();
  ASSERT_EQ(plan()->demands.size(), 1U);
  EXPECT_EQ(plan()->demands[0].family, IpFamily::kV6);
  request_ = CniRequest::parse(R"({"container":"c","ipam":{"assign_ipv4":"true"}})").value();
  EXPECT_EQ(plan()->demands.size(), 1U);
}

TEST_F(Plan, PodGoesBeforeNamespaceBeforeConfiguration) {
  request_.pools_v4 = {"a", "b"};
  EXPECT_EQ(plan()->demands[0].pools.size(), 2U);
  namespace_.set(key("ipv4pools"), R"(["b"])");
  EXPECT_EQ(plan()->demands[0].pools[0].name, "b");
  pod_.set(key("ipv4pools"), R"(["10.0.0.0/16"])");
  EXPECT_EQ(plan()->demands[0].pools[0].name, "a");
  pod_.set(key("ipFamilies"), R"(["IPv4"])");
  EXPECT_EQ(plan()->demands.size(), 1U);
}

TEST_F(Plan, FixedAddressesOfAnnotationAndArguments) {
  pod_.set(key("ipAddrs"), R"(["10.0.0.7","fd00::7"])");
  ASSERT_EQ(plan()->demands.size(), 2U);
  EXPECT_EQ(plan()->demands[0].address->to_string(), "10.0.0.7");
  EXPECT_EQ(plan()->demands[0].pools.size(), 1U);
  request_.addresses = {IpAddress::parse("10.1.0.1").value()};
  EXPECT_EQ(plan()->demands.size(), 1U);
  request_.addresses = {IpAddress::parse("192.0.2.1").value()};
  EXPECT_THAT(plan().error().message, HasSubstr("in no IP pool"));
}

TEST_F(Plan, UnmanagedAddressesNeedTheGate) {
  pod_.set(key("ipAddrsNoIpam"), R"(["192.0.2.1"])");
  EXPECT_THAT(plan().error().message, HasSubstr("feature_control"));
  request_.allow_no_ipam = true;
  EXPECT_EQ(plan()->unmanaged.size(), 1U);
  EXPECT_TRUE(plan()->demands.empty());
}

TEST_F(Plan, WhatCannotBeReadIsNamed) {
  const std::pair<const char*, const char*> cases[] = {{"ipAddrs", "10.0.0.1"},     {"ipAddrs", R"(["x"])"},
                                                       {"ipAddrs", R"([1])"},       {"ipv4pools", R"({"a":1})"},
                                                       {"ipFamilies", R"(["v4"])"}, {"hwAddr", "no"}};
  for (const auto& [name, value] : cases) {
    pod_ = {};
    pod_.set(key(name), value);
    ASSERT_FALSE(plan().ok()) << name << value;
    EXPECT_THAT(plan().error().message, HasSubstr(key(name))) << value;
  }
  pod_ = {};
  pod_.set(key("ipv4pools"), R"(["nope"])");
  EXPECT_THAT(plan().error().message, HasSubstr("nope"));
}

TEST_F(Plan, MacOfTheAnnotation) {
  pod_.set(key("hwAddr"), "02:00:00:00:00:01");
  EXPECT_EQ(plan()->mac->to_string(), "02:00:00:00:00:01");
}

TEST(CniRequest, BadBodiesAreRefused) {
  for (const char* body : {"", "[]", "{}", R"({"container":"c","ipam":{"assign_ipv4":"maybe"}})",
                           R"({"container":"c","ips":["x"]})", R"({"container":"c","ipam":{"ipv4_pools":"a"}})"}) {
    EXPECT_FALSE(CniRequest::parse(body).ok()) << body;
  }
  EXPECT_EQ(CniRequest::parse(R"({"container":"c"})")->handle(), "k8s-pod-network.c");
}

}  // namespace
}  // namespace margay::agent
