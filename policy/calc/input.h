// Input: one object of the cluster as it is now, or its absence. Level-based: existence is decided by the value alone;
// deletions may be spurious, values may go back to older ones after a resync, ten updates may come as one.
#pragma once

#include <memory>
#include <variant>

#include "datastore/model/endpoints.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/pod.h"
#include "datastore/model/policy.h"
#include "datastore/model/service.h"

namespace margay::policy {

template <class T>
using Shared = std::shared_ptr<const T>;

// monostate: absent. Nodes are what peers of policies may be, never subjects. Pods, namespaces and service accounts
// become endpoints and profiles here (policy/translate); policies of Kubernetes are translated before, by the
// controllers or by netctl.
using ObjectValue = std::variant<std::monostate, Shared<model::Tier>, Shared<model::NetworkPolicy>,
                                 Shared<model::GlobalNetworkPolicy>, Shared<model::StagedNetworkPolicy>,
                                 Shared<model::StagedGlobalNetworkPolicy>, Shared<model::NetworkSet>,
                                 Shared<model::GlobalNetworkSet>, Shared<model::Profile>, Shared<model::HostEndpoint>,
                                 Shared<model::WorkloadEndpoint>, Shared<model::Pod>, Shared<model::Namespace>,
                                 Shared<model::ServiceAccount>, Shared<model::EndpointSlice>, Shared<model::Node>>;

struct Input {
  model::ObjectKey key;
  ObjectValue value;
};

}  // namespace margay::policy
