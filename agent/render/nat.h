// NAT: what workloads of pools with natOutgoing send beyond the pools leaves with an address of the node; and what the
// node itself sends through a tunnel leaves with the tunnel's. Pure.
#pragma once

#include "agent/render/static_chains.h"

namespace margay::render {

TableContent nat_content(IpFamily family, const Settings& settings, const NodeNetworks& networks);

}  // namespace margay::render
