#include "agent/startup/default_pools.h"

#include <algorithm>

namespace margay::startup {
namespace {

bool has_family(const std::vector<IpPrefix>& prefixes, IpFamily family) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const IpPrefix& each) { return each.family() == family; });
}

bool overlaps_any(const IpPrefix& prefix, const std::vector<IpPrefix>& others) {
  return std::any_of(others.begin(), others.end(), [&](const IpPrefix& each) { return each.overlaps(prefix); });
}

// 192.168.0.0/16, else one of 172.16.0.0/16 … 172.31.0.0/16; the first when the host uses all of them.
IpPrefix free_v4(const std::vector<IpPrefix>& taken) {
  const IpPrefix first = IpPrefix::containing(IpAddress::v4(0xc0a80000), 16);
  if (!overlaps_any(first, taken)) return first;
  for (std::uint32_t i = 16; i < 32; ++i) {
    const IpPrefix next = IpPrefix::containing(IpAddress::v4(0xac000000 | i << 16), 16);
    if (!overlaps_any(next, taken)) return next;
  }
  return first;
}

// fd, then 40 random bits (RFC 4193 section 3.1).
IpPrefix random_v6(Random& random) {
  constexpr std::uint64_t kRandomBits = (std::uint64_t{1} << 40) - 1;
  return IpPrefix::containing(IpAddress::v6(std::uint64_t{0xfd} << 56 | (random.next() & kRandomBits) << 16, 0), 48);
}

IpPrefix cidr_of(IpFamily family, const PoolChoice& choice, const PoolSurroundings& surroundings, Random& random) {
  if (choice.cidr) return *choice.cidr;
  for (const IpPrefix& network : surroundings.pod_networks) {
    if (network.family() == family) return network;
  }
  return family == IpFamily::kV4 ? free_v4(surroundings.host_networks) : random_v6(random);
}

model::IpPool pool_of(IpFamily family, const PoolChoice& choice, const IpPrefix& cidr) {
  const bool is_v4 = family == IpFamily::kV4;
  model::IpPool pool;
  pool.metadata.name = is_v4 ? "default-ipv4-ippool" : "default-ipv6-ippool";
  pool.spec.cidr = cidr;
  const int block_size = choice.block_size.value_or(is_v4 ? model::kBlockSizeV4Default : model::kBlockSizeV6Default);
  pool.spec.block_size = std::max(block_size, cidr.length());  // a pool smaller than a block is one block
  pool.spec.ipip_mode = choice.ipip;
  pool.spec.vxlan_mode = choice.vxlan;
  pool.spec.nat_outgoing = choice.nat_outgoing;
  pool.spec.node_selector = choice.node_selector;
  pool.spec.disable_bgp_export = choice.disable_bgp_export;
  pool.spec.allowed_uses = {model::IpPoolUse::kWorkload, model::IpPoolUse::kTunnel};
  return pool;
}

}  // namespace

std::vector<model::IpPool> default_pools(const Environment& environment, const PoolSurroundings& surroundings,
                                         Random& random) {
  std::vector<model::IpPool> pools;
  if (environment.no_default_pools) return pools;
  for (const IpFamily family : {IpFamily::kV4, IpFamily::kV6}) {
    const bool is_v4 = family == IpFamily::kV4;
    const PoolChoice& choice = is_v4 ? environment.pool_v4 : environment.pool_v6;
    const bool is_served = is_v4 ? environment.ipv4.kind != AddressChoice::Kind::kNone : surroundings.has_ipv6;
    if (choice.is_none || !is_served || has_family(surroundings.present, family)) continue;
    pools.push_back(pool_of(family, choice, cidr_of(family, choice, surroundings, random)));
  }
  return pools;
}

}  // namespace margay::startup
