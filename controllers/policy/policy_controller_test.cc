#include "controllers/policy/policy_controller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/core/text.h"
#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

json::Value yaml(std::string_view text) { return json::parse_yaml(text)->at(0).value; }

std::string text(const json::Value& object, std::initializer_list<const char*> path) {
  const json::Value* at = &object;
  for (const char* name : path) {
    at = at->find(name);
    if (at == nullptr) return "absent";
  }
  const std::string* const out = at->as_string();
  return out == nullptr ? "no text" : *out;
}

constexpr std::string_view kAllowWeb = R"(
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 80}]}]
)";

// Twice the program, without its sockets.
class Controllers {
 public:
  Controllers(loop::Loop& loop, Random& random, kube::Client& client)
      : events_({loop, random, client}),
        cluster_({loop, random, client}, [this](bool is_in_sync) { policies_->on_turn(is_in_sync); }),
        policies_(std::in_place, WriterParts{loop, client, random}, cluster_, events_) {
    events_.lead(true);
    cluster_.start();
  }
  PolicyController& policies() { return *policies_; }

 private:
  EventGate events_;
  watch::ClusterWatch cluster_;
  std::optional<PolicyController> policies_;
};

class PolicyControllerTest : public ::testing::Test {
 protected:
  void start() {
    controllers_.emplace(loop_, random_, client_);
    controllers_->policies().lead(true);
    settle();
  }
  void settle() { loop_.advance(seconds(2)); }
  void put(Kind kind, const kube::ObjectName& name, std::string_view text) {
    client_.put(watch::resource_of(kind), name, yaml(text));
  }
  std::optional<json::Value> get(Kind kind, const kube::ObjectName& name) {
    const auto objects = client_.objects(watch::resource_of(kind));
    const auto found = objects.find(name);
    if (found == objects.end()) return std::nullopt;
    return found->second;
  }
  // The condition; an empty object when it is not there.
  json::Value accepted(Kind kind, const kube::ObjectName& name) {
    const auto object = get(kind, name);
    const json::Value* all = object ? object->find({"status", "conditions"}) : nullptr;
    if (all == nullptr) return json::Object{};
    for (const json::Value& each : *all->as_array()) {
      if (each.string_at({"type"}) == kAcceptedCondition) return each;
    }
    return json::Object{};
  }
  int writes() { return client_.requests("create") + client_.requests("update") + client_.requests("delete"); }

  static inline const kube::ObjectName kSource{"shop", "web"};
  static inline const kube::ObjectName kMade{"shop", "knp.default.web"};
  loop::SimLoop loop_;
  SeededRandom random_{7};
  test::FakeKubeClient client_{loop_, random_};
  std::optional<Controllers> controllers_;
};

TEST_F(PolicyControllerTest, APolicyIsTranslatedAndOwnedByItsSource) {
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  start();
  const auto made = get(Kind::kNetworkPolicy, kMade);
  ASSERT_TRUE(made);
  EXPECT_EQ(text(*made, {"spec", "tier"}), "default");
  EXPECT_THAT(text(*made, {"spec", "selector"}), HasSubstr("app == 'web'"));
  const json::Value& owner = made->find("metadata")->find("ownerReferences")->as_array()->front();
  EXPECT_EQ(text(owner, {"kind"}), "NetworkPolicy");
  EXPECT_EQ(text(owner, {"apiVersion"}), "networking.k8s.io/v1");
  EXPECT_EQ(text(owner, {"uid"}), text(*get(Kind::kKubernetesNetworkPolicy, kSource), {"metadata", "uid"}));
}

TEST_F(PolicyControllerTest, ARestartWritesNothing) {
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  start();
  const int before = writes();
  controllers_.reset();
  start();
  EXPECT_EQ(writes(), before);
}

TEST_F(PolicyControllerTest, WhatIsMadeIsRepairedAndGoesWithItsSource) {
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  start();
  json::Value edited = *get(Kind::kNetworkPolicy, kMade);
  edited["spec"]["selector"] = "all()";
  edited["metadata"]["annotations"]["note"] = "mine";
  client_.put(watch::resource_of(Kind::kNetworkPolicy), kMade, edited);
  settle();
  const auto repaired = get(Kind::kNetworkPolicy, kMade);
  EXPECT_THAT(text(*repaired, {"spec", "selector"}), HasSubstr("app == 'web'"));
  EXPECT_NE(repaired->find("metadata")->find("annotations"), nullptr) << "what says nothing about it stays";
  client_.erase(watch::resource_of(Kind::kNetworkPolicy), kMade);
  settle();
  EXPECT_TRUE(get(Kind::kNetworkPolicy, kMade)) << "and when it was deleted";
  client_.erase(watch::resource_of(Kind::kKubernetesNetworkPolicy), kSource);
  settle();
  EXPECT_FALSE(get(Kind::kNetworkPolicy, kMade));
}

TEST_F(PolicyControllerTest, AChangeWritesOneObject) {
  for (int i = 0; i < 20; ++i) {
    put(Kind::kKubernetesNetworkPolicy, {"shop", "p" + std::to_string(i)}, kAllowWeb);
  }
  start();
  const int before = writes();
  put(Kind::kKubernetesNetworkPolicy, {"shop", "p3"}, "spec: {podSelector: {}}");
  settle();
  EXPECT_EQ(writes(), before + 1);
}

TEST_F(PolicyControllerTest, APolicyOfAUserIsNeverTouched) {
  put(Kind::kNetworkPolicy, kMade, "spec: {selector: 'a == \"b\"'}");
  put(Kind::kNetworkPolicy, {"shop", "own"}, "spec: {selector: 'a == \"c\"'}");
  const json::Value theirs = *get(Kind::kNetworkPolicy, kMade);
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  start();
  EXPECT_EQ(*get(Kind::kNetworkPolicy, kMade), theirs);
  const auto events = client_.objects(watch::resource_of(Kind::kEvent));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_THAT(text(events.begin()->second, {"message"}), HasSubstr("knp.default.web that is not ours"));
  client_.erase(watch::resource_of(Kind::kNetworkPolicy), kMade);
  loop_.advance(seconds(60));
  EXPECT_TRUE(get(Kind::kNetworkPolicy, kMade)) << "once the name is free";
  EXPECT_TRUE(get(Kind::kNetworkPolicy, {"shop", "own"}));
}

TEST_F(PolicyControllerTest, WhatCannotBeTranslatedIsToldOnTheSource) {
  put(Kind::kKubernetesNetworkPolicy, kSource, R"(
spec: {podSelector: {}, ingress: [{from: [{}]}]}
)");
  start();
  ASSERT_TRUE(get(Kind::kNetworkPolicy, kMade)) << "it denies";
  const auto events = client_.objects(watch::resource_of(Kind::kEvent));
  ASSERT_EQ(events.size(), 1U);
  const json::Value& event = events.begin()->second;
  EXPECT_EQ(text(event, {"reason"}), "PolicyNotHonoured");
  EXPECT_EQ(text(event, {"involvedObject", "name"}), "web");
  EXPECT_THAT(text(event, {"message"}), HasSubstr("from[0]"));
  // NetworkPolicy of Kubernetes has no status: it stands on what is made of it, beside what others say there.
  json::Value said = accepted(Kind::kNetworkPolicy, kMade);
  EXPECT_EQ(text(said, {"status"}), "False");
  EXPECT_THAT(text(said, {"message"}), HasSubstr("from[0]"));
  json::Value made = *get(Kind::kNetworkPolicy, kMade);
  made["status"]["conditions"].as_array()->push_back(yaml("{type: Programmed, status: 'True', reason: A, message: b}"));
  client_.put(watch::resource_of(Kind::kNetworkPolicy), kMade, made);
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  settle();
  EXPECT_EQ(text(accepted(Kind::kNetworkPolicy, kMade), {"status"}), "True");
  EXPECT_EQ(get(Kind::kNetworkPolicy, kMade)->find({"status", "conditions"})->as_array()->size(), 2U);
}

TEST_F(PolicyControllerTest, WhatCannotBeReadAnyMoreStaysAndIsClosed) {
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  start();
  // kube-apiserver takes leading zeros.
  put(Kind::kKubernetesNetworkPolicy, kSource, R"(
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]}
)");
  settle();
  const auto made = get(Kind::kNetworkPolicy, kMade);
  ASSERT_TRUE(made) << "without it everything would be allowed";
  EXPECT_THAT(text(*made, {"spec", "selector"}), HasSubstr("app == 'web'"));
  EXPECT_EQ(made->find({"spec", "ingress"}), nullptr);
  EXPECT_THAT(text(accepted(Kind::kNetworkPolicy, kMade), {"message"}), HasSubstr("spec.ingress[0].from[0].ipBlock"));
  EXPECT_EQ(client_.objects(watch::resource_of(Kind::kEvent)).size(), 1U);
}

TEST_F(PolicyControllerTest, PoliciesWithAStatusSayThemselvesWhatIsNotHonoured) {
  const auto policy = [](std::string_view peer) {
    return concat("spec: {priority: 5, subject: {namespaces: {}}, egress: [{action: Deny, to: [", peer, "]}]}");
  };
  put(Kind::kAdminNetworkPolicy, {"", "good"}, policy("{namespaces: {}}"));
  put(Kind::kAdminNetworkPolicy, {"", "names"}, policy("{domainNames: [example.com]}"));
  put(Kind::kAdminNetworkPolicy, {"", "taken"}, policy("{namespaces: {}}"));
  put(Kind::kGlobalNetworkPolicy, {"", "kanp.adminnetworkpolicy.taken"}, "spec: {selector: all()}");
  start();
  loop_.advance(seconds(10));
  EXPECT_EQ(get(Kind::kAdminNetworkPolicy, {"", "good"})->find("status"), nullptr) << "nothing is to be said";
  const json::Value names = accepted(Kind::kAdminNetworkPolicy, {"", "names"});
  EXPECT_EQ(text(names, {"status"}), "False");
  EXPECT_THAT(text(names, {"message"}), HasSubstr("spec.egress[0].to[0].domainNames"));
  EXPECT_THAT(text(accepted(Kind::kAdminNetworkPolicy, {"", "taken"}), {"message"}), HasSubstr("not ours"));
  client_.erase(watch::resource_of(Kind::kGlobalNetworkPolicy), {"", "kanp.adminnetworkpolicy.taken"});
  loop_.advance(seconds(60));
  EXPECT_EQ(text(accepted(Kind::kAdminNetworkPolicy, {"", "taken"}), {"status"}), "True") << "once the name is free";
  const int before = writes() + client_.requests("patch");
  controllers_.reset();
  start();
  EXPECT_EQ(writes() + client_.requests("patch"), before + 1) << "an Event, and nothing that is said already";
}

TEST_F(PolicyControllerTest, ClusterPoliciesBecomeGlobalOnes) {
  constexpr std::string_view kSubject = "subject: {namespaces: {}}";
  put(Kind::kAdminNetworkPolicy, {"", "a"}, concat("spec: {priority: 5, ", kSubject, "}"));
  put(Kind::kBaselineAdminNetworkPolicy, {"", "default"}, concat("spec: {", kSubject, "}"));
  put(Kind::kClusterNetworkPolicy, {"", "c"}, concat("spec: {tier: Admin, priority: 5, ", kSubject, "}"));
  start();
  EXPECT_TRUE(get(Kind::kGlobalNetworkPolicy, {"", "kanp.adminnetworkpolicy.a"}));
  EXPECT_TRUE(get(Kind::kGlobalNetworkPolicy, {"", "kbanp.baselineadminnetworkpolicy.default"}));
  EXPECT_TRUE(get(Kind::kGlobalNetworkPolicy, {"", "kcnp.kube-admin.c"}));
  put(Kind::kClusterNetworkPolicy, {"", "c"}, concat("spec: {tier: Baseline, priority: 5, ", kSubject, "}"));
  settle();
  EXPECT_FALSE(get(Kind::kGlobalNetworkPolicy, {"", "kcnp.kube-admin.c"})) << "its tier is part of its name";
  EXPECT_TRUE(get(Kind::kGlobalNetworkPolicy, {"", "kcnp.kube-baseline.c"}));
}

TEST_F(PolicyControllerTest, WhoDoesNotLeadWritesNothing) {
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  controllers_.emplace(loop_, random_, client_);
  settle();
  EXPECT_EQ(writes(), 0);
  controllers_->policies().lead(true);
  settle();
  EXPECT_EQ(writes(), 1);
}

// The watch is away while it is made and removed again: no event will ever tell.
TEST_F(PolicyControllerTest, WhatIsGoneBeforeItWasSeenIsMadeAgain) {
  start();
  put(Kind::kKubernetesNetworkPolicy, kSource, kAllowWeb);
  const kube::ResourceType made = watch::resource_of(Kind::kNetworkPolicy);
  for (int i = 0; i < 100 && client_.objects(made).empty(); ++i) {
    // Its watch cannot come back; that of the sources can.
    client_.on_request = [](std::string_view verb, const kube::ResourceType& type) -> std::optional<kube::ApiError> {
      const bool is_refused = (verb == "watch" || verb == "list") && type.group == "projectcalico.org";
      if (!is_refused) return std::nullopt;
      return kube::ApiError{.code = ErrorCode::kGone, .message = "gone", .http_status = 410};
    };
    client_.end_watches(kube::ApiError{.code = ErrorCode::kGone, .message = "gone", .http_status = 410});
    settle();
  }
  ASSERT_EQ(client_.objects(made).size(), 1U);
  ASSERT_TRUE(client_.erase(made, client_.objects(made).begin()->first));
  client_.on_request = {};
  loop_.advance(seconds(90));
  EXPECT_EQ(client_.objects(made).size(), 1U);
}

// Two replicas, of which one leads for a while and then dies; a server that fails; users who edit what is ours.
TEST_F(PolicyControllerTest, WhateverHappenedTheEndIsAsFromScratch) {
  const kube::ResourceType sources = watch::resource_of(Kind::kKubernetesNetworkPolicy);
  const kube::ResourceType made = watch::resource_of(Kind::kNetworkPolicy);
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    loop::SimLoop loop;
    SeededRandom random(seed);
    test::FakeKubeClient client(loop, random);
    client.faults.call_fails = 0.1;
    client.faults.watch_is_cut = 0.05;
    client.faults.watch_is_gone = 0.1;
    client.faults.event_is_doubled = 0.1;
    client.faults.answer_delay_max = milliseconds(50);
    auto leader = std::make_unique<Controllers>(loop, random, client);
    leader->policies().lead(true);
    for (int i = 0; i < 120; ++i) {
      const kube::ObjectName name{"n" + std::to_string(random.below(2)), "p" + std::to_string(random.below(6))};
      switch (random.below(6)) {
        case 0: client.erase(sources, name); break;
        case 1: client.erase(made, {name.name_space, "knp.default." + name.name}); break;
        case 2:
          leader = std::make_unique<Controllers>(loop, random, client);
          leader->policies().lead(true);
          break;
        default:
          client.put(sources, name,
                     yaml("spec: {podSelector: {matchLabels: {v: '" + std::to_string(random.below(9)) + "'}}}"));
      }
      loop.advance(milliseconds(static_cast<int>(random.below(400))));
    }
    client.faults = {};
    loop.advance(seconds(120));
    std::map<kube::ObjectName, std::string> wanted, found;
    for (const auto& [name, object] : client.objects(sources)) {
      wanted[{name.name_space, "knp.default." + name.name}] = text(object, {"spec", "podSelector", "matchLabels", "v"});
    }
    for (const auto& [name, object] : client.objects(made)) {
      const std::string selector = text(object, {"spec", "selector"});
      const std::size_t at = selector.find("v == '");
      found[name] = at == std::string::npos ? selector : selector.substr(at + 6, 1);
    }
    EXPECT_EQ(found, wanted) << "seed " << seed << ", as the controller sees it " << leader->policies().wanted_count();
    EXPECT_TRUE(leader->policies().is_settled());
  }
}

}  // namespace
}  // namespace margay::controllers
