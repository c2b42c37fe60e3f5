#include "controllers/ipam/ipam_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "base/telemetry/exposition.h"
#include "cni/ipam/block.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/watch/resource_of.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;

json::Value from_yaml(std::string_view text) { return json::parse_yaml(text)->at(0).value; }

// Twice the program, without its sockets.
class Replica {
 public:
  Replica(loop::Loop& loop, Random& random, kube::Client& client)
      : events_({loop, random, client}),
        cluster_({loop, random, client}, [this](bool is_in_sync) { ipam_->on_turn(is_in_sync); }),
        ipam_(std::in_place, WriterParts{loop, client, random}, cluster_, events_, &metrics_) {
    cluster_.start();
  }
  void lead(bool is_leading) {
    events_.lead(is_leading);
    ipam_->lead(is_leading);
  }
  IpamController& ipam() { return *ipam_; }
  std::string metrics() { return telemetry::render(metrics_, telemetry::Exposition::kPrometheusText); }

 private:
  telemetry::Registry metrics_;
  EventGate events_;
  watch::ClusterWatch cluster_;
  std::optional<IpamController> ipam_;
};

class IpamControllerTest : public ::testing::Test {
 protected:
  IpamControllerTest() {
    put(Kind::kIpPool, "pool", "spec: {cidr: 10.0.0.0/24, blockSize: 29}");
    put(Kind::kNode, "n1", "spec: {}");
    put(Kind::kNode, "n2", "spec: {}");
    block_.spec = ipam::make_block(IpPrefix::parse("10.0.0.0/29").value(), owner("n1"), std::nullopt);
    block_.metadata.name = "10-0-0-0-29";
  }
  static model::BlockOwner owner(const std::string& node) { return {model::AffinityType::kHost, node}; }

  void put(Kind kind, const std::string& name, std::string_view text, const std::string& name_space = "") {
    client_.put(watch::resource_of(kind), {name_space, name}, from_yaml(text));
  }
  template <class T>
  void store(const T& object) {
    json::Value body;
    codec::encode(object, body);
    client_.put(watch::resource_of(T::kKind), {"", object.metadata.name}, body);
  }
  template <class T>
  std::vector<T> stored() {
    std::vector<T> out;
    for (const auto& [name, object] : client_.objects(watch::resource_of(T::kKind))) {
      out.push_back(codec::decoded<T>(object).value());
    }
    return out;
  }
  // An address of the block, with its handle.
  void give(const std::string& handle, StringMap attributes) {
    ++block_.spec.sequence_number;
    ASSERT_EQ(ipam::assign_any(block_.spec, 1, {handle, std::move(attributes)}, {}).size(), 1U);
    model::IpamHandle object;
    object.metadata.name = handle;
    object.spec = {handle, {{block_.spec.cidr.to_string(), 1}}, false};
    store(object);
  }
  void give_pod(const std::string& pod, const std::string& node = "n1") {
    give("net." + pod, {{"namespace", "shop"}, {"pod", pod}, {"node", node}});
  }
  void store_block() {
    store(block_);
    model::BlockAffinity affinity;
    affinity.metadata.name = "n1-10-0-0-0-29";
    affinity.spec = {model::BlockAffinityState::kConfirmed, "n1", model::AffinityType::kHost, block_.spec.cidr, false};
    store(affinity);
  }
  void run_pod(const std::string& name, const std::string& address, const std::string& node = "n1") {
    put(Kind::kPod, name, "{spec: {nodeName: " + node + "}, status: {phase: Running, podIP: " + address + "}}", "shop");
  }
  std::vector<std::string> given() {
    std::vector<std::string> out;
    for (const auto& block : stored<model::IpamBlock>()) {
      for (const IpAddress& address : ipam::addresses_in_use(block.spec)) out.push_back(address.to_string());
    }
    return out;
  }
  std::vector<std::string> handles() {
    std::vector<std::string> out;
    for (const auto& handle : stored<model::IpamHandle>()) out.push_back(handle.metadata.name);
    return out;
  }
  model::IpPool pool(const std::string& name) {
    for (const auto& each : stored<model::IpPool>()) {
      if (each.metadata.name == name) return each;
    }
    return {};
  }
  std::string reason(const std::string& name) {
    const model::IpPool found = pool(name);
    return found.status.conditions.empty() ? "" : found.status.conditions[0].reason;
  }
  int writes() {
    return client_.requests("create") + client_.requests("update") + client_.requests("remove") +
           client_.requests("patch");
  }
  void start() {
    replica_.emplace(loop_, random_, client_);
    replica_->lead(true);
    loop_.advance(seconds(1));
  }

  loop::SimLoop loop_;
  SeededRandom random_{7};
  test::FakeKubeClient client_{loop_, random_};
  model::IpamBlock block_;
  std::optional<Replica> replica_;
};

TEST_F(IpamControllerTest, WhatIsLeakedGoesAfterTheGraceAndWhatIsUsedStays) {
  give_pod("web");
  give_pod("gone");
  give("lb-1", {{"type", "loadBalancer"}, {"service", "a"}});
  give("other", {{"node", "n1"}});
  store_block();
  run_pod("web", "10.0.0.0");
  start();
  loop_.advance(minutes(14));
  EXPECT_EQ(given().size(), 4U) << "not before the grace is over";
  EXPECT_THAT(replica_->metrics(), HasSubstr(R"(ipam_allocations_gc_candidates{ippool="pool",node="n1"} 1)"));
  loop_.advance(minutes(2));
  EXPECT_THAT(given(), testing::ElementsAre("10.0.0.0", "10.0.0.2", "10.0.0.3"));
  EXPECT_THAT(handles(), testing::ElementsAre("lb-1", "net.web", "other"));
  const std::string metrics = replica_->metrics();
  EXPECT_THAT(metrics, HasSubstr(R"(ipam_allocations_gc_reclamations{ippool="pool",node="n1"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(ipam_allocations_in_use{ippool="pool",node="n1"} 2)"));
  EXPECT_THAT(metrics, HasSubstr(R"(ipam_blocks{ippool="pool",node="n1"} 1)"));
  const int before = writes();
  loop_.advance(minutes(60));
  EXPECT_EQ(writes(), before) << "then there is nothing to do";
  EXPECT_TRUE(replica_->ipam().is_settled());
}

TEST_F(IpamControllerTest, AGraceOfZeroIsNever) {
  give_pod("gone");
  store_block();
  start();
  replica_->ipam().set_leak_grace(seconds(0));
  loop_.advance(minutes(120));
  EXPECT_EQ(given().size(), 1U);
  replica_->ipam().set_leak_grace(seconds(10));
  loop_.advance(minutes(2));
  EXPECT_TRUE(given().empty()) << "and live";
}

TEST_F(IpamControllerTest, WithItsNodeGoesAllItHad) {
  give_pod("gone");
  give("ipip-tunnel-addr-n1", {{"type", "ipipTunnelAddress"}, {"node", "n1"}});
  give_pod("elsewhere", "n2");
  store_block();
  run_pod("elsewhere", "10.0.0.2", "n2");
  start();
  client_.erase(watch::resource_of(Kind::kNode), {"", "n1"});
  loop_.advance(seconds(30));
  EXPECT_THAT(given(), testing::ElementsAre("10.0.0.2"));
  EXPECT_THAT(handles(), testing::ElementsAre("net.elsewhere"));
  EXPECT_TRUE(stored<model::BlockAffinity>().empty());
  ASSERT_EQ(stored<model::IpamBlock>().size(), 1U);
  EXPECT_FALSE(stored<model::IpamBlock>()[0].spec.affinity) << "others have addresses of it";
  client_.erase(watch::resource_of(Kind::kPod), {"shop", "elsewhere"});
  loop_.advance(minutes(40));
  EXPECT_TRUE(stored<model::IpamBlock>().empty()) << "until they have not";
  EXPECT_TRUE(handles().empty());
}

TEST_F(IpamControllerTest, WhoTakesOverHasWaitedAlready) {
  give_pod("gone");
  store_block();
  replica_.emplace(loop_, random_, client_);
  loop_.advance(minutes(16));
  EXPECT_EQ(given().size(), 1U);
  EXPECT_EQ(writes(), 0);
  replica_->lead(true);
  loop_.advance(seconds(5));
  EXPECT_TRUE(given().empty());
}

TEST_F(IpamControllerTest, AServerWithoutPodsIsNoGroundToJudgeBy) {
  give_pod("web");
  store_block();
  const auto missing = [](std::string_view, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
    if (type.plural != "pods") return std::nullopt;
    return kube::ApiError{.code = ErrorCode::kNotFound, .message = "no such kind", .http_status = 404};
  };
  client_.on_request = missing;
  start();
  loop_.advance(minutes(40));
  EXPECT_EQ(given().size(), 1U);
}

TEST_F(IpamControllerTest, APodThatCannotBeReadIsThere) {
  give_pod("odd");
  store_block();
  put(Kind::kPod, "odd", "{spec: {nodeName: n1}, status: {phase: Running, podIP: [1]}}", "shop");
  start();
  loop_.advance(minutes(40));
  EXPECT_EQ(given().size(), 1U);
}

TEST_F(IpamControllerTest, PoolsSayHowTheyAre) {
  put(Kind::kIpPool, "second", "spec: {cidr: 10.0.0.128/25}");
  put(Kind::kIpPool, "zero", "spec: {cidr: 10.9.0.0/24, disabled: true}");
  start();
  loop_.advance(seconds(5));
  EXPECT_EQ(reason("pool"), kReasonOk);
  EXPECT_TRUE(has_pool_finalizer(pool("pool")));
  EXPECT_EQ(reason("second"), kReasonOverlap);
  EXPECT_FALSE(has_pool_finalizer(pool("second")));
  EXPECT_EQ(reason("zero"), kReasonDisabled);
  const auto events = client_.objects(watch::resource_of(Kind::kEvent));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events.begin()->second.string_at({"reason"}), kReasonOverlap);
  EXPECT_EQ(events.begin()->second.string_at({"involvedObject", "name"}), "second");
  const int before = writes();
  loop_.advance(minutes(10));
  EXPECT_EQ(writes(), before);
}

TEST_F(IpamControllerTest, APoolThatIsDeletedGoesWithItsLastBlock) {
  give_pod("web");
  store_block();
  run_pod("web", "10.0.0.0");
  start();
  loop_.advance(seconds(5));
  json::Value deleted = client_.objects(watch::resource_of(Kind::kIpPool)).at({"", "pool"});
  deleted["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  client_.put(watch::resource_of(Kind::kIpPool), {"", "pool"}, deleted);
  loop_.advance(minutes(30));
  EXPECT_EQ(reason("pool"), kReasonTerminating);
  EXPECT_TRUE(has_pool_finalizer(pool("pool"))) << "a pod has an address of it";
  client_.erase(watch::resource_of(Kind::kPod), {"shop", "web"});
  loop_.advance(minutes(17));
  EXPECT_TRUE(stored<model::IpamBlock>().empty());
  EXPECT_FALSE(has_pool_finalizer(pool("pool")));
}

// A server that fails, users who come and go, two replicas of which one leads for a while and dies.
TEST_F(IpamControllerTest, WhateverHappenedTheEndIsTheSame) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    loop::SimLoop loop;
    SeededRandom random(seed);
    test::FakeKubeClient client(loop, random);
    const auto put_in = [&](Kind kind, const std::string& name, std::string_view text, const std::string& name_space) {
      client.put(watch::resource_of(kind), {name_space, name}, from_yaml(text));
    };
    put_in(Kind::kIpPool, "pool", "spec: {cidr: 10.0.0.0/24, blockSize: 29}", "");
    for (int node = 0; node < 2; ++node) put_in(Kind::kNode, "n" + std::to_string(node), "spec: {}", "");
    model::IpamBlock block;
    block.metadata.name = "10-0-0-0-29";
    block.spec = ipam::make_block(IpPrefix::parse("10.0.0.0/29").value(), owner("n0"), std::nullopt);
    for (int pod = 0; pod < 6; ++pod) {
      const std::string name = "p" + std::to_string(pod);
      const auto ordinals =
          ipam::assign_any(block.spec, 1, {"net." + name, {{"namespace", "shop"}, {"pod", name}, {"node", "n0"}}}, {});
      const std::string address = ipam::address_at(block.spec, ordinals.at(0)).to_string();
      put_in(Kind::kPod, name, "{spec: {nodeName: n0}, status: {phase: Running, podIP: " + address + "}}", "shop");
    }
    json::Value body;
    codec::encode(block, body);
    client.put(watch::resource_of(Kind::kIpamBlock), {"", block.metadata.name}, body);
    client.faults.call_fails = 0.1;
    client.faults.watch_is_cut = 0.05;
    client.faults.watch_is_gone = 0.1;
    client.faults.event_is_doubled = 0.1;
    auto leader = std::make_unique<Replica>(loop, random, client);
    leader->lead(true);
    std::set<std::string> left = {"p0", "p1", "p2", "p3", "p4", "p5"};
    for (int i = 0; i < 30; ++i) {
      if (random.below(8) == 0) {
        leader = std::make_unique<Replica>(loop, random, client);
        leader->lead(true);
      }
      const std::string name = "p" + std::to_string(random.below(6));
      if (random.below(6) == 0 && client.erase(watch::resource_of(Kind::kPod), {"shop", name})) left.erase(name);
      loop.advance(seconds(static_cast<int>(random.below(100))));
    }
    client.faults = {};
    loop.advance(minutes(60));
    std::set<std::string> handles;
    for (const auto& [name, object] : client.objects(watch::resource_of(Kind::kIpamHandle))) handles.insert(name.name);
    std::set<std::string> wanted;
    for (const std::string& name : left) wanted.insert("net." + name);
    EXPECT_EQ(handles, wanted) << "seed " << seed << ": made where they were missing, and gone with their addresses";
    for (const auto& [name, object] : client.objects(watch::resource_of(Kind::kIpamBlock))) {
      EXPECT_EQ(ipam::addresses_in_use(codec::decoded<model::IpamBlock>(object)->spec).size(), left.size())
          << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace margay::controllers
