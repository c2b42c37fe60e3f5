// The last rules of every peer's export: what of the table a node of the cluster tells at all, after the filters of
// the user. Pure. Our own routes pass but for pools with disableBGPExport; routes of others pass inside of pools (a
// peer of another AS may be reached through us only so) and, on a route reflector, inside of the ranges of load
// balancers and external addresses.
#pragma once

#include <vector>

#include "agent/bgp/bgp_settings.h"
#include "base/ip/prefix.h"
#include "bgp/filter/filter.h"
#include "bgp/wire/family.h"

namespace margay::agent {

struct PoolFacts {
  IpPrefix cidr;
  bool is_exported = true;  // not disableBGPExport
  friend auto operator<=>(const PoolFacts&, const PoolFacts&) = default;
};

// `pools` by prefix.
bgp::PerFamily<bgp::Filter> export_rules(const std::vector<PoolFacts>& pools, const BgpSettings& settings,
                                         bool is_reflector);

inline constexpr const char* kExportRulesName = "cluster";  // as a filter is named for people

}  // namespace margay::agent
