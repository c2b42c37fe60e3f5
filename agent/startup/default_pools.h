// The IPPools that calico/node makes in a cluster without any: default-ipv4-ippool, default-ipv6-ippool. Pure.
#pragma once

#include <optional>
#include <vector>

#include "agent/startup/environment.h"
#include "base/core/random.h"
#include "base/ip/prefix.h"
#include "datastore/model/ip_pool.h"

namespace margay::startup {

struct PoolSurroundings {
  std::vector<IpPrefix> present{};        // CIDRs of all IPPools there are
  std::vector<IpPrefix> pod_networks{};   // of kubeadm (ClusterConfiguration networking.podSubnet), if known
  std::vector<IpPrefix> host_networks{};  // of the host's interfaces, not to be used
  bool has_ipv6 = false;                  // the node has an IPv6 address
};

// Of each family that has no pool yet: CALICO_IPV4POOL_CIDR, else kubeadm's, else 192.168.0.0/16 or the first of
// 172.16.0.0/16 … 172.31.0.0/16 that the host does not use; for IPv6 (only where the node has it) a random unique local
// /48 (RFC 4193). None when NO_DEFAULT_POOLS says so. To be created as they are; AlreadyExists is success.
std::vector<model::IpPool> default_pools(const Environment& environment, const PoolSurroundings& surroundings,
                                         Random& random);

}  // namespace margay::startup
