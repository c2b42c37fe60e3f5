// How Calico names what it makes of Kubernetes objects. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "datastore/model/meta.h"

namespace margay::policy {

inline constexpr std::string_view kKubernetesPolicyPrefix = "knp.default.";
inline constexpr std::string_view kClusterAdminPrefix = "kcnp.kube-admin.";
inline constexpr std::string_view kClusterBaselinePrefix = "kcnp.kube-baseline.";
inline constexpr std::string_view kAdminPolicyPrefix = "kanp.adminnetworkpolicy.";
inline constexpr std::string_view kBaselineAdminPolicyPrefix = "kbanp.baselineadminnetworkpolicy.";

inline constexpr std::string_view kNamespaceProfilePrefix = "kns.";
inline constexpr std::string_view kServiceAccountProfilePrefix = "ksa.";
inline constexpr std::string_view kNamespaceLabelPrefix = "pcns.";
inline constexpr std::string_view kServiceAccountLabelPrefix = "pcsa.";
// Of a namespace or service account, with the prefix: its name.
inline constexpr std::string_view kNameLabel = "projectcalico.org/name";

inline constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";
inline constexpr std::string_view kOrchestratorLabel = "projectcalico.org/orchestrator";
inline constexpr std::string_view kServiceAccountLabel = "projectcalico.org/serviceaccount";
inline constexpr std::string_view kKubernetesOrchestrator = "k8s";

// What a selector of a rule begins with that is about nodes, not endpoints: projectcalico.org/kind == 'Node' && …
inline constexpr std::string_view kKindLabel = "projectcalico.org/kind";
inline constexpr std::string_view kNodeKind = "Node";

// The UID of what is made of the object with this UID: the bits of each byte in reverse order, but for
// the two that hold version and variant. A text that is no UID is returned as it is.
std::string derived_uid(std::string_view uid);

// Metadata of what is made of an object: its namespace, and UID and name as above.
model::ObjectMeta derived_metadata(const model::ObjectMeta& from, std::string_view name_prefix);

}  // namespace margay::policy
