// Settings: what is in force of KubeControllersConfiguration, the environment and the defaults. Pure.
//
// The environment, with calico-kube-controllers' names, comes before the object: ENABLED_CONTROLLERS, LOG_LEVEL,
// HEALTH_ENABLED, RECONCILER_PERIOD, COMPACTION_PERIOD, SYNC_NODE_LABELS, AUTO_HOST_ENDPOINTS.
//
// Which controllers run: those of ENABLED_CONTROLLERS; without it, those that spec.controllers has a section for; when
// it has none at all, all. The policy controller runs unless ENABLED_CONTROLLERS leaves it out: a NetworkPolicy that
// nobody translates would allow everything (D-059).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/string_map.h"
#include "datastore/model/controllers_configuration.h"

namespace margay::controllers {

// Of spec.controllers.
enum class Section { kAlways, kNode, kPolicy, kLoadBalancer };

struct Settings {
  // Every field that has a default is set; a section that is absent is of a controller that does not run.
  model::KubeControllersConfigurationSpec spec;
  StringMap environment;              // variables that came before the object
  std::vector<std::string> problems;  // what cannot be honoured, for people

  [[nodiscard]] bool runs(Section section) const;
  friend bool operator==(const Settings&, const Settings&) = default;
};

// nullopt: not set.
using Variables = std::function<std::optional<std::string>(std::string_view name)>;

// `spec` nullptr: there is no object.
Settings settle(const model::KubeControllersConfigurationSpec* spec, const Variables& variables);

// What is written where there is no object: every setting with its default, as Calico does it.
model::KubeControllersConfigurationSpec default_spec();

}  // namespace margay::controllers
