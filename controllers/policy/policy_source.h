// PolicySource<T>: a policy of Kubernetes as it could be read, such that its translation fails closed where it could
// not. An object that counts as absent would take its translation away with it, and what it denied would be allowed.
//
//   rules that cannot be read      allow nothing; deny or pass on everything (their peers are made untranslatable)
//   whom a NetworkPolicy is for    every pod of its namespace; in which directions: in both
//   what else says where an admin's policy applies    it applies to nothing, as its rules may allow or deny
//
// Pure. T is KubernetesNetworkPolicy, StagedKubernetesNetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy or
// BaselineAdminNetworkPolicy.
#pragma once

#include "base/core/field_error.h"
#include "base/json/view.h"

namespace margay::controllers {

template <class T>
struct PolicySource {
  T object;
  FieldErrors errors;  // of its spec
  friend bool operator==(const PolicySource&, const PolicySource&) = default;
};

// A decoder for watches: there is nothing that it refuses.
template <class T>
FieldErrors read_source(json::View object, PolicySource<T>& out);

// What there is to be told: `translated`, but for rules of which `read` says it already.
FieldErrors errors_of(const FieldErrors& read, const FieldErrors& translated);

}  // namespace margay::controllers
