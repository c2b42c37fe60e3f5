// Kubernetes objects as objects of projectcalico.org/v3: what the controllers write, and what agent, netctl and
// controllers derive wherever they need it (profiles and workload endpoints are never stored for pods).
//
// Pure; any thread. Names, orders, tiers and labels are Calico's exactly, so that both products agree on one cluster.
// What cannot be translated is answered with an error for each rule, and fails closed: an Allow is left out, a Deny or
// Pass matches everything. Sources: Kubernetes documentation "Network Policies"; network-policy-api.sigs.k8s.io.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/field_error.h"
#include "base/core/result.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/kubernetes_policy.h"
#include "datastore/model/pod.h"
#include "datastore/model/policy.h"
#include "datastore/selector/selector.h"

namespace margay::policy {

template <class T>
struct Translated {
  T object;
  std::vector<FieldError> errors;  // what was left out or made to fail closed, by field of the source
};

// A selector over the labels of pods, in the language of projectcalico.org/v3. With a prefix (pcns., pcsa.) over those
// that endpoints inherit. Empty terms select everything.
std::string selector_of(const model::LabelTerms& terms, std::string_view label_prefix = {});

// networking.k8s.io/v1: tier default, order 1000. The server's defaulting of policyTypes is done here too.
Translated<model::NetworkPolicy> from_kubernetes(const model::KubernetesNetworkPolicy& policy);
Translated<model::StagedNetworkPolicy> from_kubernetes(const model::StagedKubernetesNetworkPolicy& policy);
// policy.networking.k8s.io: tiers kube-admin and kube-baseline, order = priority.
// A policy that does not say whom it is for gets the selector !all() and no rules.
Translated<model::GlobalNetworkPolicy> from_kubernetes(const model::ClusterNetworkPolicy& policy);
Translated<model::GlobalNetworkPolicy> from_kubernetes(const model::AdminNetworkPolicy& policy);
Translated<model::GlobalNetworkPolicy> from_kubernetes(const model::BaselineAdminNetworkPolicy& policy);

// kns.<name>: allows both directions; labels pcns.….
model::Profile profile_of(const model::Namespace& name_space);
// ksa.<namespace>.<name>: no rules; labels pcsa.….
model::Profile profile_of(const model::ServiceAccount& account);

// Null for pods that policy does not know: on the host's network, not scheduled, without an address (the status first,
// as Calico does; before that is written, annotations cni.projectcalico.org/podIPs and podIP), finished; and for pods
// with annotations that cannot be read. Ports of all init containers count, as in Calico.
std::optional<model::WorkloadEndpoint> endpoint_of(const model::Pod& pod);
// The same for a container of the pod that has these addresses, or none yet, whatever the pod says of it.
std::optional<model::WorkloadEndpoint> endpoint_of(const model::Pod& pod, std::string_view container,
                                                   const std::vector<IpPrefix>& addresses);

// The host's end of the pod's veth pair: `prefix` and 11 digits of SHA-1.
std::string interface_name_of(std::string_view name_space, std::string_view pod, std::string_view prefix = "cali");

}  // namespace margay::policy
