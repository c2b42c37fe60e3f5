// What CalicoNodeStatus tells of this node, from what the speaker tells of itself. Pure.
#pragma once

#include "agent/bgp/bgp_calculation.h"
#include "agent/bgp/bgp_worker.h"
#include "agent/status/node_status.h"
#include "base/core/time.h"

namespace margay::agent {

// `desired`: why each peer is there; nullptr: not known. Routes are left out.
status::NodeSnapshot node_snapshot(const BgpSnapshot& speaker, const BgpDesired* desired, WallTime now);

}  // namespace margay::agent
