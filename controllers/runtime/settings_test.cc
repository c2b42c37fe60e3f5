#include "controllers/runtime/settings.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

namespace margay::controllers {
namespace {

using model::Switch;
using std::chrono::minutes;
using Given = std::map<std::string, std::string, std::less<>>;

Settings settled(const model::KubeControllersConfigurationSpec* spec, const Given& variables) {
  return settle(spec, [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string running(const Settings& settings) {
  std::string out;
  if (settings.runs(Section::kNode)) out += "node ";
  if (settings.runs(Section::kPolicy)) out += "policy ";
  if (settings.runs(Section::kLoadBalancer)) out += "loadbalancer ";
  if (settings.runs(Section::kAlways)) out += "always";
  return out;
}

TEST(Settings, WithoutAnObjectAllRunsWithCalicosDefaults) {
  const Settings settings = settled(nullptr, {});
  EXPECT_EQ(running(settings), "node policy loadbalancer always");
  EXPECT_EQ(settings.spec.log_severity_screen, model::LogSeverity::kInfo);
  EXPECT_EQ(settings.spec.prometheus_metrics_port, Port(9094));
  EXPECT_EQ(settings.spec.health_checks, Switch::kEnabled);
  EXPECT_EQ(settings.spec.controllers.node->leak_grace_period, minutes(15));
  EXPECT_EQ(settings.spec.controllers.node->reconciler_period, minutes(5));
  EXPECT_EQ(settings.spec.controllers.node->sync_labels, Switch::kEnabled);
  EXPECT_EQ(settings.spec.controllers.node->host_endpoint->auto_create, Switch::kDisabled);
  EXPECT_EQ(settings.spec.controllers.load_balancer->assign_ips, model::AssignIps::kAllServices);
  EXPECT_EQ(settings.spec.controllers.policy->reconciler_period, minutes(5));
  EXPECT_TRUE(settings.problems.empty());
  EXPECT_EQ(settings.spec, default_spec());
}

TEST(Settings, SectionsThatAreLeftOutDoNotRunButPolicyDoes) {
  model::KubeControllersConfigurationSpec spec;
  spec.controllers.load_balancer.emplace();
  EXPECT_EQ(running(settled(&spec, {})), "policy loadbalancer always");
  spec = {};
  spec.controllers.node.emplace();
  spec.controllers.node->leak_grace_period = minutes(1);
  const Settings settings = settled(&spec, {});
  EXPECT_EQ(running(settings), "node policy always");
  EXPECT_EQ(settings.spec.controllers.node->leak_grace_period, minutes(1));
}

TEST(Settings, TheEnvironmentComesBeforeTheObject) {
  struct Case {
    const char* name;
    const char* text;
    bool (*holds)(const Settings& settings);
  };
  static constexpr Case kCases[] = {
      {"ENABLED_CONTROLLERS", "node, loadbalancer",
       [](const Settings& s) { return running(s) == "node loadbalancer always" && s.problems.size() == 1; }},
      {"ENABLED_CONTROLLERS", "policy,namespace,serviceaccount,workloadendpoint,node",
       [](const Settings& s) { return running(s) == "node policy always" && s.problems.empty(); }},
      {"ENABLED_CONTROLLERS", "policy,nonsense",
       [](const Settings& s) { return running(s) == "policy always" && s.problems.size() == 1; }},
      {"LOG_LEVEL", "warn",
       [](const Settings& s) { return s.spec.log_severity_screen == model::LogSeverity::kWarning; }},
      {"LOG_LEVEL", "trace",
       [](const Settings& s) { return s.spec.log_severity_screen == model::LogSeverity::kDebug; }},
      {"HEALTH_ENABLED", "false", [](const Settings& s) { return s.spec.health_checks == Switch::kDisabled; }},
      {"RECONCILER_PERIOD", "1m",
       [](const Settings& s) {
         return s.spec.controllers.policy->reconciler_period == minutes(1) &&
                s.spec.controllers.node->reconciler_period == minutes(1);
       }},
      {"COMPACTION_PERIOD", "0",
       [](const Settings& s) { return s.spec.etcd_v3_compaction_period == Duration::zero(); }},
      {"SYNC_NODE_LABELS", "false",
       [](const Settings& s) { return s.spec.controllers.node->sync_labels == Switch::kDisabled; }},
      {"AUTO_HOST_ENDPOINTS", "enabled",
       [](const Settings& s) { return s.spec.controllers.node->host_endpoint->auto_create == Switch::kEnabled; }},
  };
  model::KubeControllersConfigurationSpec spec = default_spec();
  for (const Case& each : kCases) {
    const Settings settings = settled(&spec, {{each.name, each.text}});
    EXPECT_TRUE(each.holds(settings)) << each.name << "=" << each.text;
    EXPECT_EQ(settings.environment.get(each.name), each.text);
  }
}

TEST(Settings, WhatCannotBeReadIsNamedAndIgnored) {
  for (const char* name : {"LOG_LEVEL", "HEALTH_ENABLED", "RECONCILER_PERIOD", "COMPACTION_PERIOD", "SYNC_NODE_LABELS",
                           "AUTO_HOST_ENDPOINTS"}) {
    const Settings settings = settled(nullptr, {{name, "-nonsense"}});
    EXPECT_EQ(settings.spec, default_spec()) << name;
    ASSERT_EQ(settings.problems.size(), 1U) << name;
    EXPECT_NE(settings.problems[0].find(name), std::string::npos);
    EXPECT_TRUE(settings.environment.empty());
  }
  EXPECT_EQ(settled(nullptr, {{"LOG_LEVEL", " "}}), settled(nullptr, {}));
}

}  // namespace
}  // namespace margay::controllers
