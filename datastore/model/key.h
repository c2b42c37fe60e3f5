// Kind: the kinds of objects Margay has a struct for; each struct says its own as kKind. ObjectKey: what an object is
// found by.
#pragma once

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace margay::model {

enum class Kind {
  // projectcalico.org/v3
  kBgpConfiguration,
  kBgpFilter,
  kBgpPeer,
  kBlockAffinity,
  kCalicoNodeStatus,
  kClusterInformation,
  kFelixConfiguration,
  kGlobalNetworkPolicy,
  kGlobalNetworkSet,
  kHostEndpoint,
  kIpamBlock,
  kIpamConfiguration,
  kIpamHandle,
  kIpPool,
  kIpReservation,
  kKubeControllersConfiguration,
  kNetworkPolicy,
  kNetworkSet,
  kProfile,
  kStagedGlobalNetworkPolicy,
  kStagedKubernetesNetworkPolicy,
  kStagedNetworkPolicy,
  kTier,
  kWorkloadEndpoint,
  // Kubernetes
  kAdminNetworkPolicy,
  kBaselineAdminNetworkPolicy,
  kClusterNetworkPolicy,
  kEndpointSlice,
  kEvent,
  kKubernetesNetworkPolicy,
  kLease,
  kNamespace,
  kNode,
  kPod,
  kSecret,
  kService,
  kServiceAccount,
};

struct KindInfo {
  Kind kind;
  std::string_view api_version;  // "projectcalico.org/v3", "v1"
  std::string_view name;         // as in the object's `kind`
  bool is_namespaced;
};

// In the order of the enumerators.
std::span<const KindInfo> all_kinds();
const KindInfo& info(Kind kind);
std::optional<Kind> find_kind(std::string_view api_version, std::string_view name);

struct ObjectKey {
  Kind kind = Kind::kNode;
  std::string name_space;  // "" for cluster-scoped kinds
  std::string name;

  // "IPPool/a", "NetworkPolicy/default/a"
  [[nodiscard]] std::string to_string() const;
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

}  // namespace margay::model
