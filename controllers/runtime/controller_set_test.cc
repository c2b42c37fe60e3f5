// Controllers that come and go as KubeControllersConfiguration says, against an API server in memory.
#include "controllers/runtime/controller_set.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/json/yaml.h"
#include "base/loop/sim_loop.h"
#include "controllers/runtime/settings_keeper.h"
#include "datastore/model/kubernetes.h"
#include "test/support/fake_kube_client.h"

namespace margay::controllers {
namespace {

using model::Kind;
using std::chrono::seconds;
using Strings = std::vector<std::string>;

// Remembers what it was told.
class Witness final : public Controller {
 public:
  struct Seen {
    std::set<std::string> names;
    std::optional<Duration> leak_grace_period;
    bool is_leading = false;
    int lives = 0;
  };
  Witness(Seen& seen, watch::ClusterWatch& cluster) : seen_(seen) {
    ++seen_.lives;
    cluster.add<model::Namespace>(
        {}, {[this](const model::ObjectKey& key, const std::shared_ptr<const model::Namespace>& object) {
          object == nullptr ? (void)seen_.names.erase(key.name) : (void)seen_.names.insert(key.name);
        }});
  }
  ~Witness() override { seen_.names.clear(); }
  void configure(const Settings& settings) override {
    const auto& node = settings.spec.controllers.node;
    seen_.leak_grace_period = node ? node->leak_grace_period : std::nullopt;
  }
  void on_turn(bool) override {}
  void lead(bool is_leading) override { seen_.is_leading = is_leading; }
  [[nodiscard]] bool is_settled() const override { return true; }

 private:
  Seen& seen_;
};

class ControllerSetTest : public ::testing::Test {
 protected:
  ControllerSetTest() {
    client_.put(watch::resource_of(Kind::kNamespace), {"", "a"});
    set_.emplace(
        ControllerParts{{loop_, client_, random_}, events_, metrics_}, watch::WatchEnvironment{loop_, random_, client_},
        std::vector<ControllerEntry>{entry("node", Section::kNode, node_), entry("always", Section::kAlways, always_)});
    keeper_.emplace(
        WriterParts{loop_, client_, random_}, watch::WatchEnvironment{loop_, random_, client_},
        [](std::string_view) { return std::nullopt; }, [this](const Settings& settings) { set_->apply(settings); });
  }
  static ControllerEntry entry(std::string name, Section section, Witness::Seen& seen) {
    return {std::move(name), section, [&seen](const ControllerParts&, watch::ClusterWatch& cluster) {
              return std::make_unique<Witness>(seen, cluster);
            }};
  }
  void put(std::string_view yaml) {
    json::Value object = json::parse_yaml(yaml)->at(0).value;
    client_.put(kType, {"", "default"}, std::move(object));
    loop_.advance(seconds(2));
  }

  const kube::ResourceType kType = watch::resource_of(Kind::kKubeControllersConfiguration);
  loop::SimLoop loop_;
  SeededRandom random_{1};
  test::FakeKubeClient client_{loop_, random_};
  telemetry::Registry metrics_;
  EventGate events_{{loop_, random_, client_}};
  Witness::Seen node_, always_;
  std::optional<ControllerSet> set_;
  std::optional<SettingsKeeper> keeper_;
};

TEST_F(ControllerSetTest, ControllersComeAndGoAndAreConfiguredWithoutARestart) {
  keeper_->start();
  set_->lead(true);
  put("spec: {controllers: {node: {leakGracePeriod: 1m}}}");
  EXPECT_EQ(set_->running(), (Strings{"node", "always"}));
  EXPECT_EQ(node_.leak_grace_period, std::chrono::minutes(1));
  EXPECT_TRUE(node_.is_leading);
  EXPECT_EQ(node_.names, std::set<std::string>{"a"});
  EXPECT_TRUE(set_->is_in_sync());

  put("spec: {controllers: {node: {leakGracePeriod: 2m}}}");
  EXPECT_EQ(node_.leak_grace_period, std::chrono::minutes(2));
  EXPECT_EQ(node_.lives, 1) << "a setting needs no new life";

  put("spec: {controllers: {policy: {}}}");
  EXPECT_EQ(set_->running(), Strings{"always"});
  EXPECT_TRUE(node_.names.empty());
  EXPECT_EQ(always_.names, std::set<std::string>{"a"});
  EXPECT_TRUE(always_.is_leading);

  put("spec: {controllers: {node: {}}}");
  EXPECT_EQ(node_.lives, 2);
  EXPECT_EQ(node_.names, std::set<std::string>{"a"});
  client_.put(watch::resource_of(Kind::kNamespace), {"", "b"});
  loop_.advance(seconds(2));
  EXPECT_EQ(node_.names, (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(always_.names, node_.names);
}

TEST_F(ControllerSetTest, AKindThatTwoControllersLookAtIsWatchedOnce) {
  keeper_->start();
  loop_.advance(seconds(2));
  EXPECT_EQ(set_->running().size(), 2U);
  EXPECT_EQ(client_.watch_count(), 2U) << "namespaces, and the settings";
}

TEST_F(ControllerSetTest, TheObjectIsMadeAndAnsweredOnceByWhoLeads) {
  keeper_->start();
  loop_.advance(seconds(5));
  EXPECT_TRUE(client_.objects(kType).empty()) << "it does not lead";
  keeper_->lead(true);
  loop_.advance(seconds(5));
  ASSERT_EQ(client_.objects(kType).size(), 1U);
  const json::Value made = client_.objects(kType).begin()->second;
  EXPECT_EQ(made.string_at({"spec", "controllers", "loadBalancer", "assignIPs"}), "AllServices");
  EXPECT_EQ(made.string_at({"status", "runningConfig", "controllers", "node", "leakGracePeriod"}), "15m0s");
  const std::int64_t before = client_.revision();
  loop_.advance(std::chrono::minutes(10));
  EXPECT_EQ(client_.revision(), before);

  put("spec: {logSeverityScreen: Debug, controllers: {node: {}}}");
  const json::Value after = client_.objects(kType).begin()->second;
  EXPECT_EQ(after.string_at({"status", "runningConfig", "logSeverityScreen"}), "Debug");
  EXPECT_EQ(after.string_at({"status", "runningConfig", "controllers", "loadBalancer", "assignIPs"}), "");
}

TEST_F(ControllerSetTest, AServerThatFailsIsAskedAgain) {
  client_.faults.call_fails = 0.7;
  client_.faults.watch_is_cut = 0.2;
  keeper_->lead(true);
  keeper_->start();
  loop_.advance(std::chrono::minutes(10));
  ASSERT_EQ(client_.objects(kType).size(), 1U);
  EXPECT_EQ(client_.objects(kType).begin()->second.string_at({"status", "runningConfig", "healthChecks"}), "Enabled");
}

}  // namespace
}  // namespace margay::controllers
