// Clean-up by margay-controllers as processes, against margay-apiserver and a real kube-apiserver with etcd: leaks that
// are planted, a node that goes, leaders that are killed on the way; what is left in the end is what is used.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "cni/ipam/block.h"
#include "cni/ipam/names.h"
#include "datastore/codec/codec.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/ip_pool.h"
#include "datastore/watch/resource_of.h"
#include "test/integration/shared_server.h"

namespace margay::test {
namespace {

using model::Kind;
using std::chrono::seconds;
using Names = std::set<std::string>;

constexpr seconds kLimit{90};

class CleanupTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    server_ = controllers_server(GetParam(), &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
    make_yaml(R"({apiVersion: projectcalico.org/v3, kind: KubeControllersConfiguration, metadata: {name: default},
             spec: {controllers: {node: {leakGracePeriod: 1s, hostEndpoint: {autoCreate: Enabled}}}}})");
    for (const char* node : {"n1", "n2"}) {
      make_yaml(concat("{apiVersion: v1, kind: Node, metadata: {name: ", node, ", labels: {zone: a}}}"));
    }
    make_pool("pods", "10.60.0.0/24", 29);
  }
  void TearDown() override {
    replicas_.clear();
    if (server_ != nullptr && server_->name() == "kubernetes") empty_server(*client_);
  }
  void make_pool(const std::string& name, std::string_view cidr, int block_size) {
    make_yaml(concat("{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: ", name,
                     "}, spec: {cidr: ", cidr, ", blockSize: ", block_size, "}}"));
  }
  void make_yaml(const std::string& yaml) { make(json::parse_yaml(yaml)->at(0).value); }
  void make(const json::Value& object) {
    const auto kind = model::find_kind(object.string_at({"apiVersion"}), object.string_at({"kind"}));
    ASSERT_TRUE(kind);
    const auto created = client_->create(watch::resource_of(*kind), object);
    ASSERT_TRUE(created.ok()) << created.error().message << json::dump(object);
  }
  template <class T>
  void make_object(const T& object) {
    json::Value body;
    codec::encode(object, body);
    make(body);
  }

  // --- what agents write ---
  static model::IpamBlock block_of(const std::string& node, std::string_view cidr) {
    model::IpamBlock out;
    out.spec = ipam::make_block(IpPrefix::parse(cidr).value(), model::BlockOwner{model::AffinityType::kHost, node}, {});
    out.metadata.name = ipam::block_name(out.spec.cidr);
    return out;
  }
  void give(model::IpamBlock& block, const std::string& handle, StringMap attributes) {
    ++block.spec.sequence_number;
    ASSERT_EQ(ipam::assign_any(block.spec, 1, {handle, std::move(attributes)}, {}).size(), 1U);
    model::IpamHandle object;
    object.metadata.name = ipam::handle_name(handle);
    object.spec = {handle, {{block.spec.cidr.to_string(), 1}}, false};
    make_object(object);
  }
  void give_pod(model::IpamBlock& block, const std::string& pod, const std::string& node) {
    give(block, "k8s-pod-network." + pod, {{"namespace", "default"}, {"pod", pod}, {"node", node}});
  }
  void make_block(const model::IpamBlock& block) {
    model::BlockAffinity affinity;
    affinity.metadata.name = ipam::affinity_name(*block.spec.affinity, block.spec.cidr);
    affinity.spec = {model::BlockAffinityState::kConfirmed, block.spec.affinity->name, model::AffinityType::kHost,
                     block.spec.cidr, false};
    make_object(affinity);
    make_object(block);
  }
  void make_pod(const std::string& name, const std::string& node, const std::string& address) {
    make_yaml(concat("{apiVersion: v1, kind: Pod, metadata: {namespace: default, name: ", name,
                     ", annotations: {cni.projectcalico.org/podIPs: ", address, "/32}}, spec: {nodeName: ", node,
                     ", containers: [{name: c, image: i}]}}"));
  }
  void remove(Kind kind, const kube::ObjectName& name) {
    // A kubelet would have ended the pod.
    const kube::DeleteOptions options{.grace_period_seconds = 0};
    const auto removed = client_->remove(watch::resource_of(kind), name, options);
    ASSERT_TRUE(removed.ok()) << removed.error().message;
  }

  // --- what there is ---
  template <class T>
  std::vector<T> all() {
    std::vector<T> out;
    const auto listed = client_->list(watch::resource_of(T::kKind), "");
    if (!listed.ok()) return out;
    for (const json::Value& item : listed->items) out.push_back(codec::decoded<T>(item).value());
    return out;
  }
  Names names(Kind kind) {
    Names out;
    const auto listed = client_->list(watch::resource_of(kind), "");
    if (!listed.ok()) return {listed.error().message};
    for (const json::Value& item : listed->items) out.emplace(item.string_at({"metadata", "name"}));
    return out;
  }
  Names given() {
    Names out;
    for (const auto& block : all<model::IpamBlock>()) {
      for (const IpAddress& address : ipam::addresses_in_use(block.spec)) out.insert(address.to_string());
    }
    return out;
  }
  std::string reason(const std::string& pool) {
    const auto read = client_->get(watch::resource_of(Kind::kIpPool), {"", pool});
    if (!read.ok()) return read.error().code == ErrorCode::kNotFound ? "gone" : read.error().message;
    const auto found = codec::decoded<model::IpPool>(*read);
    return found->status.conditions.empty() ? "" : found->status.conditions[0].reason;
  }

  // --- replicas ---
  void add_replica() {
    const std::string number = std::to_string(next_++);
    replicas_[number] = std::make_unique<ChildProcess>(
        ProcessOptions{.argv = {program_path("margay-controllers"), "--kubeconfig", server_->kubeconfig(), "--listen",
                                "none", "--identity", number, "--log-level", "info"},
                       .environment = {},
                       .stdin_text = {},
                       .output_path = folder_.file("log-" + number)});
  }
  std::string holder() {
    const auto lease = client_->get(watch::resource_of(Kind::kLease), {"kube-system", "margay-controllers"});
    return lease.ok() ? std::string(lease->string_at({"spec", "holderIdentity"})) : std::string();
  }
  void kill_leader() {
    ASSERT_TRUE(poll_until(kLimit, [&] { return replicas_.contains(holder()); })) << logs();
    const std::string leader = holder();
    replicas_.at(leader)->send_signal(SIGKILL);
    replicas_.erase(leader);
  }
  std::string logs() {
    std::string out;
    for (int i = 0; i < next_; ++i) out += read_text(folder_.file("log-" + std::to_string(i)));
    return out;
  }

  TempDir folder_;
  std::shared_ptr<ApiServer> server_;
  std::unique_ptr<SyncClient> client_;
  std::map<std::string, std::unique_ptr<ChildProcess>> replicas_;
  int next_ = 0;
};

TEST_P(CleanupTest, WhatIsUsedIsLeftWhateverDies) {
  model::IpamBlock first = block_of("n1", "10.60.0.0/29"), second = block_of("n2", "10.60.0.8/29");
  give_pod(first, "used", "n1");
  give_pod(first, "leaked", "n1");
  give(first, "ipip-tunnel-addr-n1", {{"type", "ipipTunnelAddress"}, {"node", "n1"}});
  give(first, "elsewhere", {{"node", "n1"}});
  give_pod(second, "going", "n2");
  give_pod(second, "borrower", "n1");
  make_block(first);
  make_block(second);
  make_pod("used", "n1", "10.60.0.0");
  make_pod("going", "n2", "10.60.0.8");
  make_pod("borrower", "n1", "10.60.0.9");
  model::IpamHandle empty;
  empty.metadata.name = "k8s-pod-network.empty";
  empty.spec.handle_id = empty.metadata.name;
  make_object(empty);
  make_yaml(R"({apiVersion: projectcalico.org/v3, kind: CalicoNodeStatus, metadata: {name: of-n2},
           spec: {node: n2, classes: [Agent], updatePeriodSeconds: 10}})");
  add_replica();
  add_replica();
  EXPECT_TRUE(poll_until(kLimit, [&] {
    return names(Kind::kHostEndpoint) == Names{"n1-auto-hep", "n2-auto-hep"};
  })) << logs();
  kill_leader();
  // The other one has seen both nodes; a third that comes now might lead before it, and know of one only.
  ASSERT_TRUE(poll_until(kLimit, [&] { return replicas_.contains(holder()); })) << logs();
  EXPECT_TRUE(poll_until(kLimit, [&] {
    return given() == Names{"10.60.0.0", "10.60.0.3", "10.60.0.8", "10.60.0.9"};
  })) << logs();
  remove(Kind::kPod, {"default", "going"});
  remove(Kind::kNode, {"", "n2"});
  add_replica();
  EXPECT_TRUE(poll_until(kLimit, [&] { return given() == Names{"10.60.0.0", "10.60.0.3", "10.60.0.9"}; })) << logs();
  EXPECT_TRUE(poll_until(kLimit, [&] { return names(Kind::kCalicoNodeStatus).empty(); })) << logs();
  kill_leader();
  add_replica();
  const Names wanted = {"elsewhere", "k8s-pod-network.borrower", "k8s-pod-network.used"};
  EXPECT_TRUE(poll_until(kLimit, [&] { return names(Kind::kIpamHandle) == wanted; })) << logs();
  EXPECT_TRUE(poll_until(kLimit, [&] { return names(Kind::kBlockAffinity) == Names{"n1-10-60-0-0-29"}; })) << logs();
  EXPECT_TRUE(poll_until(kLimit, [&] { return names(Kind::kHostEndpoint) == Names{"n1-auto-hep"}; })) << logs();
  remove(Kind::kPod, {"default", "borrower"});
  EXPECT_TRUE(poll_until(kLimit, [&] { return names(Kind::kIpamBlock) == Names{"10-60-0-0-29"}; })) << logs();
  EXPECT_EQ(given(), (Names{"10.60.0.0", "10.60.0.3"}));
}

TEST_P(CleanupTest, APoolGoesWithItsLastBlockAndMakesRoomForTheNext) {
  model::IpamBlock block = block_of("n1", "10.60.0.0/29");
  give_pod(block, "used", "n1");
  make_block(block);
  make_pod("used", "n1", "10.60.0.0");
  add_replica();
  EXPECT_TRUE(poll_until(kLimit, [&] { return reason("pods") == "OK"; })) << logs();
  make_pool("wider", "10.60.0.0/16", 26);
  EXPECT_TRUE(poll_until(kLimit, [&] { return reason("wider") == "CIDROverlap"; })) << logs();
  const auto has_finalizer = [&] {
    const auto pool =
        codec::decoded<model::IpPool>(client_->get(watch::resource_of(Kind::kIpPool), {"", "pods"}).value());
    return !pool->metadata.finalizers.empty();
  };
  ASSERT_TRUE(poll_until(kLimit, has_finalizer)) << logs();
  remove(Kind::kIpPool, {"", "pods"});
  EXPECT_TRUE(poll_until(kLimit, [&] { return reason("pods") == "Terminating"; })) << logs();
  EXPECT_EQ(reason("wider"), "CIDROverlap") << "until the other is gone";
  add_replica();
  kill_leader();
  remove(Kind::kPod, {"default", "used"});
  EXPECT_TRUE(poll_until(kLimit, [&] { return reason("pods") == "gone"; })) << logs();
  EXPECT_TRUE(poll_until(kLimit, [&] { return reason("wider") == "OK"; })) << logs();
  EXPECT_TRUE(names(Kind::kIpamBlock).empty());
}

INSTANTIATE_TEST_SUITE_P(Servers, CleanupTest, ::testing::Values("memory", "kubernetes"),
                         [](const auto& server) { return std::string(server.param); });

}  // namespace
}  // namespace margay::test
