// The rules of Calico and Kubernetes that hold between the fields of one object, and on names: what neither the type of
// a field nor its schema (crds/) can say. What is known only by looking at other objects (pools that overlap) is not
// here.
//
// Pure; any thread.
#pragma once

#include "base/core/field_error.h"
#include "base/json/value.h"
#include "base/json/view.h"
#include "datastore/model/key.h"

namespace margay::model {
struct AdminNetworkPolicy;
struct BaselineAdminNetworkPolicy;
struct BgpConfiguration;
struct BgpFilter;
struct BgpPeer;
struct BlockAffinity;
struct ClusterNetworkPolicy;
struct FelixConfiguration;
struct GlobalNetworkPolicy;
struct GlobalNetworkSet;
struct HostEndpoint;
struct IpPool;
struct IpamConfiguration;
struct KubeControllersConfiguration;
struct KubernetesNetworkPolicy;
struct NetworkPolicy;
struct NetworkSet;
struct Node;
struct Profile;
struct StagedGlobalNetworkPolicy;
struct StagedKubernetesNetworkPolicy;
struct StagedNetworkPolicy;
struct Tier;
struct WorkloadEndpoint;
}  // namespace margay::model

namespace margay::codec {

// Everything that is wrong with an object for reasons other than its schema: types and texts of values as decode()
// finds them, then these rules. A rule about a field that could not be read is not applied.
FieldErrors check(model::Kind kind, json::View object);
FieldErrors check(model::Kind kind, const json::Value& object);

// The rules alone. Kinds that are not here have none but those on metadata.
FieldErrors validate(const model::AdminNetworkPolicy& object);
FieldErrors validate(const model::BaselineAdminNetworkPolicy& object);
FieldErrors validate(const model::BgpConfiguration& object);
FieldErrors validate(const model::BgpFilter& object);
FieldErrors validate(const model::BgpPeer& object);
FieldErrors validate(const model::BlockAffinity& object);
FieldErrors validate(const model::ClusterNetworkPolicy& object);
FieldErrors validate(const model::FelixConfiguration& object);
FieldErrors validate(const model::GlobalNetworkPolicy& object);
FieldErrors validate(const model::GlobalNetworkSet& object);
FieldErrors validate(const model::HostEndpoint& object);
FieldErrors validate(const model::IpPool& object);
FieldErrors validate(const model::IpamConfiguration& object);
FieldErrors validate(const model::KubeControllersConfiguration& object);
FieldErrors validate(const model::KubernetesNetworkPolicy& object);
FieldErrors validate(const model::NetworkPolicy& object);
FieldErrors validate(const model::NetworkSet& object);
FieldErrors validate(const model::Node& object);
FieldErrors validate(const model::Profile& object);
FieldErrors validate(const model::StagedGlobalNetworkPolicy& object);
FieldErrors validate(const model::StagedKubernetesNetworkPolicy& object);
FieldErrors validate(const model::StagedNetworkPolicy& object);
FieldErrors validate(const model::Tier& object);
FieldErrors validate(const model::WorkloadEndpoint& object);

}  // namespace margay::codec
