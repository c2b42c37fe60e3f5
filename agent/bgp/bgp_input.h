// BgpInput: one object of the cluster as it is now, or its absence, for what concerns BGP. Level-based: existence is
// decided by the value alone; deletions may be spurious, ten updates may come as one.
#pragma once

#include <memory>
#include <variant>

#include "datastore/model/bgp_configuration.h"
#include "datastore/model/bgp_filter.h"
#include "datastore/model/bgp_peer.h"
#include "datastore/model/endpoints.h"
#include "datastore/model/ip_pool.h"
#include "datastore/model/ipam.h"
#include "datastore/model/key.h"
#include "datastore/model/kubernetes.h"
#include "datastore/model/service.h"

namespace margay::agent {

template <class T>
using Shared = std::shared_ptr<const T>;

// monostate: absent. All objects of these kinds may be given; what is not this node's is passed over where it does not
// matter:
//   BlockAffinity        of this node (others are passed over)
//   IPAMBlock            any: addresses this node has borrowed from blocks of others
//   WorkloadEndpoint     of this node (others are passed over): borrowed addresses, localWorkloadSelector
//   Secret               of the agent's namespace (others are passed over)
//   Service, EndpointSlice  all, where the agent advertises services
using BgpObject = std::variant<std::monostate, Shared<model::BgpConfiguration>, Shared<model::BgpPeer>,
                               Shared<model::BgpFilter>, Shared<model::Node>, Shared<model::Secret>,
                               Shared<model::BlockAffinity>, Shared<model::IpamBlock>, Shared<model::IpPool>,
                               Shared<model::Service>, Shared<model::EndpointSlice>, Shared<model::WorkloadEndpoint>>;

struct BgpInput {
  model::ObjectKey key;
  BgpObject value;
};

}  // namespace margay::agent
