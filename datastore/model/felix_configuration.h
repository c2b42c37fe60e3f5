// FelixConfiguration (projectcalico.org/v3): settings of the agent. The object "default" is for all nodes; one with a
// nodeSelector overrides it for the nodes it picks; "node.NAME" for one node, field by field. An absent field leaves
// the matter to the wider object, then to the default. The name is that of Calico's agent.
//
// All parts stand side by side in the object's spec; here they are grouped by what reads them.
#pragma once

#include <string>

#include "datastore/model/felix_bpf.h"
#include "datastore/model/felix_host.h"
#include "datastore/model/felix_netfilter.h"
#include "datastore/model/felix_process.h"
#include "datastore/model/felix_reporting.h"
#include "datastore/model/felix_routes.h"
#include "datastore/model/felix_tunnels.h"
#include "datastore/model/meta.h"

namespace margay::model {

struct FelixConfigurationSpec {
  std::string node_selector;
  FelixProcess process;
  FelixHost host;
  FelixNetfilter netfilter;
  FelixRoutes routes;
  FelixTunnels tunnels;
  FelixBpf bpf;
  FelixReporting reporting;

  friend bool operator==(const FelixConfigurationSpec&, const FelixConfigurationSpec&) = default;
};

struct FelixConfiguration {
  static constexpr Kind kKind = Kind::kFelixConfiguration;

  ObjectMeta metadata;
  FelixConfigurationSpec spec;
  ConditionsStatus status;

  friend bool operator==(const FelixConfiguration&, const FelixConfiguration&) = default;
};

}  // namespace margay::model
