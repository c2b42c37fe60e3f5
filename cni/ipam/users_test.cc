#include "cni/ipam/users.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace margay::ipam {
namespace {

using Kind = AddressOwner::Kind;

const IpAddress kOne = IpAddress::parse("10.0.0.1").value(), kTwo = IpAddress::parse("10.0.0.2").value();

AddressOwner owner_with(StringMap attributes, StringMap alternate = {}) {
  model::AllocationAttribute attribute;
  attribute.active_owner = std::move(attributes);
  attribute.alternate_owner = std::move(alternate);
  return owner_of(attribute);
}

model::Pod pod_on(std::string_view node, std::optional<IpAddress> address = std::nullopt) {
  model::Pod pod;
  pod.metadata.name = "web";
  pod.metadata.name_space = "shop";
  pod.spec.node_name = node;
  pod.status.phase = model::PodPhase::kRunning;
  pod.status.pod_ip = address;
  return pod;
}

const AddressOwner kOfWeb = owner_with({{"namespace", "shop"}, {"pod", "web"}, {"node", "n1"}});

TEST(Users, AnOwnerIsAPodOrATunnelOrSomebodyElsesAffair) {
  EXPECT_EQ(kOfWeb, (AddressOwner{Kind::kPod, "n1", "shop", "web", {}}));
  EXPECT_EQ(owner_with({{"type", "vxlanV6TunnelAddress"}, {"node", "n1"}}),
            (AddressOwner{Kind::kTunnel, "n1", "", "", TunnelKind::kVxlanV6}));
  for (const StringMap& attributes :
       std::vector<StringMap>{{},
                              {{"node", "n1"}},
                              {{"namespace", "shop"}, {"node", "n1"}},
                              {{"type", "loadBalancer"}},
                              {{"type", "of another kind"}, {"node", "n1"}, {"namespace", "shop"}, {"pod", "web"}},
                              {{"type", "ipipTunnelAddress"}},
                              {{"namespace", "shop"}, {"pod", "virt-launcher-a"}, {"vmi", "a"}}}) {
    EXPECT_EQ(owner_with(attributes).kind, Kind::kOther);
  }
  EXPECT_EQ(owner_with({{"namespace", "shop"}, {"pod", "web"}}, {{"pod", "target"}}).kind, Kind::kOther);
}

TEST(Users, APodUsesWhatItSaysAndWhileItSaysNothingWhatItWasGivenOnItsNode) {
  EXPECT_FALSE(uses(static_cast<const model::Pod*>(nullptr), kOfWeb, kOne));
  model::Pod pod = pod_on("n1", kOne);
  EXPECT_TRUE(uses(&pod, kOfWeb, kOne));
  EXPECT_FALSE(uses(&pod, kOfWeb, kTwo));
  pod = pod_on("n1");
  EXPECT_TRUE(uses(&pod, kOfWeb, kOne)) << "it has not said yet";
  pod = pod_on("n2", kOne);
  EXPECT_FALSE(uses(&pod, kOfWeb, kOne)) << "given on another node: to an earlier pod of the name";
  pod = pod_on("");
  EXPECT_FALSE(uses(&pod, kOfWeb, kOne)) << "nor before it had a node";
  for (const model::PodPhase phase : {model::PodPhase::kSucceeded, model::PodPhase::kFailed}) {
    pod = pod_on("n1", kOne);
    pod.status.phase = phase;
    EXPECT_FALSE(uses(&pod, kOfWeb, kOne)) << "over";
  }
  pod = pod_on("n1", kOne);
  pod.spec.host_network = true;
  EXPECT_FALSE(uses(&pod, kOfWeb, kOne));
}

TEST(Users, AnnotationsCountBesideTheStatus) {
  model::Pod pod = pod_on("n1");
  pod.metadata.annotations.set("cni.projectcalico.org/podIPs", "10.0.0.2/32, fd00::1/128");
  EXPECT_TRUE(uses(&pod, kOfWeb, kTwo));
  EXPECT_TRUE(uses(&pod, kOfWeb, IpAddress::parse("fd00::1").value()));
  EXPECT_FALSE(uses(&pod, kOfWeb, kOne));
  pod.metadata.annotations.set("k8s.v1.cni.cncf.io/network-status", R"([{"name": "n", "ips": ["10.0.0.1"]}])");
  EXPECT_TRUE(uses(&pod, kOfWeb, kOne)) << "of a further network";
  EXPECT_FALSE(uses(&pod, kOfWeb, IpAddress::parse("10.0.0.11").value()));
}

TEST(Users, ATunnelIsUsedWhileItsNodeSaysSo) {
  const AddressOwner owner = owner_with({{"type", "ipipTunnelAddress"}, {"node", "n1"}});
  EXPECT_FALSE(uses(static_cast<const model::Node*>(nullptr), owner, kOne));
  model::Node node;
  EXPECT_FALSE(uses(&node, owner, kOne));
  node.metadata.annotations.set("projectcalico.org/IPv4IPIPTunnelAddr", "10.0.0.1");
  EXPECT_TRUE(uses(&node, owner, kOne));
  EXPECT_FALSE(uses(&node, owner, kTwo));
  EXPECT_FALSE(uses(&node, owner_with({{"type", "vxlanTunnelAddress"}, {"node", "n1"}}), kOne)) << "another tunnel's";
  EXPECT_THAT(tunnel_addresses(node), testing::ElementsAre(kOne));
}

}  // namespace
}  // namespace margay::ipam
