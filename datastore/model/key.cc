#include "datastore/model/key.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/core/text.h"

namespace margay::model {
namespace {

constexpr std::string_view kCalico = "projectcalico.org/v3";

constexpr std::array kKinds = {
    KindInfo{Kind::kBgpConfiguration, kCalico, "BGPConfiguration", false},
    KindInfo{Kind::kBgpFilter, kCalico, "BGPFilter", false},
    KindInfo{Kind::kBgpPeer, kCalico, "BGPPeer", false},
    KindInfo{Kind::kBlockAffinity, kCalico, "BlockAffinity", false},
    KindInfo{Kind::kCalicoNodeStatus, kCalico, "CalicoNodeStatus", false},
    KindInfo{Kind::kClusterInformation, kCalico, "ClusterInformation", false},
    KindInfo{Kind::kFelixConfiguration, kCalico, "FelixConfiguration", false},
    KindInfo{Kind::kGlobalNetworkPolicy, kCalico, "GlobalNetworkPolicy", false},
    KindInfo{Kind::kGlobalNetworkSet, kCalico, "GlobalNetworkSet", false},
    KindInfo{Kind::kHostEndpoint, kCalico, "HostEndpoint", false},
    KindInfo{Kind::kIpamBlock, kCalico, "IPAMBlock", false},
    KindInfo{Kind::kIpamConfiguration, kCalico, "IPAMConfiguration", false},
    KindInfo{Kind::kIpamHandle, kCalico, "IPAMHandle", false},
    KindInfo{Kind::kIpPool, kCalico, "IPPool", false},
    KindInfo{Kind::kIpReservation, kCalico, "IPReservation", false},
    KindInfo{Kind::kKubeControllersConfiguration, kCalico, "KubeControllersConfiguration", false},
    KindInfo{Kind::kNetworkPolicy, kCalico, "NetworkPolicy", true},
    KindInfo{Kind::kNetworkSet, kCalico, "NetworkSet", true},
    KindInfo{Kind::kProfile, kCalico, "Profile", false},
    KindInfo{Kind::kStagedGlobalNetworkPolicy, kCalico, "StagedGlobalNetworkPolicy", false},
    KindInfo{Kind::kStagedKubernetesNetworkPolicy, kCalico, "StagedKubernetesNetworkPolicy", true},
    KindInfo{Kind::kStagedNetworkPolicy, kCalico, "StagedNetworkPolicy", true},
    KindInfo{Kind::kTier, kCalico, "Tier", false},
    KindInfo{Kind::kWorkloadEndpoint, kCalico, "WorkloadEndpoint", true},
    KindInfo{Kind::kAdminNetworkPolicy, "policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", false},
    KindInfo{Kind::kBaselineAdminNetworkPolicy, "policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy",
             false},
    KindInfo{Kind::kClusterNetworkPolicy, "policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", false},
    KindInfo{Kind::kEndpointSlice, "discovery.k8s.io/v1", "EndpointSlice", true},
    KindInfo{Kind::kEvent, "v1", "Event", true},
    KindInfo{Kind::kKubernetesNetworkPolicy, "networking.k8s.io/v1", "NetworkPolicy", true},
    KindInfo{Kind::kLease, "coordination.k8s.io/v1", "Lease", true},
    KindInfo{Kind::kNamespace, "v1", "Namespace", false},
    KindInfo{Kind::kNode, "v1", "Node", false},
    KindInfo{Kind::kPod, "v1", "Pod", true},
    KindInfo{Kind::kSecret, "v1", "Secret", true},
    KindInfo{Kind::kService, "v1", "Service", true},
    KindInfo{Kind::kServiceAccount, "v1", "ServiceAccount", true},
};

}  // namespace

std::span<const KindInfo> all_kinds() { return kKinds; }

const KindInfo& info(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::string_view old_api_version(Kind kind) {
  return kind == Kind::kEndpointSlice ? "discovery.k8s.io/v1beta1" : std::string_view();
}

std::optional<Kind> find_kind(std::string_view api_version, std::string_view name) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(), [&](const KindInfo& candidate) {
    if (candidate.name != name || api_version.empty()) return false;
    return candidate.api_version == api_version || old_api_version(candidate.kind) == api_version;
  });
  if (found == kKinds.end()) return std::nullopt;
  return found->kind;
}

std::string ObjectKey::to_string() const {
  if (name_space.empty()) return concat(info(kind).name, '/', name);
  return concat(info(kind).name, '/', name_space, '/', name);
}

}  // namespace margay::model
