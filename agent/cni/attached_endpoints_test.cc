#include "agent/cni/attached_endpoints.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "gtest/gtest.h"
#include "policy/translate/translate.h"

namespace margay::agent {
namespace {

using model::Kind;
using model::ObjectKey;
using PodPtr = std::shared_ptr<const model::Pod>;

const ObjectKey kWeb{Kind::kPod, "default", "web"};
const ObjectKey kBox{Kind::kWorkloadEndpoint, "default", "node--1-cni-box-eth0"};

IpPrefix host_of(std::string_view address) { return IpPrefix::host(IpAddress::parse(address).value()); }

// "c1 10.0.0.1", "none".
std::string text_of(const AttachedEndpoints::Endpoint& endpoint) {
  if (endpoint == nullptr) return "none";
  std::vector<std::string> addresses;
  for (const IpPrefix& each : endpoint->spec.ip_networks) addresses.push_back(each.first().to_string());
  return concat(endpoint->spec.container_id, ' ', join(addresses, ","));
}

struct PodText {
  std::string uid = "u1";
  std::string container{};  // as noted
  std::string address{};
  std::string status{};
};

PodPtr pod_of(const PodText& text) {
  model::Pod pod;
  pod.metadata.name = "web";
  pod.metadata.name_space = SharedText("default");
  pod.metadata.uid = text.uid;
  pod.metadata.labels = StringMap{{"app", "web"}};
  pod.spec.node_name = SharedText("node-1");
  if (!text.container.empty()) {
    pod.metadata.annotations.set("cni.projectcalico.org/containerID", text.container);
    pod.metadata.annotations.set("cni.projectcalico.org/podIP", text.address);
    pod.metadata.annotations.set("cni.projectcalico.org/podIPs", text.address);
  }
  if (!text.status.empty()) pod.status.pod_ip = IpAddress::parse(text.status).value();
  return std::make_shared<const model::Pod>(std::move(pod));
}

class AttachedEndpointsTest : public testing::Test {
 protected:
  AttachedEndpointsTest() {
    attached_.on_change = [this](const ObjectKey& key, const AttachedEndpoints::Endpoint& endpoint) {
      known_[key] = text_of(endpoint);
      ++changes_;
    };
  }

  // As the agent's watch does it.
  void watch(const PodPtr& pod) {
    const auto instead = attached_.see(kWeb, pod);
    const auto own = pod == nullptr ? std::nullopt : policy::endpoint_of(*pod);
    known_[kWeb] = text_of(instead ? *instead : own ? std::make_shared<const model::WorkloadEndpoint>(*own) : nullptr);
    facts_.set(kWeb, pod);
  }
  void watch_box(const std::optional<model::WorkloadEndpoint>& object) {
    const AttachedEndpoints::Endpoint stored =
        object ? std::make_shared<const model::WorkloadEndpoint>(*object) : nullptr;
    const auto instead = attached_.see(kBox, stored);
    known_[kBox] = text_of(instead ? *instead : stored);
  }
  void attach(const std::string& container, const std::string& address, const std::string& uid = "u1") {
    NewEndpoint endpoint;
    endpoint.pod_namespace = "default";
    endpoint.pod_name = "web";
    endpoint.container = container;
    endpoint.addresses = {host_of(address)};
    attached_.attach(endpoint, uid);
  }
  static model::WorkloadEndpoint box(const std::string& address) {
    model::WorkloadEndpoint out;
    out.metadata.name = kBox.name;
    out.spec.node = "node-1";
    out.spec.container_id = "box";
    out.spec.ip_networks = {host_of(address)};
    return out;
  }
  std::string known(const ObjectKey& key = kWeb) { return known_.contains(key) ? known_.at(key) : "none"; }

  ClusterFacts facts_{"node-1"};
  AttachedEndpoints attached_{facts_};
  std::map<ObjectKey, std::string> known_;  // to calculation
  int changes_ = 0;
};

TEST_F(AttachedEndpointsTest, APodIsKnownBeforeTheApiServerHasItsAddresses) {
  watch(pod_of({}));
  EXPECT_EQ(known(), "none");
  attach("c1", "10.0.0.1");
  EXPECT_EQ(known(), "c1 10.0.0.1");
  // Something else of it changes meanwhile.
  watch(pod_of({}));
  EXPECT_EQ(known(), "c1 10.0.0.1");
  watch(pod_of({.container = "c1", .address = "10.0.0.1"}));
  EXPECT_EQ(known(), "c1 10.0.0.1");
  EXPECT_EQ(attached_.size(), 0U) << "the API server says it all";
  watch(pod_of({.container = "c1", .address = "10.0.0.9"}));
  EXPECT_EQ(known(), "c1 10.0.0.9") << "from then on it counts";
}

TEST_F(AttachedEndpointsTest, WhatTheWatchHasNotSeenIsToldWhenItDoes) {
  attach("c1", "10.0.0.1");
  EXPECT_EQ(changes_, 0);
  watch(pod_of({.uid = "u0"}));
  EXPECT_EQ(known(), "none") << "an earlier pod of that name";
  watch(pod_of({.uid = "u0", .container = "c0", .address = "10.0.0.7"}));
  EXPECT_EQ(known(), "c0 10.0.0.7");
  watch(pod_of({}));
  EXPECT_EQ(known(), "c1 10.0.0.1");
}

TEST_F(AttachedEndpointsTest, AFailedAddIsTakenBack) {
  watch(pod_of({}));
  attach("c1", "10.0.0.1");
  attached_.detach(kWeb, "c1");
  EXPECT_EQ(known(), "none");
  watch(pod_of({.container = "c1", .address = "10.0.0.1"}));
  EXPECT_EQ(known(), "none") << "its note has come late";
  watch(pod_of({.container = "c1", .address = ""}));
  watch(nullptr);
  EXPECT_EQ(attached_.size(), 0U);
}

TEST_F(AttachedEndpointsTest, APodThatIsDeletedMeanwhileHasNoEndpoint) {
  watch(pod_of({}));
  attach("c1", "10.0.0.1");
  watch(nullptr);
  EXPECT_EQ(known(), "none");
  EXPECT_EQ(attached_.size(), 0U);
  const int before = changes_;
  attached_.detach(kWeb, "c1");
  EXPECT_EQ(attached_.size(), 0U);
  EXPECT_EQ(changes_, before);
}

TEST_F(AttachedEndpointsTest, ADeletedContainerHasNoneWhileTheApiServerStillNamesIt) {
  watch(pod_of({.container = "c1", .address = "10.0.0.1", .status = "10.0.0.1"}));
  EXPECT_EQ(known(), "c1 10.0.0.1");
  attached_.detach(kWeb, "c1");
  EXPECT_EQ(known(), "none");
  watch(pod_of({.container = "c1", .address = "", .status = "10.0.0.1"}));
  EXPECT_EQ(known(), "none") << "the kubelet has not said so yet";
  attach("c2", "10.0.0.2");
  EXPECT_EQ(known(), "c2 10.0.0.2");
  attached_.detach(kWeb, "c1");
  EXPECT_EQ(known(), "c2 10.0.0.2") << "late, and asked again";
  watch(pod_of({.container = "c2", .address = "10.0.0.2", .status = "10.0.0.1"}));
  EXPECT_EQ(known(), "c2 10.0.0.2") << "the status is the first container's";
  watch(pod_of({.container = "c2", .address = "10.0.0.2", .status = "10.0.0.2"}));
  EXPECT_EQ(known(), "c2 10.0.0.2");
  EXPECT_EQ(attached_.size(), 0U);
}

TEST_F(AttachedEndpointsTest, AnotherPodOfThatNameIsNotTouchedByTheLastOnesContainer) {
  watch(pod_of({.uid = "u1", .container = "c1", .address = "10.0.0.1"}));
  attached_.detach(kWeb, "c1");
  attach("c2", "10.0.0.2", "u2");
  EXPECT_EQ(known(), "c1 10.0.0.1") << "the watch has the first one: what it says holds until it is gone";
  watch(pod_of({.uid = "u2"}));
  EXPECT_EQ(known(), "c2 10.0.0.2");
  attached_.detach(kWeb, "c1");
  EXPECT_EQ(known(), "c2 10.0.0.2");
}

TEST_F(AttachedEndpointsTest, AContainerThatNobodyKnowsHereIsDetachedByItsNote) {
  // After a restart.
  watch(pod_of({.container = "c1", .address = "10.0.0.1"}));
  attached_.detach(kWeb, "c0");
  EXPECT_EQ(known(), "c1 10.0.0.1");
  attached_.detach(kWeb, "c1");
  EXPECT_EQ(known(), "none");
  watch(nullptr);
  EXPECT_EQ(attached_.size(), 0U);
}

TEST_F(AttachedEndpointsTest, PodsWithoutAnEndpointDoNotGetOne) {
  auto finished = std::make_shared<model::Pod>(*pod_of({}));
  finished->status.phase = model::PodPhase::kSucceeded;
  watch(finished);
  attach("c1", "10.0.0.1");
  EXPECT_EQ(known(), "none");
  auto unreadable = std::make_shared<model::Pod>(*pod_of({}));
  unreadable->metadata.annotations.set("cni.projectcalico.org/allowedSourcePrefixes", "[nonsense");
  watch(unreadable);
  EXPECT_EQ(known(), "none");
}

TEST_F(AttachedEndpointsTest, WithoutKubernetesItIsTheObject) {
  attached_.attach(kBox, box("10.0.0.1"));
  EXPECT_EQ(known(kBox), "box 10.0.0.1");
  watch_box(box("10.0.0.1"));
  EXPECT_EQ(attached_.size(), 0U);
  attached_.detach(kBox, "box");
  EXPECT_EQ(known(kBox), "none");
  watch_box(box("10.0.0.1"));
  EXPECT_EQ(known(kBox), "none");
  watch_box(std::nullopt);
  EXPECT_EQ(attached_.size(), 0U);
  attached_.attach(kBox, box("10.0.0.2"));
  attached_.detach(kBox, "box");
  EXPECT_EQ(known(kBox), "none");
  EXPECT_EQ(attached_.size(), 0U) << "nobody would ever say that it is gone";
}

// Containers come and go in turn, the API server says so later, in any step that a crash of nobody prevents: when all
// is said, calculation knows what the API server has, and nothing is left here.
TEST_F(AttachedEndpointsTest, WhenAllIsSaidTheApiServersWordIsWhatIsKnown) {
  SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
    PodText stored{.uid = concat("u", round), .container = "", .address = "", .status = ""};
    watch(pod_of(stored));
    for (int life = 0; life < 3; ++life) {
      const std::string container = concat("c", round, "-", life), address = concat("10.0.", life, ".1");
      attach(container, address, stored.uid);
      EXPECT_EQ(known(), concat(container, ' ', address));
      const bool is_noted = random.below(4) != 0;
      if (is_noted) {
        stored.container = container;
        stored.address = address;
      }
      if (random.below(2) == 0) watch(pod_of(stored));
      EXPECT_EQ(known(), concat(container, ' ', address));
      if (random.below(2) == 0) continue;
      attached_.detach(kWeb, container);
      if (random.below(2) == 0) watch(pod_of(stored));
      EXPECT_NE(known(), concat(container, ' ', address)) << "it is gone";
      if (is_noted) stored.address = "";
    }
    watch(pod_of(stored));
    watch(nullptr);
    EXPECT_EQ(known(), "none");
    ASSERT_EQ(attached_.size(), 0U);
  }
}

}  // namespace
}  // namespace margay::agent
