// visit_kind: from a model::Kind to its struct, for code that treats all kinds alike. Includes every struct of the
// model.
#pragma once

#include "base/core/check.h"
#include "datastore/model/admin_policy.h"
#include "datastore/model/bgp_configuration.h"
#include "datastore/model/bgp_filter.h"
#include "datastore/model/bgp_peer.h"
#include "datastore/model/cluster_information.h"
#include "datastore/model/cluster_policy.h"
#include "datastore/model/controllers_configuration.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/felix_configuration.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/kubernetes_policy.h"
#include "datastore/model/node_status.h"
#include "datastore/model/pod.h"
#include "datastore/model/policy.h"
#include "datastore/model/service.h"

namespace margay::codec {

// Calls visitor(T{}) with the struct of that kind.
template <class Visitor>
auto visit_kind(model::Kind kind, Visitor&& visitor) {
  using model::Kind;
  switch (kind) {
    case Kind::kBgpConfiguration: return visitor(model::BgpConfiguration{});
    case Kind::kBgpFilter: return visitor(model::BgpFilter{});
    case Kind::kBgpPeer: return visitor(model::BgpPeer{});
    case Kind::kBlockAffinity: return visitor(model::BlockAffinity{});
    case Kind::kCalicoNodeStatus: return visitor(model::CalicoNodeStatus{});
    case Kind::kClusterInformation: return visitor(model::ClusterInformation{});
    case Kind::kFelixConfiguration: return visitor(model::FelixConfiguration{});
    case Kind::kGlobalNetworkPolicy: return visitor(model::GlobalNetworkPolicy{});
    case Kind::kGlobalNetworkSet: return visitor(model::GlobalNetworkSet{});
    case Kind::kHostEndpoint: return visitor(model::HostEndpoint{});
    case Kind::kIpamBlock: return visitor(model::IpamBlock{});
    case Kind::kIpamConfiguration: return visitor(model::IpamConfiguration{});
    case Kind::kIpamHandle: return visitor(model::IpamHandle{});
    case Kind::kIpPool: return visitor(model::IpPool{});
    case Kind::kIpReservation: return visitor(model::IpReservation{});
    case Kind::kKubeControllersConfiguration: return visitor(model::KubeControllersConfiguration{});
    case Kind::kNetworkPolicy: return visitor(model::NetworkPolicy{});
    case Kind::kNetworkSet: return visitor(model::NetworkSet{});
    case Kind::kProfile: return visitor(model::Profile{});
    case Kind::kStagedGlobalNetworkPolicy: return visitor(model::StagedGlobalNetworkPolicy{});
    case Kind::kStagedKubernetesNetworkPolicy: return visitor(model::StagedKubernetesNetworkPolicy{});
    case Kind::kStagedNetworkPolicy: return visitor(model::StagedNetworkPolicy{});
    case Kind::kTier: return visitor(model::Tier{});
    case Kind::kWorkloadEndpoint: return visitor(model::WorkloadEndpoint{});
    case Kind::kAdminNetworkPolicy: return visitor(model::AdminNetworkPolicy{});
    case Kind::kBaselineAdminNetworkPolicy: return visitor(model::BaselineAdminNetworkPolicy{});
    case Kind::kClusterNetworkPolicy: return visitor(model::ClusterNetworkPolicy{});
    case Kind::kEndpointSlice: return visitor(model::EndpointSlice{});
    case Kind::kEvent: return visitor(model::Event{});
    case Kind::kKubernetesNetworkPolicy: return visitor(model::KubernetesNetworkPolicy{});
    case Kind::kLease: return visitor(model::Lease{});
    case Kind::kNamespace: return visitor(model::Namespace{});
    case Kind::kNode: return visitor(model::Node{});
    case Kind::kPod: return visitor(model::Pod{});
    case Kind::kSecret: return visitor(model::Secret{});
    case Kind::kService: return visitor(model::Service{});
    case Kind::kServiceAccount: return visitor(model::ServiceAccount{});
  }
  MARGAY_CHECK(!"model::Kind out of range");
}

}  // namespace margay::codec
