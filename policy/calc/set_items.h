// What policy sees of an endpoint or a network set: labels, the profiles it inherits more from, addresses, named ports.
//
// Labels that the product gives (namespace, orchestrator, service account) are added where the object does not carry
// them. A namespaced network set inherits its namespace's labels.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "datastore/model/endpoints.h"
#include "datastore/model/kubernetes.h"
#include "policy/index/set_index.h"

namespace margay::policy {

// The profiles that stand for namespaces and service accounts.
std::string namespace_profile_name(std::string_view name_space);
std::string account_profile_name(std::string_view name_space, std::string_view name);

StringMap labels_of(const model::WorkloadEndpoint& endpoint);

// Of a node, with the label that says it is one; and its InternalIPs.
StringMap labels_of(const model::Node& node);
std::vector<IpAddress> addresses_of(const model::Node& node);

SetItem item_of(const model::WorkloadEndpoint& endpoint);
SetItem item_of(const model::HostEndpoint& endpoint);
SetItem item_of(const model::NetworkSet& set);
SetItem item_of(const model::GlobalNetworkSet& set);

}  // namespace margay::policy
