#include "controllers/node/node_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "datastore/codec/decoded.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class NodeControllerTest : public ::testing::Test {
 protected:
  class Replica {
   public:
    Replica(loop::Loop& loop, Random& random, kube::Client& client)
        : events_({loop, random, client}),
          cluster_({loop, random, client}, [this](bool is_in_sync) { nodes_->on_turn(is_in_sync); }),
          nodes_(std::in_place, WriterParts{loop, client, random}, cluster_, events_) {
      cluster_.start();
    }
    NodeController& nodes() { return *nodes_; }

   private:
    EventGate events_;
    watch::ClusterWatch cluster_;
    std::optional<NodeController> nodes_;
  };

  void put(Kind kind, const std::string& name, std::string_view text) {
    client_.put(watch::resource_of(kind), {"", name}, json::parse_yaml(text)->at(0).value);
  }
  // Made at this time.
  void put_named(Kind kind, const std::string& name, std::string_view spec,
                 std::string_view made = "2025-01-01T00:00:00Z") {
    put(kind, name, concat("{metadata: {creationTimestamp: '", made, "'}, spec: ", spec, "}"));
  }
  void erase(Kind kind, const std::string& name) { client_.erase(watch::resource_of(kind), {"", name}); }
  std::set<std::string> names(Kind kind) {
    std::set<std::string> out;
    for (const auto& [name, object] : client_.objects(watch::resource_of(kind))) out.insert(name.name);
    return out;
  }
  model::HostEndpoint endpoint(const std::string& name) {
    return codec::decoded<model::HostEndpoint>(client_.objects(watch::resource_of(Kind::kHostEndpoint)).at({"", name}))
        .value();
  }
  int writes() { return client_.requests("create") + client_.requests("update") + client_.requests("remove"); }
  void start(bool is_leading = true) {
    replica_.emplace(loop_, random_, client_);
    model::NodeControllerConfig config;
    config.host_endpoint = model::AutoHostEndpointConfig{model::Switch::kEnabled, {}, {}};
    replica_->nodes().configure(&config);
    replica_->nodes().lead(is_leading);
    loop_.advance(seconds(2));
  }

  loop::SimLoop loop_;
  SeededRandom random_{7};
  test::FakeKubeClient client_{loop_, random_};
  std::optional<Replica> replica_;
};

TEST_F(NodeControllerTest, HostEndpointsFollowTheirNodes) {
  put(Kind::kNode, "n1", "{metadata: {labels: {zone: a, old: x}}, spec: {}}");
  put_named(Kind::kHostEndpoint, "mine", "{node: n1, interfaceName: eth0}");
  start();
  EXPECT_THAT(names(Kind::kHostEndpoint), UnorderedElementsAre("mine", "n1-auto-hep"));
  put(Kind::kNode, "n1", "{metadata: {labels: {zone: b}}, spec: {}}");
  loop_.advance(seconds(2));
  EXPECT_EQ(endpoint("n1-auto-hep").metadata.labels.get("zone"), "b");
  EXPECT_FALSE(endpoint("n1-auto-hep").metadata.labels.contains("old")) << "what goes there goes here";
  const int before = writes();
  replica_.reset();
  start();
  EXPECT_EQ(writes(), before) << "a restart writes nothing";
  erase(Kind::kNode, "n1");
  loop_.advance(seconds(2));
  EXPECT_THAT(names(Kind::kHostEndpoint), ElementsAre("mine"));
}

TEST_F(NodeControllerTest, ThoseOfCalicoAreTakenOverAndGoWhenTurnedOff) {
  put(Kind::kNode, "n1", "{spec: {}}");
  for (const char* name : {"n1-auto-hep", "gone-auto-hep"}) {
    put(Kind::kHostEndpoint, name,
        "{metadata: {labels: {projectcalico.org/created-by: calico-kube-controllers}}, spec: {node: x}}");
  }
  start();
  EXPECT_THAT(names(Kind::kHostEndpoint), ElementsAre("n1-auto-hep"));
  EXPECT_EQ(endpoint("n1-auto-hep").spec.node, "n1");
  replica_->nodes().configure(nullptr);
  loop_.advance(seconds(2));
  EXPECT_THAT(names(Kind::kHostEndpoint), IsEmpty());
}

TEST_F(NodeControllerTest, WhatIsOfANodeAloneGoesSomeTimeAfterIt) {
  put(Kind::kNode, "n1", "{spec: {}}");
  put(Kind::kNode, "n2", "{spec: {}}");
  for (const char* node : {"n1", "n2"}) {
    put_named(Kind::kBgpPeer, concat("to-", node), concat("{node: ", node, ", peerIP: 192.0.2.1, asNumber: 1}"));
    put_named(Kind::kBgpConfiguration, concat("node.", node), "{}");
    put_named(Kind::kFelixConfiguration, concat("node.", node), "{}");
    put_named(Kind::kCalicoNodeStatus, concat("status-", node), concat("{node: ", node, ", classes: [Agent]}"));
  }
  put_named(Kind::kBgpPeer, "all", "{peerIP: 192.0.2.1, asNumber: 1}");
  put_named(Kind::kBgpPeer, "before-its-node", "{node: n9, peerIP: 192.0.2.1, asNumber: 1}");
  put_named(Kind::kBgpConfiguration, "default", "{}");
  start();
  erase(Kind::kNode, "n1");
  loop_.advance(minutes(14));
  EXPECT_EQ(names(Kind::kBgpPeer).size(), 4U) << "not at once";
  put_named(Kind::kBgpPeer, "while-it-is-away", "{node: n1, peerIP: 192.0.2.1, asNumber: 1}", "2027-01-01T00:00:00Z");
  loop_.advance(minutes(2));
  EXPECT_THAT(names(Kind::kBgpPeer), UnorderedElementsAre("all", "before-its-node", "to-n2", "while-it-is-away"));
  EXPECT_THAT(names(Kind::kBgpConfiguration), UnorderedElementsAre("default", "node.n2"));
  EXPECT_THAT(names(Kind::kFelixConfiguration), ElementsAre("node.n2"));
  EXPECT_THAT(names(Kind::kCalicoNodeStatus), ElementsAre("status-n2"));
}

TEST_F(NodeControllerTest, ANodeThatComesBackKeepsItsObjects) {
  put(Kind::kNode, "n1", "{spec: {}}");
  put_named(Kind::kBgpPeer, "to-n1", "{node: n1, peerIP: 192.0.2.1, asNumber: 1}");
  start();
  for (int i = 0; i < 3; ++i) {
    erase(Kind::kNode, "n1");
    loop_.advance(minutes(10));
    put(Kind::kNode, "n1", "{spec: {}}");
    loop_.advance(minutes(10));
  }
  EXPECT_THAT(names(Kind::kBgpPeer), ElementsAre("to-n1"));
}

TEST_F(NodeControllerTest, WhoTakesOverHasWaitedAlready) {
  put(Kind::kNode, "n1", "{spec: {}}");
  put_named(Kind::kBgpPeer, "to-n1", "{node: n1, peerIP: 192.0.2.1, asNumber: 1}");
  start(/*is_leading=*/false);
  erase(Kind::kNode, "n1");
  loop_.advance(minutes(20));
  EXPECT_EQ(writes(), 0);
  replica_->nodes().lead(true);
  loop_.advance(seconds(10));
  EXPECT_THAT(names(Kind::kBgpPeer), IsEmpty());
}

}  // namespace
}  // namespace margay::controllers
