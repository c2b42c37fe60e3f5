// margay-controllers as processes, against margay-apiserver and a real kube-apiserver with etcd, there with the rights
// of manifests/ and no others: replicas that are killed, users who edit what is not theirs, watches that are cut,
// settings that change; what is there in the end.
//
// MARGAY_LEADER_KILLS: how many leaders are killed at random points, each two seconds; 3 unless told. The whole run
// has 100.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/random.h"
#include "base/core/text.h"
#include "base/json/yaml.h"
#include "datastore/codec/decoded.h"
#include "datastore/model/kubernetes_policy.h"
#include "datastore/model/policy.h"
#include "datastore/watch/resource_of.h"
#include "policy/translate/translate.h"
#include "test/integration/shared_server.h"
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
    server_ = controllers_server(GetParam(), &why);
    if (server_ == nullptr) GTEST_SKIP() << why;
    client_ = std::make_unique<SyncClient>(server_->kubeconfig());
  }

  // Its identity is its number.
  void add_replica() {
    const std::string number = std::to_string(next_++);
    replicas_[number] = std::make_unique<ChildProcess>(ProcessOptions{
        .argv = {program_path("margay-controllers"), "--kubeconfig", server_->kubeconfig_of("margay-controllers"),
                 "--listen", "none", "--identity", number, "--log-level", "debug"},
        .environment = variables_,
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

  // "" or what prevented it.
  std::string try_source(const std::string& name, std::uint64_t value) {
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
    if (created.ok()) return {};
    if (created.error().code != ErrorCode::kAlreadyExists) return created.error().message;
    const auto updated = client_->update(kSources, object);
    return updated.ok() ? std::string() : updated.error().message;
  }
  void put_source(const std::string& name, std::uint64_t value) { ASSERT_EQ(try_source(name, value), ""); }

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

  // What is made, whole, and what a translation that knows no history makes of what there is.
  using Specs = std::map<std::string, model::PolicySpec>;
  Specs made_specs() {
    Specs out;
    const auto listed = client_->list(kMade, "default");
    if (!listed.ok()) return {{listed.error().message, {}}};
    for (const json::Value& object : listed->items) {
      out[text(object, {"metadata", "name"})] = codec::decoded<model::NetworkPolicy>(object)->spec;
    }
    return out;
  }
  Specs specs_from_scratch() {
    Specs out;
    const auto listed = client_->list(kSources, "default");
    if (!listed.ok()) return {};
    for (const json::Value& object : listed->items) {
      const auto source = codec::decoded<model::KubernetesNetworkPolicy>(object);
      auto translated = policy::from_kubernetes(source.value());
      out[translated.object.metadata.name] = std::move(translated.object.spec);
    }
    return out;
  }

  // Whatever else a test looks at.
  void TearDown() override {
    EXPECT_EQ(logs().find("forbidden"), std::string::npos) << logs();
    replicas_.clear();
    if (server_ != nullptr && server_->name() == "kubernetes") empty_server(*client_);
  }
  static json::Value yaml(const std::string& text) { return json::parse_yaml(text)->at(0).value; }
  // In the object's own metadata: name, and namespace if it has one.
  void create(Kind kind, const std::string& text) {
    const auto created = client_->create(watch::resource_of(kind), yaml(text));
    ASSERT_TRUE(created.ok()) << created.error().message;
  }
  json::Value get(Kind kind, const kube::ObjectName& name) {
    const auto got = client_->get(watch::resource_of(kind), name);
    return got.ok() ? *got : json::Value();
  }
  std::string ingress(const std::string& service) {
    const json::Value object = get(Kind::kService, {"default", service});
    const json::Value* list = object.find({"status", "loadBalancer", "ingress"});
    if (list == nullptr || list->as_array() == nullptr || list->as_array()->empty()) return {};
    return std::string(list->as_array()->front().string_at({"ip"}));
  }

  TempDir folder_;
  std::map<std::string, std::string> variables_;
  std::shared_ptr<ApiServer> server_;
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
  // Nobody may be without them.
  ASSERT_TRUE(client_->remove(watch::resource_of(Kind::kTier), {"", "kube-admin"}).ok());
  EXPECT_TRUE(poll_until(seconds(10), [&] {
    return client_->get(watch::resource_of(Kind::kTier), {"", "kube-admin"}).ok();
  })) << logs();
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

TEST_P(ControllersTest, PoliciesOfAdminsAreTranslatedAndSayWhatIsNotHonoured) {
  add_replica();
  create(Kind::kAdminNetworkPolicy, R"(
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: names}
spec:
  priority: 5
  subject: {namespaces: {}}
  egress: [{action: Allow, to: [{domainNames: [example.com]}]}]
)");
  const auto accepted = [&] {
    const json::Value object = get(Kind::kAdminNetworkPolicy, {"", "names"});
    const json::Value* all = object.find({"status", "conditions"});
    if (all == nullptr || all->as_array() == nullptr) return std::string("nothing");
    for (const json::Value& each : *all->as_array()) {
      if (each.string_at({"type"}) == "Accepted") return text(each, {"status"}) + ": " + text(each, {"message"});
    }
    return std::string("no such condition");
  };
  EXPECT_TRUE(
      poll_until(seconds(20), [&] { return accepted().starts_with("False: spec.egress[0].to[0].domainNames"); }))
      << accepted() << logs();
  const json::Value made = get(Kind::kGlobalNetworkPolicy, {"", "kanp.adminnetworkpolicy.names"});
  EXPECT_EQ(text(made, {"spec", "tier"}), "kube-admin");
  json::Value object = get(Kind::kAdminNetworkPolicy, {"", "names"});
  object["spec"]["egress"] = yaml("[{action: Deny, to: [{namespaces: {}}]}]");
  ASSERT_TRUE(client_->update(watch::resource_of(Kind::kAdminNetworkPolicy), object).ok());
  EXPECT_TRUE(poll_until(seconds(20), [&] { return accepted().starts_with("True"); })) << accepted() << logs();
}

TEST_P(ControllersTest, LeadersThatAreKilledAreFollowedAndNothingIsMissed) {
  const char* const asked = std::getenv("MARGAY_LEADER_KILLS");
  const int kills = asked == nullptr ? 3 : std::atoi(asked);
  SeededRandom random(1);
  add_replica();
  for (int round = 0; round < kills; ++round) {
    add_replica();
    ASSERT_TRUE(poll_until(seconds(20), [&] { return has_leader(); })) << logs();
    const auto killed_at = random.below(20);
    for (std::uint64_t i = 0; i < 20; ++i) {
      const std::string name = concat("p", random.below(8));
      if (random.below(4) == 0) {
        (void)client_->remove(kSources, {"default", name});
      } else {
        put_source(name, random.next() % 1000);
      }
      if (i == killed_at) {
        const std::string leader = holder();
        replicas_.at(leader)->send_signal(SIGKILL);
        replicas_.erase(leader);
      }
    }
  }
  EXPECT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  EXPECT_EQ(made_specs(), specs_from_scratch());
}

// Everybody writes at once: sources, and what is made of them.
TEST_P(ControllersTest, WhatOthersEditIsRepairedAlsoInAStormOfConflicts) {
  SeededRandom random(2);
  add_replica();
  for (int i = 0; i < 8; ++i) put_source(concat("p", i), 1);
  ASSERT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  for (int i = 0; i < 150; ++i) {
    const std::string name = concat("p", random.below(8));
    switch (random.below(3)) {
      case 0: put_source(name, random.next() % 1000); break;
      case 1: (void)client_->remove(kMade, {"default", "knp.default." + name}); break;
      default:
        (void)client_->patch(kMade, {"default", "knp.default." + name}, kube::PatchType::kMerge,
                             R"({"spec":{"selector":"v == 'edited'","order":1}})");
    }
  }
  EXPECT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  EXPECT_EQ(logs().find("no longer leading"), std::string::npos) << logs();
}

TEST_P(ControllersTest, SettingsAreAppliedLiveAndAnswered) {
  variables_["RECONCILER_PERIOD"] = "7m";
  add_replica();
  const Kind kind = Kind::kKubeControllersConfiguration;
  const auto running = [&](std::initializer_list<const char*> path) {
    const json::Value object = get(kind, {"", "default"});
    const json::Value* at = object.find({"status", "runningConfig", "controllers"});
    return at == nullptr ? std::string("no status") : text(*at, path);
  };
  ASSERT_TRUE(poll_until(seconds(20), [&] { return running({"node", "reconcilerPeriod"}) == "7m0s"; })) << logs();
  EXPECT_EQ(get(kind, {"", "default"}).string_at({"status", "environmentVars", "RECONCILER_PERIOD"}), "7m");
  EXPECT_EQ(running({"loadBalancer", "assignIPs"}), "AllServices");
  json::Value object = get(kind, {"", "default"});
  object["spec"] = yaml("{logSeverityScreen: Info, controllers: {loadBalancer: {assignIPs: RequestedServicesOnly}}}");
  ASSERT_TRUE(client_->update(watch::resource_of(kind), object).ok());
  ASSERT_TRUE(poll_until(seconds(20), [&] { return running({"node", "reconcilerPeriod"}).empty(); })) << logs();
  EXPECT_EQ(running({"loadBalancer", "assignIPs"}), "RequestedServicesOnly");
  EXPECT_EQ(running({"policy", "reconcilerPeriod"}), "7m0s");
  put_source("web", 1);
  EXPECT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << "it works on" << logs();
}

// The agents are played with the rights of the agents.
TEST_P(ControllersTest, PoliciesSayOnWhichNodesTheyAre) {
  SyncClient agents(server_->kubeconfig_of("margay-node"));
  const auto report = [&](const std::string& node, const std::string& version) {
    const json::Value body = yaml(concat("{metadata: {name: margay-node.", node,
                                         ", namespace: kube-node-lease, labels: {margay.dev/report: policies}, "
                                         "annotations: {margay.dev/programmed-policies: 'networkpolicies=",
                                         version, " globalnetworkpolicies=0'}}, spec: {holderIdentity: ", node, "}}"));
    const kube::ResourceType leases = watch::resource_of(Kind::kLease);
    const auto patched =
        agents.patch(leases, {"kube-node-lease", "margay-node." + node}, kube::PatchType::kMerge, json::dump(body));
    if (patched.ok()) return;
    ASSERT_EQ(patched.error().code, ErrorCode::kNotFound) << patched.error().message;
    const auto created = agents.create(leases, body);
    ASSERT_TRUE(created.ok()) << created.error().message;
  };
  const auto policy = [&] { return get(Kind::kNetworkPolicy, {"default", "knp.default.web"}); };
  // The generation of which it says that all nodes have it.
  const auto programmed = [&] {
    const json::Value object = policy();
    const json::Value* all = object.find({"status", "conditions"});
    if (all == nullptr || all->as_array() == nullptr) return std::int64_t{0};
    for (const json::Value& each : *all->as_array()) {
      const bool is_it = each.string_at({"type"}) == "Programmed" && each.string_at({"status"}) == "True";
      if (is_it) return *each.find("observedGeneration")->as_integer();
    }
    return std::int64_t{0};
  };
  for (const char* node : {"n1", "n2"}) {
    create(Kind::kNode, concat("{apiVersion: v1, kind: Node, metadata: {name: ", node, "}}"));
  }
  report("n2", "1");
  add_replica();
  put_source("web", 1);
  ASSERT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  const std::string version = text(policy(), {"metadata", "resourceVersion"});
  report("n1", version);
  report("n2", version);
  EXPECT_TRUE(poll_until(seconds(20), [&] { return programmed() == 1; })) << json::dump(policy()) << logs();
  put_source("web", 2);
  ASSERT_TRUE(poll_until(seconds(20), [&] { return made() == sources(); })) << logs();
  EXPECT_EQ(*policy().find({"metadata", "generation"})->as_integer(), 2);
  EXPECT_EQ(programmed(), 1) << "of what was there before";
  const std::string next = text(policy(), {"metadata", "resourceVersion"});
  report("n1", next);
  report("n2", next);
  EXPECT_TRUE(poll_until(seconds(20), [&] { return programmed() == 2; })) << json::dump(policy()) << logs();
}

TEST_P(ControllersTest, ServicesGetAddressesAndGiveThemBack) {
  add_replica();
  create(Kind::kIpPool, R"(
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: services}
spec: {cidr: 10.99.0.0/24, blockSize: 28, allowedUses: [LoadBalancer], nodeSelector: all()}
)");
  const auto service = [](const std::string& name, const std::string& type) {
    return concat("{apiVersion: v1, kind: Service, metadata: {name: ", name,
                  ", namespace: default}, spec: {ports: [{port: 80, protocol: TCP}], type: ", type, "}}");
  };
  create(Kind::kService, service("web", "LoadBalancer"));
  ASSERT_TRUE(poll_until(seconds(20), [&] { return ingress("web").starts_with("10.99.0."); })) << logs();
  const std::string address = ingress("web");
  // The next leader finds it as it is.
  replicas_.clear();
  add_replica();
  create(Kind::kService, service("other", "LoadBalancer"));
  ASSERT_TRUE(poll_until(seconds(20), [&] { return ingress("other").starts_with("10.99.0."); })) << logs();
  EXPECT_EQ(ingress("web"), address);
  EXPECT_NE(ingress("other"), address);
  ASSERT_TRUE(client_->remove(watch::resource_of(Kind::kService), {"default", "web"}).ok());
  const auto handles = [&] {
    const auto listed = client_->list(watch::resource_of(Kind::kIpamHandle), "");
    return listed.ok() ? listed->items.size() : std::size_t{99};
  };
  EXPECT_TRUE(poll_until(seconds(20), [&] { return handles() == 1; })) << logs();
}

// Only margay-apiserver fails when it is told to.
class FaultyControllersTest : public ControllersTest {
 protected:
  // Also by us: what is refused is sent again.
  void insist(const std::string& name, std::uint64_t value) {
    ASSERT_TRUE(poll_until(seconds(20), [&] { return try_source(name, value).empty(); }));
  }
};

TEST_P(FaultyControllersTest, WatchesThatDropAndWritesThatFailEndAsATranslationFromScratch) {
  // Every watch ends after a moment; of the writes a part is refused, a part done without an answer, a part told to
  // come later.
  set_faults(*server_,
             R"({"verb":"watch","action":"dropWatch","afterMs":150,"probability":0.7},)"
             R"({"verb":"create","resource":"networkpolicies","action":"status","status":409,"probability":0.2},)"
             R"({"verb":"update","resource":"networkpolicies","action":"status","status":409,"probability":0.4},)"
             R"({"verb":"delete","resource":"networkpolicies","action":"status","status":409,"probability":0.3},)"
             R"({"verb":"create","resource":"networkpolicies","action":"truncate","bytes":20,"probability":0.2},)"
             R"({"verb":"update","resource":"networkpolicies","action":"drop","probability":0.2},)"
             R"({"verb":"update","resource":"leases","action":"status","status":500,"probability":0.1},)"
             R"({"verb":"list","action":"status","status":429,"retryAfterSeconds":1,"probability":0.1})");
  SeededRandom random(3);
  add_replica();
  add_replica();
  for (int i = 0; i < 120; ++i) {
    const std::string name = concat("p", random.below(10));
    switch (random.below(4)) {
      case 0: (void)client_->remove(kSources, {"default", name}); break;
      case 1:
        (void)client_->patch(kMade, {"default", "knp.default." + name}, kube::PatchType::kMerge,
                             R"({"spec":{"selector":"v == 'edited'","order":1}})");
        break;
      default: insist(name, random.next() % 1000);
    }
    if (i % 20 == 19) drop_watches(*server_);
  }
  set_faults(*server_, "");
  EXPECT_TRUE(poll_until(seconds(60), [&] { return made_specs() == specs_from_scratch(); })) << logs();
  EXPECT_FALSE(made_specs().empty());
}

INSTANTIATE_TEST_SUITE_P(Servers, FaultyControllersTest, ::testing::Values("memory"),
                         [](const auto& server) { return std::string(server.param); });

INSTANTIATE_TEST_SUITE_P(Servers, ControllersTest, ::testing::Values("memory", "kubernetes"),
                         [](const auto& server) { return std::string(server.param); });

}  // namespace
}  // namespace margay::test
