#include "controllers/runtime/settings.h"

#include <chrono>
#include <set>
#include <utility>

#include "base/core/text.h"
#include "base/core/time_text.h"

namespace margay::controllers {
namespace {

using model::Switch;

constexpr Duration kReconcilerPeriod = std::chrono::minutes(5);
constexpr Duration kLeakGracePeriod = std::chrono::minutes(15);
constexpr Duration kCompactionPeriod = std::chrono::minutes(10);
constexpr std::uint16_t kMetricsPort = 9094;

// Names of Calico's that have nothing to do here: what they keep is derived wherever it is needed.
const std::set<std::string_view>& idle_controllers() {
  static const std::set<std::string_view> names = {"namespace", "serviceaccount",   "workloadendpoint", "ippool",
                                                   "tier",      "flannelmigration", "policymigration",  "migration"};
  return names;
}

void fill(std::optional<model::PeriodicControllerConfig>& section) {
  if (section && !section->reconciler_period) section->reconciler_period = kReconcilerPeriod;
}

void fill_node(model::NodeControllerConfig& node) {
  if (!node.reconciler_period) node.reconciler_period = kReconcilerPeriod;
  if (!node.sync_labels) node.sync_labels = Switch::kEnabled;
  if (!node.leak_grace_period) node.leak_grace_period = kLeakGracePeriod;
  if (!node.host_endpoint) node.host_endpoint.emplace();
  if (!node.host_endpoint->auto_create) node.host_endpoint->auto_create = Switch::kDisabled;
  if (!node.host_endpoint->create_default_host_endpoint) {
    node.host_endpoint->create_default_host_endpoint = Switch::kEnabled;
  }
}

void fill(model::KubeControllersConfigurationSpec& spec) {
  if (!spec.log_severity_screen) spec.log_severity_screen = model::LogSeverity::kInfo;
  if (!spec.health_checks) spec.health_checks = Switch::kEnabled;
  if (!spec.etcd_v3_compaction_period) spec.etcd_v3_compaction_period = kCompactionPeriod;
  if (!spec.prometheus_metrics_port) spec.prometheus_metrics_port = Port(kMetricsPort);
  model::ControllersConfig& controllers = spec.controllers;
  if (controllers.node) fill_node(*controllers.node);
  for (auto* section :
       {&controllers.policy, &controllers.workload_endpoint, &controllers.service_account, &controllers.name_space}) {
    fill(*section);
  }
  if (controllers.load_balancer && !controllers.load_balancer->assign_ips) {
    controllers.load_balancer->assign_ips = model::AssignIps::kAllServices;
  }
  if (controllers.policy_migration && !controllers.policy_migration->enabled) {
    controllers.policy_migration->enabled = Switch::kEnabled;
  }
}

void enable_all(model::ControllersConfig& controllers) {
  controllers.node.emplace();
  controllers.policy.emplace();
  controllers.workload_endpoint.emplace();
  controllers.service_account.emplace();
  controllers.name_space.emplace();
  controllers.load_balancer.emplace();
}

// One variable after the other, each with what it changes.
class FromEnvironment {
 public:
  FromEnvironment(const Variables& variables, Settings& settings) : variables_(variables), settings_(settings) {}

  void apply() {
    auto& spec = settings_.spec;
    take("ENABLED_CONTROLLERS", [this](std::string_view text) { return enable(text); });
    take("LOG_LEVEL", [&](std::string_view text) {
      const auto level = model::parse_enum<model::LogSeverity>(equals_ignoring_case(text, "warn") ? "Warning" : text);
      // The object has no word for it.
      if (level) spec.log_severity_screen = *level == model::LogSeverity::kTrace ? model::LogSeverity::kDebug : *level;
      return level.has_value();
    });
    take("HEALTH_ENABLED", [&](std::string_view text) { return take_switch(text, spec.health_checks); });
    take("COMPACTION_PERIOD", [&](std::string_view text) { return take_time(text, spec.etcd_v3_compaction_period); });
    take("RECONCILER_PERIOD", [this](std::string_view text) { return reconcile_every(text); });
    take("SYNC_NODE_LABELS", [&](std::string_view text) {
      std::optional<Switch> ignored;
      auto& node = spec.controllers.node;
      return take_switch(text, node ? node->sync_labels : ignored);
    });
    take("AUTO_HOST_ENDPOINTS", [&](std::string_view text) {
      std::optional<Switch> ignored;
      auto& node = spec.controllers.node;
      if (!node) return take_switch(text, ignored);
      if (!node->host_endpoint) node->host_endpoint.emplace();
      return take_switch(text, node->host_endpoint->auto_create);
    });
  }

 private:
  template <class Take>
  void take(std::string_view name, Take take_text) {
    const std::optional<std::string> text = variables_(name);
    if (!text || trim(*text).empty()) return;
    if (take_text(trim(*text))) {
      settings_.environment.set(name, *text);
    } else {
      settings_.problems.push_back(concat(name, ": \"", *text, "\" cannot be used"));
    }
  }

  static bool take_switch(std::string_view text, std::optional<Switch>& into) {
    const bool is_on = equals_ignoring_case(text, "true") || equals_ignoring_case(text, "enabled") || text == "1";
    const bool is_off = equals_ignoring_case(text, "false") || equals_ignoring_case(text, "disabled") || text == "0";
    if (is_on || is_off) into = is_on ? Switch::kEnabled : Switch::kDisabled;
    return is_on || is_off;
  }
  static bool take_time(std::string_view text, std::optional<Duration>& into) {
    const auto parsed = parse_duration(text);
    if (!parsed || *parsed < Duration::zero()) return false;
    into = *parsed;
    return true;
  }

  bool reconcile_every(std::string_view text) {
    std::optional<Duration> period;
    if (!take_time(text, period)) return false;
    model::ControllersConfig& controllers = settings_.spec.controllers;
    if (controllers.node) controllers.node->reconciler_period = period;
    for (auto* section :
         {&controllers.policy, &controllers.workload_endpoint, &controllers.service_account, &controllers.name_space}) {
      if (*section) (*section)->reconciler_period = period;
    }
    return true;
  }

  // Sections that the object has keep their fields.
  bool enable(std::string_view text) {
    model::ControllersConfig& controllers = settings_.spec.controllers;
    const model::ControllersConfig before = std::exchange(controllers, {});
    for (const std::string_view part : split(text, ',')) {
      const std::string name = to_lower(trim(part));
      if (name == "node") {
        controllers.node = before.node.value_or(model::NodeControllerConfig{});
      } else if (name == "policy") {
        controllers.policy = before.policy.value_or(model::PeriodicControllerConfig{});
      } else if (name == "loadbalancer") {
        controllers.load_balancer = before.load_balancer.value_or(model::LoadBalancerControllerConfig{});
      } else if (!name.empty() && !idle_controllers().contains(name)) {
        settings_.problems.push_back(concat("ENABLED_CONTROLLERS: there is no controller ", name));
      }
    }
    return true;
  }

  const Variables& variables_;
  Settings& settings_;
};

}  // namespace

bool Settings::runs(Section section) const {
  switch (section) {
    case Section::kAlways: return true;
    case Section::kNode: return spec.controllers.node.has_value();
    case Section::kPolicy: return spec.controllers.policy.has_value();
    case Section::kLoadBalancer: return spec.controllers.load_balancer.has_value();
  }
  return false;
}

Settings settle(const model::KubeControllersConfigurationSpec* spec, const Variables& variables) {
  Settings settings;
  if (spec != nullptr) settings.spec = *spec;
  model::ControllersConfig& controllers = settings.spec.controllers;
  if (controllers == model::ControllersConfig{}) enable_all(controllers);
  if (!controllers.policy) controllers.policy.emplace();
  FromEnvironment(variables, settings).apply();
  if (!controllers.policy) settings.problems.emplace_back("without the policy controller no NetworkPolicy is enforced");
  fill(settings.spec);
  if (settings.spec.debug_profile_port.value_or(Port(0)) != Port(0)) {
    settings.problems.emplace_back("spec.debugProfilePort: there are no profiles to serve; perf(1) makes them");
  }
  return settings;
}

model::KubeControllersConfigurationSpec default_spec() {
  return settle(nullptr, [](std::string_view) { return std::nullopt; }).spec;
}

}  // namespace margay::controllers
