// margay-controllers as processes, against margay-apiserver and a real kube-apiserver with etcd: two replicas, of which
// one is killed; policies that are there in the end.
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/watch/resource_of.h"
#include "test/support/api_servers.h"
#include "test/support/sync_client.h"

namespace margay::test {
namespace {

using model::Kind;
using std::chrono::seconds;

const kube::ResourceType kSources = watch::resource_of(Kind::kKubernetesNetworkPolicy);
const kube::ResourceType kMade = watch::resource_of(Kind::kNetworkPolicy);

class ControllersTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    const std::string name = GetParam();
    server_ = name == "memory" ? start_memory_server({}, &why) : start_kube_apiserver(&why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
  }

  // Its identity is its number.
  void add_replica() {
    const std::string number = std::to_string(next_++);
    replicas_[number] = std::make_unique<ChildProcess>(
        ProcessOptions{.argv = {program_path("margay-controllers"), "--kubeconfig", server_->kubeconfig(), "--listen",
                                "none", "--identity", number, "--log-level", "debug"},
                       .environment = {},
                       .stdin_text = {},
                       .output_path = folder_.file("log-" + number)});
  }
  std::string holder() {
    const auto lease = client_->get(watch::resource_of(Kind::kLease), {"kube-system", "margay-controllers"});
    return lease.ok() ? text(*lease, {"spec", "holderIdentity"}) : std::string();
  }
  bool has_leader() { return replicas_.contains(holder()); }

  static std::string text(const json::Value& object, std::initializer_list<const char*> path) {
    const json::Value* at = &object;
    for (const char* name : path) {
      at = at->find(name);
      if (at == nullptr) return {};
    }
    const std::string* const out = at->as_string();
    return out == nullptr ? std::string() : *out;
  }

  void put_source(const std::string& name, std::uint64_t value) {
    json::Value object = json::parse_yaml(concat(R"(
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: default, name: )",
                                                 name, R"(}
spec: {podSelector: {matchLabels: {v: ')",
                                                 value, R"('}}, policyTypes: [Ingress]}
)"))
                             ->at(0)
                             .value;
    const auto created = client_->create(kSources, object);
    if (created.ok()) return;
    ASSERT_EQ(created.error().code, ErrorCode::kAlreadyExists) << created.error().message;
    const auto updated = client_->update(kSources, object);
    ASSERT_TRUE(updated.ok()) << updated.error().message;
  }

  // Name to what tells versions apart.
  std::map<std::string, std::string> sources() {
    std::map<std::string, std::string> out;
    const auto listed = client_->list(kSources, "default");
    if (!listed.ok()) return {{"", listed.error().message}};
    for (const json::Value& object : listed->items) {
      out["knp.default." + text(object, {"metadata", "name"})] =
          text(object, {"spec", "podSelector", "matchLabels", "v"});
    }
    return out;
  }
  std::map<std::string, std::string> made() {
    std::map<std::string, std::string> out;
    const auto listed = client_->list(kMade, "default");
    if (!listed.ok()) return {{"", listed.error().message}};
    for (const json::Value& object : listed->items) {
      const std::string selector = text(object, {"spec", "selector"});
      const std::size_t at = selector.find("v == '");
      out[text(object, {"metadata", "name"})] =
          at == std::string::npos ? selector : selector.substr(at + 6, selector.find('\'', at + 6) - at - 6);
    }
    return out;
  }
  std::string logs() {
    std::string out;
    for (int i = 0; i < next_; ++i) out += read_text(folder_.file("log-" + std::to_string(i)));
    return out;
  }

  TempDir folder_;
  std::unique_ptr<ApiServer> server_;
  std::unique_ptr<SyncClient> client_;
  std::map<std::string, std::unique_ptr<ChildProcess>> replicas_;
  int next_ = 0;
};

TEST_P(ControllersTest, DefaultsAreThereAndPoliciesAreTranslated) {
  add_replica();
  put_source("web", 1);
  EXPECT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  for (const char* tier : {"kube-admin", "default", "kube-baseline"}) {
    EXPECT_TRUE(poll_until(seconds(10),
                           [&] {
                             return client_->get(watch::resource_of(Kind::kTier), {"", tier}).ok();
                           }))
        << tier << logs();
  }
  EXPECT_TRUE(poll_until(seconds(10), [&] {
    return client_->get(watch::resource_of(Kind::kClusterInformation), {"", "default"}).ok();
  }));
  // What the server adds by itself is no difference: another life writes nothing.
  const auto before = client_->get(kMade, {"default", "knp.default.web"});
  ASSERT_TRUE(before.ok());
  replicas_.clear();
  add_replica();
  ASSERT_TRUE(poll_until(seconds(20), [&] { return has_leader(); })) << logs();
  put_source("other", 1);
  ASSERT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  const auto after = client_->get(kMade, {"default", "knp.default.web"});
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(text(*after, {"metadata", "resourceVersion"}), text(*before, {"metadata", "resourceVersion"}));
}

TEST_P(ControllersTest, LeadersThatAreKilledAreFollowedAndNothingIsMissed) {
  SeededRandom random(1);
  add_replica();
  for (int round = 0; round < 6; ++round) {
    add_replica();
    ASSERT_TRUE(poll_until(seconds(20), [&] { return has_leader(); })) << logs();
    for (int i = 0; i < 20; ++i) {
      const std::string name = concat("p", random.below(8));
      if (random.below(4) == 0) {
        (void)client_->remove(kSources, {"default", name});
      } else {
        put_source(name, random.next() % 1000);
      }
      if (i == 10) {
        const std::string leader = holder();
        replicas_.at(leader)->send_signal(SIGKILL);
        replicas_.erase(leader);
      }
    }
  }
  EXPECT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
}

INSTANTIATE_TEST_SUITE_P(Servers, ControllersTest, ::testing::Values("memory", "kubernetes"),
                         [](const auto& server) { return std::string(server.param); });

}  // namespace
}  // namespace margay::test
