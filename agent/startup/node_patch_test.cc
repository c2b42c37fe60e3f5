#include "agent/startup/node_patch.h"

#include <gtest/gtest.h>

#include "datastore/codec/node_annotations.h"

namespace margay::startup {
namespace {

const WallTime kNow(std::chrono::seconds(1'767'225'600));

TEST(NodePatch, OnlyWhatDiffersIsSent) {
  model::Node node;
  node.metadata.annotations = {{"projectcalico.org/IPv4Address", "10.0.0.7/24"},
                               {"projectcalico.org/ASNumber", "64512"},
                               {"example.com/other", "x"}};
  model::NodeNetworking wanted;
  ASSERT_TRUE(codec::read_node_annotations(node.metadata.annotations, wanted).empty());
  EXPECT_EQ(annotations_patch(node, wanted), "");
  wanted.ipv4_address = *InterfaceAddress::parse("10.0.0.8/24");
  wanted.as_number.reset();
  EXPECT_EQ(annotations_patch(node, wanted),
            R"({"metadata":{"annotations":{"projectcalico.org/IPv4Address":"10.0.0.8/24",)"
            R"("projectcalico.org/ASNumber":null}}})");
}

TEST(NodePatch, AConditionIsSaidOnceAndKeepsItsTime) {
  model::Node node;
  const std::vector<Condition> wanted = {{"IPIPAvailable", model::ConditionStatus::kTrue, "EBPF", "no device"}};
  EXPECT_EQ(conditions_patch(node, wanted, kNow),
            R"({"status":{"conditions":[{"type":"IPIPAvailable","status":"True","reason":"EBPF","message":"no device",)"
            R"("lastHeartbeatTime":"2026-01-01T00:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  model::NodeCondition& present = node.status.conditions.emplace_back();
  present = {"IPIPAvailable", model::ConditionStatus::kTrue, kNow, kNow, "EBPF", "no device"};
  EXPECT_EQ(conditions_patch(node, wanted, kNow), "");
  present.message = "another";
  EXPECT_EQ(conditions_patch(node, wanted, kNow + std::chrono::hours(1)),
            R"({"status":{"conditions":[{"type":"IPIPAvailable","status":"True","reason":"EBPF","message":"no device",)"
            R"("lastHeartbeatTime":"2026-01-01T01:00:00Z","lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  present.status = model::ConditionStatus::kFalse;
  EXPECT_NE(conditions_patch(node, wanted, kNow + std::chrono::hours(1)).find("lastTransitionTime\":\"2026-01-01T01"),
            std::string::npos);
  present.type = "Ready";
  EXPECT_NE(conditions_patch(node, wanted, kNow), "");
}

TEST(NodePatch, NetworkUnavailableIsClearedOnce) {
  model::Node node;
  EXPECT_EQ(conditions_patch(node, {network_available()}, kNow),
            R"({"status":{"conditions":[{"type":"NetworkUnavailable","status":"False","reason":"MargayIsUp",)"
            R"("message":"Margay is running on this node","lastHeartbeatTime":"2026-01-01T00:00:00Z",)"
            R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
  node.status.conditions.emplace_back().type = "NetworkUnavailable";
  node.status.conditions[0].status = model::ConditionStatus::kTrue;
  EXPECT_NE(conditions_patch(node, {network_available()}, kNow), "");
  node.status.conditions[0].status = model::ConditionStatus::kFalse;
  EXPECT_EQ(conditions_patch(node, {network_available()}, kNow), "") << "whoever said so";
}

TEST(NodePatch, OfSeveralConditionsThoseThatDifferAreSent) {
  model::Node node;
  const Condition dataplane = dataplane_condition({.message = "rules by iptables", .is_whole = false});
  model::NodeCondition& present = node.status.conditions.emplace_back();
  present = {"MargayDataplane", model::ConditionStatus::kTrue, kNow, kNow, "KernelLacksFeatures", "rules by iptables"};
  EXPECT_EQ(conditions_patch(node, {dataplane}, kNow), "");
  EXPECT_EQ(conditions_patch(node, {dataplane, network_available()}, kNow),
            conditions_patch(node, {network_available()}, kNow));
  EXPECT_EQ(conditions_patch(node, {dataplane_condition({.message = "rules by iptables", .is_whole = true})},
                             kNow + std::chrono::hours(1)),
            R"({"status":{"conditions":[{"type":"MargayDataplane","status":"True","reason":"KernelHasAll",)"
            R"("message":"rules by iptables","lastHeartbeatTime":"2026-01-01T01:00:00Z",)"
            R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}})");
}

TEST(NodePatch, InterfacesOfTheHostAreSaidAndThoseOfPodsAndTunnelsAreNot) {
  const auto address = [](std::string_view text) { return *InterfaceAddress::parse(text); };
  HostInterfaces interfaces{{"eth1", true, {address("10.0.0.7/24"), address("fe80::1/64"), address("2001:db8::7/64")}},
                            {"bond0", false, {address("192.0.2.1/24")}},
                            {"dark0", true, {address("fe80::2/64")}}};
  for (const char* name : {"cali123", "tunl0", "vxlan.calico", "kube-ipvs0", "docker0", "veth1"}) {
    interfaces.push_back({name, true, {address("10.9.9.9/32")}});
  }
  model::Node node;
  const std::string patch = interfaces_patch(node, interfaces);
  EXPECT_EQ(patch,
            R"({"metadata":{"annotations":{"projectcalico.org/Interfaces":"[{\"name\":\"bond0\",)"
            R"(\"addresses\":[\"192.0.2.1\"]},{\"name\":\"eth1\",\"addresses\":[\"10.0.0.7\",\"2001:db8::7\"]}]"}}})");
  node.metadata.annotations.set("projectcalico.org/Interfaces",
                                R"([{"name":"bond0","addresses":["192.0.2.1"]},)"
                                R"({"name":"eth1","addresses":["10.0.0.7","2001:db8::7"]}])");
  std::swap(interfaces[0], interfaces[1]);
  EXPECT_EQ(interfaces_patch(node, interfaces), "") << "in whatever order the kernel tells them";
}

}  // namespace
}  // namespace margay::startup
