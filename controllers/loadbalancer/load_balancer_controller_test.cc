#include "controllers/loadbalancer/load_balancer_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "datastore/codec/decoded.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

const kube::ResourceType& type_of(Kind kind) {
  static std::map<Kind, kube::ResourceType> types;
  return types.try_emplace(kind, watch::resource_of(kind)).first->second;
}
json::Value object_of(std::string_view text) { return json::parse_yaml(text)->at(0).value; }

constexpr std::string_view kBalanced = "spec: {type: LoadBalancer, ipFamilies: [IPv4]}";

// One replica.
class Replica {
 public:
  Replica(loop::Loop& loop, Random& random, kube::Client& client)
      : events_({loop, random, client}),
        cluster_({loop, random, client}, [this](bool is_in_sync) { controller_->on_turn(is_in_sync); }),
        controller_(std::in_place, WriterParts{loop, client, random}, cluster_, events_) {
    cluster_.start();
  }
  void lead() {
    events_.lead(true);
    controller_->lead(true);
  }
  LoadBalancerController& controller() { return *controller_; }

 private:
  EventGate events_;
  watch::ClusterWatch cluster_;
  std::optional<LoadBalancerController> controller_;
};

class LoadBalancerTest : public ::testing::Test {
 protected:
  void pool(const std::string& name, std::string_view cidr, std::string_view more = "") {
    client_.put(type_of(Kind::kIpPool), {"", name},
                object_of(concat("spec: {cidr: \"", cidr, "\", allowedUses: [LoadBalancer]", more, "}")));
  }
  void service(const std::string& name, std::string_view yaml = kBalanced) {
    json::Value object = object_of(yaml);
    const auto all = client_.objects(type_of(Kind::kService));
    const auto found = all.find({"default", name});
    if (found != all.end()) {
      if (const json::Value* status = found->second.find("status")) object["status"] = *status;
    }
    client_.put(type_of(Kind::kService), {"default", name}, object);
  }
  void start() {
    replica_ = std::make_unique<Replica>(loop_, random_, client_);
    replica_->lead();
    settle();
  }
  void settle() { loop_.advance(seconds(3)); }

  Strings ingress(const std::string& name) {
    Strings out;
    const auto all = client_.objects(type_of(Kind::kService));
    const auto found = all.find({"default", name});
    if (found == all.end()) return {"no service"};
    const json::Value* list = found->second.find({"status", "loadBalancer", "ingress"});
    if (list == nullptr || list->as_array() == nullptr) return out;
    for (const json::Value& each : *list->as_array()) out.emplace_back(each.string_at({"ip"}));
    return out;
  }
  // Every address that is given, by blocks.
  std::multiset<std::string> given() {
    std::multiset<std::string> out;
    for (const auto& [name, object] : client_.objects(type_of(Kind::kIpamBlock))) {
      const auto block = codec::decoded<model::IpamBlock>(object);
      EXPECT_TRUE(block.ok());
      EXPECT_EQ(block->spec.affinity->to_string(), "virtual:load-balancer");
      for (int i = 0; i < static_cast<int>(block->spec.allocations.size()); ++i) {
        const std::string* holder = ipam::holder_of(block->spec, i);
        if (holder != nullptr) out.insert(concat(ipam::address_at(block->spec, i).to_string(), " ", *holder));
      }
    }
    return out;
  }
  std::size_t event_count() { return client_.objects(type_of(Kind::kEvent)).size(); }

  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  std::unique_ptr<Replica> replica_;
};

TEST_F(LoadBalancerTest, AServiceGetsAnAddressAndGivesItBack) {
  pool("a", "10.1.0.0/24");
  service("web");
  start();
  ASSERT_EQ(ingress("web").size(), 1U);
  EXPECT_EQ(ingress("web")[0].substr(0, 7), "10.1.0.");
  const auto blocks = client_.objects(type_of(Kind::kIpamBlock));
  ASSERT_EQ(blocks.size(), 1U);
  const auto block = codec::decoded<model::IpamBlock>(blocks.begin()->second);
  ASSERT_EQ(block->spec.attributes.size(), 1U);
  const StringMap& owner = block->spec.attributes[0].active_owner;
  EXPECT_EQ(owner.get("service"), "web");
  EXPECT_EQ(owner.get("namespace"), "default");
  EXPECT_EQ(owner.get("type"), "LoadBalancer");
  EXPECT_EQ(client_.objects(type_of(Kind::kIpamHandle)).size(), 1U);
  EXPECT_EQ(client_.objects(type_of(Kind::kBlockAffinity)).size(), 1U);
  client_.erase(type_of(Kind::kService), {"default", "web"});
  settle();
  EXPECT_THAT(given(), IsEmpty());
  EXPECT_THAT(client_.objects(type_of(Kind::kIpamHandle)), IsEmpty());
  EXPECT_TRUE(replica_->controller().is_settled());
}

TEST_F(LoadBalancerTest, AServiceThatIsNoLongerOursLosesAddressAndStatus) {
  pool("a", "10.1.0.0/24");
  service("web");
  service("other");
  start();
  ASSERT_EQ(given().size(), 2U);
  service("web", "spec: {type: ClusterIP, ipFamilies: [IPv4]}");
  service("other", "spec: {type: LoadBalancer, loadBalancerClass: else, ipFamilies: [IPv4]}");
  settle();
  EXPECT_THAT(given(), IsEmpty());
  EXPECT_THAT(ingress("web"), IsEmpty());
  EXPECT_THAT(ingress("other"), IsEmpty());
}

TEST_F(LoadBalancerTest, WhatOthersGaveStays) {
  pool("a", "10.1.0.0/24");
  client_.put(type_of(Kind::kService), {"default", "web"},
              object_of("spec: {type: LoadBalancer, loadBalancerClass: else}\n"
                        "status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}"));
  start();
  EXPECT_THAT(ingress("web"), ElementsAre("192.0.2.1"));
  EXPECT_EQ(client_.requests("patch"), 0);
}

TEST_F(LoadBalancerTest, AnnotationsChangeWhatItHas) {
  pool("a", "10.1.0.0/24");
  pool("b", "10.2.0.0/24", ", assignmentMode: Manual");
  service("web");
  start();
  service("web",
          "metadata: {annotations: {projectcalico.org/ipv4pools: '[\"b\"]'}}\n"
          "spec: {type: LoadBalancer, ipFamilies: [IPv4]}");
  settle();
  ASSERT_EQ(ingress("web").size(), 1U);
  EXPECT_EQ(ingress("web")[0].substr(0, 7), "10.2.0.");
  EXPECT_EQ(given().size(), 1U);
  service("web",
          "metadata: {annotations: {projectcalico.org/loadBalancerIPs: '[\"10.1.0.77\"]'}}\n"
          "spec: {type: LoadBalancer, ipFamilies: [IPv4]}");
  settle();
  EXPECT_THAT(ingress("web"), ElementsAre("10.1.0.77"));
  EXPECT_EQ(given().size(), 1U);
  service("web");
  settle();
  EXPECT_THAT(ingress("web"), ElementsAre("10.1.0.77")) << "it fits still";
}

TEST_F(LoadBalancerTest, DualStackKeepsOneFamilyWhileTheOtherComesAndGoes) {
  pool("a", "10.1.0.0/24");
  pool("six", "fd00::/112");
  service("web", "spec: {type: LoadBalancer, ipFamilies: [IPv6, IPv4]}");
  start();
  const Strings both = ingress("web");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].substr(0, 4), "fd00");
  service("web", "spec: {type: LoadBalancer, ipFamilies: [IPv6]}");
  settle();
  EXPECT_THAT(ingress("web"), ElementsAre(both[0]));
  EXPECT_EQ(given().size(), 1U);
  service("web", "spec: {type: LoadBalancer, ipFamilies: [IPv6, IPv4]}");
  settle();
  ASSERT_EQ(ingress("web").size(), 2U);
  EXPECT_EQ(ingress("web")[0], both[0]);
}

TEST_F(LoadBalancerTest, AnExhaustedPoolIsAnEventAndServedOnceThereIsRoom) {
  pool("a", "10.1.0.0/30", ", blockSize: 30");
  for (int i = 0; i < 6; ++i) service(concat("s", i));
  start();
  EXPECT_EQ(given().size(), 4U);
  EXPECT_EQ(event_count(), 2U);
  pool("b", "10.2.0.0/30", ", blockSize: 30");
  loop_.advance(seconds(60));
  EXPECT_EQ(given().size(), 6U);
  for (int i = 0; i < 6; ++i) EXPECT_EQ(ingress(concat("s", i)).size(), 1U) << i;
  EXPECT_TRUE(replica_->controller().is_settled());
}

TEST_F(LoadBalancerTest, ARestartWritesNothing) {
  pool("a", "10.1.0.0/24");
  for (int i = 0; i < 20; ++i) service(concat("s", i));
  start();
  const auto before = given();
  ASSERT_EQ(before.size(), 20U);
  replica_.reset();
  const auto revision = client_.revision();
  start();
  settle();
  EXPECT_EQ(client_.revision(), revision);
  EXPECT_EQ(given(), before);
}

TEST_F(LoadBalancerTest, AServiceThatWentWhileNobodyLedIsCleanedUp) {
  pool("a", "10.1.0.0/24");
  service("web");
  service("stays");
  start();
  replica_.reset();
  client_.erase(type_of(Kind::kService), {"default", "web"});
  start();
  EXPECT_EQ(given().size(), 1U);
  // Another Service of the name is not the old one.
  replica_.reset();
  client_.erase(type_of(Kind::kService), {"default", "stays"});
  service("stays");
  start();
  EXPECT_EQ(given().size(), 1U);
  ASSERT_EQ(ingress("stays").size(), 1U);
  EXPECT_EQ(given().begin()->substr(0, ingress("stays")[0].size()), ingress("stays")[0]);
}

TEST_F(LoadBalancerTest, TheAddressInTheStatusIsTakenAgainWhenIpamHasForgottenIt) {
  pool("a", "10.1.0.0/24");
  client_.put(type_of(Kind::kService), {"default", "web"},
              object_of("spec: {type: LoadBalancer, ipFamilies: [IPv4]}\n"
                        "status: {loadBalancer: {ingress: [{ip: 10.1.0.42}]}}"));
  client_.put(type_of(Kind::kService), {"default", "twin"},
              object_of("spec: {type: LoadBalancer, ipFamilies: [IPv4]}\n"
                        "status: {loadBalancer: {ingress: [{ip: 10.1.0.42}]}}"));
  start();
  EXPECT_EQ(given().size(), 2U);
  const Strings web = ingress("web"), twin = ingress("twin");
  EXPECT_NE(web, twin);
  EXPECT_TRUE(web == Strings{"10.1.0.42"} || twin == Strings{"10.1.0.42"});
}

TEST_F(LoadBalancerTest, APoolThatGoesTakesItsAddressesAlong) {
  pool("a", "10.1.0.0/24");
  service("web");
  start();
  pool("b", "10.2.0.0/24");
  client_.erase(type_of(Kind::kIpPool), {"", "a"});
  settle();
  ASSERT_EQ(ingress("web").size(), 1U);
  EXPECT_EQ(ingress("web")[0].substr(0, 7), "10.2.0.");
  EXPECT_EQ(given().size(), 1U);
}

TEST_F(LoadBalancerTest, WhoDoesNotLeadWritesNothing) {
  pool("a", "10.1.0.0/24");
  service("web");
  replica_ = std::make_unique<Replica>(loop_, random_, client_);
  const auto revision = client_.revision();
  settle();
  EXPECT_EQ(client_.revision(), revision);
}

// A server that fails, Services that change, leaders that die: in the end each has what it asks for, once.
TEST_F(LoadBalancerTest, WhateverHappenedEachServiceHasOneAddressInTheEnd) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    loop::SimLoop loop;
    SeededRandom random(seed);
    test::FakeKubeClient client(loop, random);
    client.faults.call_fails = 0.1;
    client.faults.watch_is_cut = 0.05;
    client.faults.watch_is_gone = 0.05;
    client.faults.answer_delay_max = milliseconds(50);
    client.put(type_of(Kind::kIpPool), {"", "a"},
               object_of("spec: {cidr: 10.1.0.0/28, blockSize: 30, allowedUses: [LoadBalancer]}"));
    auto leader = std::make_unique<Replica>(loop, random, client);
    leader->lead();
    const auto put = [&](const std::string& name, std::string_view yaml) {
      client.put(type_of(Kind::kService), {"default", name}, object_of(yaml));
    };
    for (int i = 0; i < 80; ++i) {
      const std::string name = concat("s", random.below(8));
      switch (random.below(6)) {
        case 0: client.erase(type_of(Kind::kService), {"default", name}); break;
        case 1: put(name, "spec: {type: ClusterIP}"); break;
        case 2:
          leader.reset();
          leader = std::make_unique<Replica>(loop, random, client);
          leader->lead();
          break;
        default: put(name, kBalanced);
      }
      loop.advance(milliseconds(static_cast<int>(random.below(500))));
    }
    client.faults = {};
    loop.advance(minutes(5));
    std::multiset<std::string> given, shown;
    for (const auto& [name, object] : client.objects(type_of(Kind::kIpamBlock))) {
      const auto block = codec::decoded<model::IpamBlock>(object);
      for (int i = 0; i < static_cast<int>(block->spec.allocations.size()); ++i) {
        if (ipam::holder_of(block->spec, i) != nullptr) given.insert(ipam::address_at(block->spec, i).to_string());
      }
    }
    std::size_t wanted = 0;
    for (const auto& [name, object] : client.objects(type_of(Kind::kService))) {
      if (object.string_at({"spec", "type"}) == "LoadBalancer") ++wanted;
      const json::Value* list = object.find({"status", "loadBalancer", "ingress"});
      if (list == nullptr || list->as_array() == nullptr) continue;
      for (const json::Value& each : *list->as_array()) shown.insert(std::string(each.string_at({"ip"})));
    }
    EXPECT_EQ(given.size(), wanted) << "seed " << seed;
    EXPECT_EQ(given, shown) << "seed " << seed;
    EXPECT_TRUE(leader->controller().is_settled()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace margay::controllers
